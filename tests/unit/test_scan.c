// SPDX-License-Identifier: GPL-2.0-or-later
/* Held against the C library's sscanf(), with the formats and the texts that libmtd and libubi have. */
#include <stdio.h>
#include <string.h>

#include "helpers.h"
#include "scan.h"

static const char *const texts[] = {
	"90:4\n",
	"90:",
	":4",
	"90",
	" 90 : 4",
	"-1:+7\n",
	"0x400\n",
	"400",
	"400 rest",
	"",
	"\n",
	"131072\n",
	"-131072",
	"18446744073709551615\n",
	"99999999999999999999\n",
	"mtd3",
	"mtd12ro",
	"mtd",
	"mtdx",
	"mtd3 4",
	"ubi0",
	"ubi0_1",
	"ubi0_1x y",
	"ubi_1",
	"ubi0_",
	"abc",
};

/* Both must read the same number of values, and the same values. */
#define check(format, type)                                                                \
	do {                                                                               \
		for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {              \
			type a = 77, b = 77;                                               \
			int want = sscanf(texts[i], format, &a);                           \
                                                                                           \
			assert_int_equal(scan(texts[i], format, &b), want < 0 ? 0 : want); \
			assert_true(a == b);                                               \
		}                                                                          \
	} while (0)

static void one_number(void **state)
{
	check("%d", int);
	check("mtd%d", int);
	check("%lld\n", long long);
	check("%llx\n", unsigned long long);
}

static void two_numbers(void **state)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int a[2] = { 77, 77 }, b[2] = { 77, 77 };
		int want = sscanf(texts[i], "%d:%d\n", &a[0], &a[1]);

		assert_int_equal(scan(texts[i], "%d:%d\n", &b[0], &b[1]), want < 0 ? 0 : want);
		assert_memory_equal(a, b, sizeof(a));
	}
}

static void numbers_and_a_word(void **state)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char word_a[32] = "untouched", word_b[32] = "untouched";
		int a[2] = { 77, 77 }, b[2] = { 77, 77 };
		int want = sscanf(texts[i], "ubi%d_%d%31s", &a[0], &a[1], word_a);

		assert_int_equal(scan(texts[i], "ubi%d_%d%s", &b[0], &b[1], word_b),
				 want < 0 ? 0 : want);
		assert_memory_equal(a, b, sizeof(a));
		assert_string_equal(word_a, word_b);
	}
}

static void other_conversions_are_not_read(void **state)
{
	unsigned int u = 77;

	assert_int_equal(scan("5", "%u", &u), 0);
	assert_int_equal(u, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_number),
		cmocka_unit_test(two_numbers),
		cmocka_unit_test(numbers_and_a_word),
		cmocka_unit_test(other_conversions_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
