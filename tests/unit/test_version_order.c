// SPDX-License-Identifier: GPL-2.0-or-later
#include "helpers.h"
#include "version_order.h"

/* Each is newer than the one before it. */
static const char *const versions[] = {
	"",
	"0",
	"0.9",
	"1",
	"1.0",
	"1.0-rc1",
	"1.0-rc2",
	"1.0-rc10",
	"1.2",
	"1.9",
	"1.10",
	"1.10.1",
	"1.010a",
	"2",
	"10",
	"99999999999999999999",
	"100000000000000000000",
	"a",
	"a1",
	"a2b",
	"a2c",
	"a10",
	"b",
};

enum { COUNT = sizeof(versions) / sizeof(*versions) };

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void all_pairs(void **state)
{
	for (int i = 0; i < COUNT; i++)
		for (int k = 0; k < COUNT; k++)
			if (sign(version_order(versions[i], versions[k])) != sign(i - k))
				fail_msg("\"%s\" and \"%s\"", versions[i], versions[k]);
}

static void the_same(void **state)
{
	assert_int_equal(version_order("1.05", "1.5"), 0);
	assert_int_equal(version_order("0", "000"), 0);
	assert_int_equal(version_order("v2.0\xc3\xa4", "v2.0\xc3\xa4"), 0);
	assert_true(version_order("2.0", "2.0\xc3\xa4") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pairs),
		cmocka_unit_test(the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
