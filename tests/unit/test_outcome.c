// SPDX-License-Identifier: GPL-2.0-or-later
/* The clock, the device nodes and the child are the test's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "helpers.h"
#include "outcome.h"

static time_t now;
static enum child_end ends;
static unsigned int children;
static int sync_error;
static struct outcome o;
static struct plan plan;
static struct fault f;

time_t __wrap_time(time_t *t)
{
	assert_null(t);
	return now;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	if (strncmp(path, "/dev/", 5) == 0)
		path = temp_path("%s", path + 5);
	return __real_open(path, flags, 0644);
}

int __wrap_fsync(int fd)
{
	errno = sync_error;
	return sync_error ? -1 : 0;
}

enum child_end __wrap_child_run(const struct child_work *w, struct fault *fault)
{
	children++;
	assert_int_equal(w->run(w->ctx, -1, fault), 0);
	if (ends != CHILD_SUCCEEDED)
		(void)fault_set(fault, FAULT_FAILED, "it hung");
	return ends;
}

static int setup(void **state)
{
	now = 1763834400;
	ends = CHILD_SUCCEEDED;
	children = 0;
	sync_error = 0;
	return temp_dir_make(state);
}

static void expect(const char *name, const char *wanted)
{
	size_t len;
	char *text = (char *)read_file(temp_path("%s", name), &len);

	assert_string_equal(text, wanted);
	free(text);
}

static void date(time_t when, const char *wanted)
{
	now = when;
	outcome_now(&o, 0, "done", "", "");
	assert_string_equal(o.time, wanted);
}

/* Each day of four centuries, held against the C library's. */
static void dates(void **state)
{
	char wanted[32];

	date(0, "1970-01-01T00:00:00Z");
	date(1763834400, "2025-11-22T18:00:00Z");
	date(951782399, "2000-02-28T23:59:59Z");
	date(951868800, "2000-03-01T00:00:00Z");
	for (time_t day = 0; day < 146097; day++) {
		time_t when = day * 86400 + day % 86400;
		struct tm tm;

		assert_non_null(gmtime_r(&when, &tm));
		assert_true(strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		date(when, wanted);
	}
}

static void written(void **state)
{
	outcome_now(&o, 5, "begun", "2.0", "erasing");
	write_text(temp_path("pmsg0"), "");
	write_text(temp_path("kmsg"), "");
	write_text(temp_path("o"), "x\n");
	assert_int_equal(outcome_write(&o, temp_path("o"), &f), 0);
	expect("o", "x\nflashinit: outcome 5 begun 2025-11-22T18:00:00Z firmware 2.0: erasing\n");
	expect("pmsg0", "flashinit: outcome 5 begun 2025-11-22T18:00:00Z firmware 2.0: erasing\n");
	expect("kmsg",
	       "<5>flashinit: outcome 5 begun 2025-11-22T18:00:00Z firmware 2.0: erasing\n");
	outcome_now(&o, 0, "done", "", "well");
	assert_int_equal(outcome_write(&o, temp_path("new"), &f), 0);
	expect("new", "flashinit: outcome 0 done 2025-11-22T18:00:00Z well\n");
	assert_int_equal(outcome_write(&o, "", &f), 0);
}

static void not_written(void **state)
{
	outcome_now(&o, 0, "done", "", "well");
	assert_int_equal(outcome_write(&o, temp_path("none/o"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "none/o: cannot write the outcome: No such file");
	sync_error = EIO;
	assert_int_equal(outcome_write(&o, temp_path("o"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "o: cannot write the outcome: ");
	assert_int_equal(outcome_write(&o, "", &f), 0); /* devices have nothing to sync */
}

static void found(const char *log, int code, const char *state, const char *text)
{
	memset(&o, 'x', sizeof(o));
	assert_true(outcome_find(&o, log));
	assert_int_equal(o.code, code);
	assert_string_equal(o.state, state);
	assert_string_equal(o.time, "2025-11-22T18:00:00Z");
	assert_string_equal(o.text, text);
}

#define WHEN " 2025-11-22T18:00:00Z "

static void the_last_counts(void **state)
{
	found("flashinit: outcome 0 done" WHEN "well\n", 0, "done", "well");
	found("[ 1.0] x\n<5>[ 2.3] flashinit: outcome 6 gave-up" WHEN "a: b c\n[ 3.0] y\n", 6,
	      "gave-up", "a: b c");
	found("flashinit: outcome 1 cleared" WHEN "a\nflashinit: outcome 5 begun" WHEN "b\n", 5,
	      "begun", "b");
	found("flashinit: outcome 5 begun" WHEN "a\nflashinit: outcome 0 done" WHEN "we", 5,
	      "begun", "a"); /* torn */
	found("flashinit: outcome 5 begun" WHEN "a\nflashinit: outflashinit: outcome 1 x" WHEN
	      "b\n",
	      1, "x", "b");
	found("flashinit: outcome 0 done" WHEN "\n", 0, "done", "");
}

static void nothing_to_find(void **state)
{
	static const char *const logs[] = {
		"",
		"flashinit: outcome ",
		"flashinit: outcome \n",
		"flashinit: outcome 0\n",
		"flashinit: outcome 0 done\n",
		"flashinit: outcome 0 done" WHEN,
		"flashinit: outcome 7 done" WHEN "x\n",
		"flashinit: outcome -1 done" WHEN "x\n",
		"flashinit: outcome 00 done" WHEN "x\n",
		"flashinit: outcome x done" WHEN "x\n",
		"flashinit: outcome 0 a-word-that-is-too-long" WHEN "x\n",
		"flashinit: outcome 0 done 2025-11-22T18:00:00Z-and-much-more x\n",
		"flashinit: outcome 0\ndone" WHEN "x\n",
	};

	for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++)
		if (outcome_find(&o, logs[i]))
			fail_msg("%s", logs[i]);
}

static void long_text(void **state)
{
	char log[2000] = "flashinit: outcome 0 done" WHEN;
	size_t len = strlen(log);

	memset(log + len, 'x', sizeof(log) - len - 2);
	log[sizeof(log) - 2] = '\n';
	assert_true(outcome_find(&o, log));
	assert_int_equal(strlen(o.text), sizeof(o.text) - 1);
}

/* What was written is found again. */
static void there_and_back(void **state)
{
	size_t len;
	char *text;

	(void)fault_set(&f, FAULT_BUSY, "%0310d", 1); /* as long as a fault may be */
	outcome_now(&o, 6, "gave-up",
		    "a-version-of-as-many-as-sixty-three-characters-1234567890123456", f.text);
	assert_int_equal(outcome_write(&o, temp_path("o"), &f), 0);
	text = (char *)read_file(temp_path("o"), &len);
	assert_true(outcome_find(&o, text));
	assert_int_equal(o.code, 6);
	free(text);
}

/* A file that hung would hang again: the others are told alone. */
static void told_within_limits(void **state)
{
	(void)snprintf(plan.outcome, sizeof(plan.outcome), "%s", "o");
	(void)strcpy(plan.firmware, "2");
	assert_int_equal(chdir(temp_path(".")), 0);
	write_text(temp_path("pmsg0"), "");
	outcome_tell(&plan, 1, "cleared", "a");
	ends = CHILD_STALLED;
	capture_start(2);
	outcome_tell(&plan, 5, "begun", "b");
	free(capture_end(2));
	ends = CHILD_SUCCEEDED;
	outcome_tell(&plan, 0, "done", "c");
	assert_int_equal(children, 3);
	expect("o", "flashinit: outcome 1 cleared" WHEN "firmware 2: a\n"
		    "flashinit: outcome 5 begun" WHEN "firmware 2: b\n");
	expect("pmsg0", "flashinit: outcome 1 cleared" WHEN "firmware 2: a\n"
			"flashinit: outcome 5 begun" WHEN "firmware 2: b\n"
			"flashinit: outcome 0 done" WHEN "firmware 2: c\n");
	assert_int_equal(chdir("/"), 0);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(dates),
		file_test(written),
		file_test(not_written),
		cmocka_unit_test(the_last_counts),
		cmocka_unit_test(nothing_to_find),
		cmocka_unit_test(long_text),
		file_test(there_and_back),
		file_test(told_within_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
