// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "proc_tree.h"
#include "watchdog.h"

static char names[WATCHDOG_NAMES];
static struct finding found;
static struct fault f;

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
