// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helpers.h"
#include "proc_tree.h"
#include "watchdog.h"

static char names[WATCHDOG_NAMES];
static struct finding found;
static struct fault f;

static long jumps_ms; /* of the clock, whenever it is asked */

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	static long jumped_ms;
	int result = __real_clock_gettime(clock, t);

	jumped_ms += jumps_ms;
	t->tv_sec += jumped_ms / 1000;
	return result;
}

/* What was found. */
static const char *find(int result)
{
	memset(&found, 0, sizeof(found));
	finding_say(&found, "none");
	assert_int_equal(watchdog_find(names, &found, temp_path("sys"), temp_path("proc"), &f),
			 result);
	return found.text;
}

static void attribute(int number, const char *name, const char *value)
{
	write_text(temp_path("sys/class/watchdog/watchdog%d/%s", number, name), value);
}

static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	proc_tree_add("proc", 1, "init", false);
	proc_tree_add("proc", 77, "watchdogd", false);
	return 0;
}

static void none(void **state)
{
	assert_string_equal(find(0), "none"); /* a kernel without them */
	assert_string_equal(names, "");
	attribute(0, "dev", "248:0\n");
	attribute(0, "timeout", "60\n");
	assert_string_equal(find(0), "none"); /* without CONFIG_WATCHDOG_SYSFS there is no state */
	attribute(0, "state", "inactive\n");
	attribute(1, "state", "inactive\n");
	assert_string_equal(find(0), "none");
	assert_string_equal(names, "");
}

static void run_without_a_feeder(void **state)
{
	attribute(0, "state", "inactive\n");
	attribute(1, "state", "active\n");
	attribute(1, "timeout", "30\n");
	assert_string_equal(find(0), "watchdog1 runs, timeout 30 s, fed by nobody");
	assert_string_equal(names, "watchdog1");
}

static void run_with_one(void **state)
{
	attribute(1, "dev", "248:1\n");
	attribute(1, "state", "active\n");
	attribute(1, "timeout", "30\n");
	proc_tree_open("proc", 77, 0, "/dev/null");
	proc_tree_open("proc", 77, 3, "/mnt/dev/watchdog0");
	proc_tree_open("proc", 77, 5, "/dev/watchdog1");
	proc_tree_add("proc", 78, "watchdogd", false); /* its child has it, too */
	proc_tree_open("proc", 78, 5, "/dev/watchdog1");
	assert_non_null(strstr(find(0), "watchdog1 runs, timeout 30 s, fed by process 7"));
	assert_string_equal(names, "watchdog1");
}

/* Who has one open feeds it, whatever the kernel tells. */
static void seen_by_the_feeder_only(void **state)
{
	proc_tree_open("proc", 1, 9, "/dev/watchdog3 (deleted)");
	assert_string_equal(find(0), "watchdog3 runs, timeout unknown, fed by process 1 (init)");
	assert_string_equal(names, "watchdog3");
	proc_tree_open("proc", 1, 9, "/dev/watchdog");
	(void)find(0);
	assert_string_equal(names, "watchdog"); /* a driver from before there were numbers */
	assert_int_equal(symlink("/dev/watchdog7", temp_path("proc/77/exe")), 0); /* not open */
	(void)find(0);
	assert_string_equal(names, "watchdog");
}

static void two_nodes_of_one(void **state)
{
	attribute(0, "dev", "248:0\n");
	attribute(0, "state", "active\n");
	proc_tree_open("proc", 77, 5, "/dev/watchdog");
	assert_non_null(strstr(find(0), "watchdog0 runs"));
	assert_string_equal(names, "watchdog0");
}

static void several(void **state)
{
	for (int i = 0; i < 12; i += 11)
		attribute(i, "state", "active\n");
	proc_tree_open("proc", 77, 5, "/dev/watchdog1");
	(void)find(0);
	assert_int_equal(strncmp(names, "watchdog1 ", 10), 0);
	assert_non_null(strstr(found.text, "(watchdogd); watchdog"));
	assert_non_null(strstr(found.text, "fed by nobody; watchdog"));
	assert_non_null(strstr(names, " watchdog0"));
	assert_non_null(strstr(names, " watchdog11"));
	assert_int_equal(strlen(names), 30);
	assert_int_equal(found.figures, 1);
	assert_string_equal(found.figure[0].name, "running");
	assert_int_equal(found.figure[0].value, 3);
}

static void what_cannot_be_seen(void **state)
{
	assert_int_equal(rmdir(temp_path("proc/77/fd")), 0);
	write_text(temp_path("proc/77/fd"), "no folder");
	(void)find(-1);
	assert_fault(&f, FAULT_UNFIT, "cannot see whether a process feeds a watchdog: Not a dir");
	assert_int_equal(rename(temp_path("proc"), temp_path("gone")), 0);
	(void)find(-1);
	assert_fault(&f, FAULT_UNFIT, "proc: cannot list the processes: No such file");
}

/* Looks once more, with these known; what is said about that. */
static char *find_more(const char *known)
{
	memset(names, 0, sizeof(names));
	memcpy(names, known, strlen(known));
	capture_start(STDERR_FILENO);
	watchdog_find_more(names, temp_path("sys"));
	return capture_end(STDERR_FILENO);
}

static void check_more(const char *known, const char *wanted)
{
	char *said = find_more(known);

	assert_string_equal(said, "");
	assert_string_equal(names, wanted);
	free(said);
}

/* Systemd has started another one than the one that ran before, or one, or none. */
static void more_by_now(void **state)
{
	check_more("", "");
	check_more("watchdog0", "watchdog0"); /* the kernel does not tell */
	attribute(0, "state", "inactive\n");
	attribute(1, "state", "inactive\n");
	check_more("", "");
	check_more("watchdog0", "watchdog0"); /* its feeder has stopped it */
	attribute(1, "state", "active\n");
	check_more("", "watchdog1");
	check_more("watchdog1", "watchdog1");
	check_more("watchdog0 watchdog11", "watchdog0 watchdog11 watchdog1");
}

static void more_than_fit(void **state)
{
	char *said;

	for (int i = 0; i < 12; i++)
		attribute(i, "state", "active\n");
	said = find_more("");
	assert_string_equal(said, "");
	assert_int_equal(strlen(names), WATCHDOG_NAMES - 1);
	free(said);
}

/* A driver that hangs while it is asked must not have PID 1 hang. */
static void more_that_hangs(void **state)
{
	char *said;

	attribute(0, "dev", "248:0\n");
	assert_int_equal(mkfifo(temp_path("sys/class/watchdog/watchdog0/state"), 0600), 0);
	jumps_ms = 1000;
	said = find_more("watchdog3");
	jumps_ms = 0;
	assert_non_null(strstr(said, "looking for watchdogs gave no sign of life for 5 s"));
	assert_string_equal(names, "watchdog3");
	free(said);
}

static void more_that_cannot_be_seen(void **state)
{
	char *said;

	write_text(temp_path("sys/class/watchdog"), "no folder");
	said = find_more("watchdog3");
	assert_string_equal(said, "");
	assert_string_equal(names, "watchdog3");
	free(said);
}

#define find_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		find_test(none),
		find_test(run_without_a_feeder),
		find_test(run_with_one),
		find_test(seen_by_the_feeder_only),
		find_test(two_nodes_of_one),
		find_test(several),
		find_test(what_cannot_be_seen),
		find_test(more_by_now),
		find_test(more_than_fit),
		find_test(more_that_hangs),
		find_test(more_that_cannot_be_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
