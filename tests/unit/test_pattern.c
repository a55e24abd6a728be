// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "helpers.h"
#include "pattern.h"

static void fits(void **state)
{
	assert_true(pattern_fits("fw.fwi", "fw.fwi"));
	assert_true(pattern_fits("*", "fw.fwi"));
	assert_true(pattern_fits("*", ""));
	assert_true(pattern_fits("", ""));
	assert_true(pattern_fits("*.fwi", ".fwi"));
	assert_true(pattern_fits("*.fwi", "a.fwi.fwi"));
	assert_true(pattern_fits("f?.fwi", "fw.fwi"));
	assert_true(pattern_fits("*a*b*", "xxaxxabxx"));
	assert_true(pattern_fits("*ab", "aaab"));
	assert_true(pattern_fits("***", "x"));
	assert_true(pattern_fits("a*", "a"));
}

static void does_not_fit(void **state)
{
	assert_false(pattern_fits("fw.fwi", "fw.fw"));
	assert_false(pattern_fits("fw.fwi", "fw.fwis"));
	assert_false(pattern_fits("fw.fwi", "FW.FWI"));
	assert_false(pattern_fits("", "x"));
	assert_false(pattern_fits("?", ""));
	assert_false(pattern_fits("*.fwi", "a.fwi.sig"));
	assert_false(pattern_fits("*a*b*", "xxbxxa"));
	assert_false(pattern_fits("f?.fwi", "f.fwi"));
	assert_false(pattern_fits("[f]w", "fw"));
}

/* A * that took all it could in turn would take for ever. */
static void hard(void **state)
{
	char name[2001];

	memset(name, 'a', sizeof(name));
	name[2000] = '\0';
	assert_false(pattern_fits("*a*a*a*a*a*a*a*a*a*a*a*a*b", name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits),
		cmocka_unit_test(does_not_fit),
		cmocka_unit_test(hard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
