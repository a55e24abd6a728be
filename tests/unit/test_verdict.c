// SPDX-License-Identifier: GPL-2.0-or-later
#include "verdict.h"

#include <stdio.h>
#include <string.h>

#include "helpers.h"

static struct journal_entry entry(enum journal_state state, bool good, uint32_t tries)
{
	struct journal_entry e = { .state = state, .good = good, .tries = tries };

	(void)snprintf(e.version, sizeof(e.version), "2.1");
	return e;
}

static const enum start_state whole[] = { START_WHOLE, START_WHOLE };
static char why[VERDICT_WHY];

static void boots_what_is_whole(void **state)
{
	struct journal_entry e = entry(JOURNAL_EMPTY, false, 0);

	(void)snprintf(why, sizeof(why), "?");
	assert_int_equal(verdict_of(NULL, whole, 2, 3, why), VERDICT_BOOT);
	assert_string_equal(why, "");
	assert_int_equal(verdict_of(&e, whole, 2, 3, why), VERDICT_BOOT);
	assert_int_equal(verdict_of(NULL, NULL, 0, 0, why), VERDICT_BOOT);
}

static void any_start_counts(void **state)
{
	static const struct {
		enum start_state start[2];
		const char *why;
	} cases[] = {
		{ { START_BLANK, START_WHOLE },
		  "an update was cut: the start of target 1 is blank" },
		{ { START_WHOLE, START_TORN }, "an update was cut: the start of target 2 is torn" },
		{ { START_TORN, START_BLANK }, "an update was cut: the start of target 1 is torn" },
	};
	struct journal_entry done = entry(JOURNAL_DONE, true, 0);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(verdict_of(NULL, cases[i].start, 2, 0, why), VERDICT_CUT);
		assert_string_equal(why, cases[i].why);
		assert_int_equal(verdict_of(&done, cases[i].start, 2, 0, why), VERDICT_CUT);
	}
}

/* It may have begun with what is not looked at here. */
static void the_journal_counts(void **state)
{
	struct journal_entry begun = entry(JOURNAL_BEGUN, false, 0);

	assert_int_equal(verdict_of(&begun, whole, 2, 0, why), VERDICT_CUT);
	assert_string_equal(why, "the update to version 2.1 was cut");
}

static void boots_are_counted(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, false, 2);

	assert_int_equal(verdict_of(&e, whole, 2, 3, why), VERDICT_BOOT);
	assert_int_equal(verdict_of(&e, whole, 2, 0, why), VERDICT_BOOT);
	assert_int_equal(verdict_of(&e, whole, 2, 2, why), VERDICT_FAILED_BOOTS);
	assert_string_equal(why, "version 2.1 was booted 2 times and never said to be good");
	e.tries = 1;
	assert_int_equal(verdict_of(&e, whole, 2, 1, why), VERDICT_FAILED_BOOTS);
	assert_string_equal(why, "version 2.1 was booted 1 time and never said to be good");
	e = entry(JOURNAL_DONE, true, 9);
	assert_int_equal(verdict_of(&e, whole, 2, 2, why), VERDICT_BOOT);
	e = entry(JOURNAL_EMPTY, false, 9);
	assert_int_equal(verdict_of(&e, whole, 2, 2, why), VERDICT_BOOT);
}

/* What is broken is not booted for that it was booted too often. */
static void a_cut_goes_first(void **state)
{
	static const enum start_state blank[] = { START_BLANK };
	struct journal_entry e = entry(JOURNAL_DONE, false, 5);

	assert_int_equal(verdict_of(&e, blank, 1, 3, why), VERDICT_CUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_what_is_whole), cmocka_unit_test(any_start_counts),
		cmocka_unit_test(the_journal_counts),  cmocka_unit_test(boots_are_counted),
		cmocka_unit_test(a_cut_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
