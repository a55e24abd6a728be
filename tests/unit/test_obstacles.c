// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "mtd_tree.h"
#include "obstacles.h"

static struct mount_table all, reachable;
static struct fault f;

static int setup(void **state)
{
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	mounts_free(&all);
	mounts_free(&reachable);
	return temp_dir_remove(state);
}

static void set(struct mount_table *t, const char *text)
{
	mounts_free(t);
	if (mounts_parse(t, strdup(text), &f) < 0)
		fail_msg("%s", f.text);
}

static int pivot(const char *text)
{
	set(&reachable, text);
	return obstacles_pivot(&reachable, &f);
}

static void roots_that_can_be_pivoted_from(void **state)
{
	assert_int_equal(pivot("14 0 31:3 / / rw - jffs2 mtd:rootfs rw\n"
			       "15 14 0:5 / /dev rw - devtmpfs dev rw\n"),
			 0);
	/* the initial ramfs, and what was mounted over it */
	assert_int_equal(pivot("1 1 0:2 / / rw - rootfs rootfs rw\n"
			       "14 1 31:3 / / rw - squashfs /dev/root rw\n"),
			 0);
	assert_int_equal(pivot("14 0 31:3 / / rw master:1 - jffs2 mtd:rootfs rw\n"), 0);
}

static void the_initial_ramfs(void **state)
{
	static const char *const tables[] = {
		"1 1 0:2 / / rw - rootfs rootfs rw\n",
		"1 1 0:2 / / rw - rootfs none rw\n2 1 0:5 / /dev rw - devtmpfs dev rw\n",
		"2 1 0:5 / /dev rw - devtmpfs dev rw\n", /* no root at all */
		"",
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		assert_int_equal(pivot(tables[i]), -1);
		assert_fault(&f, FAULT_UNFIT, "the root is the initial ramfs");
	}
}

static const char on_top[] = "30 1 0:20 / / rw - overlay overlay rw,lowerdir=/rom\n"
			     "31 30 31:4 / /overlay rw - jffs2 /dev/mtdblock4 rw\n";

static int hidden(const char *line)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s%s", on_top, line);
	set(&reachable, on_top);
	set(&all, text);
	return obstacles_hidden(&all, &reachable, &f);
}

static void flash_below_the_root(void **state)
{
	assert_int_equal(hidden("9 1 31:3 / /rom ro - squashfs /dev/mtdblock3 ro\n"), -1);
	assert_fault(&f, FAULT_UNFIT,
		     "/dev/mtdblock3 (squashfs) is mounted on /rom below the root");
	assert_int_equal(hidden("9 1 0:21 / /rom ro - ubifs ubi0:rootfs ro\n"), -1);
	assert_fault(&f, FAULT_UNFIT, "ubi0:rootfs (ubifs) is mounted on /rom");
	assert_int_equal(hidden("9 1 254:0 / /rom ro - squashfs /dev/ubiblock0_0 ro\n"), -1);
	assert_fault(&f, FAULT_UNFIT, "/dev/ubiblock0_0 (squashfs)");
	assert_int_equal(hidden("9 1 31:5 / / ro - jffs2 mtd:old ro\n"), -1);
}

static void other_things_below_the_root(void **state)
{
	assert_int_equal(hidden(""), 0);
	assert_int_equal(hidden("9 1 0:2 / / rw - rootfs rootfs rw\n"
				"10 9 0:22 / /tmp rw - tmpfs x rw\n"
				"11 9 8:1 / /rom ro - squashfs /dev/sda1 ro\n"),
			 0);
	/* the file system is mounted where it can be reached, too */
	assert_int_equal(hidden("9 1 31:4 / /rom ro - jffs2 /dev/mtdblock4 ro\n"), 0);
}

static void add_process(int pid, const char *name, const char *flags)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%d (%s) S 2 0 0 0 -1 %s 0 0", pid, name, flags);
	write_text(temp_path("proc/%d/stat", pid), text);
}

static int lazy(int number)
{
	char proc[128], sys[128];

	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("sys"));
	return obstacles_lazy(&all, number, sys, proc, &f);
}

/* An MTD device that shares no flash with another one. */
static void add_flash(int number)
{
	mtd_tree_add("sys", "platform/nand/mtd", number, "part", number * 0x10000, 0x10000);
}

/* JFFS2 has a thread for each of its mounts, which ends only with the file system. */
static void lazily_unmounted(void **state)
{
	set(&all, on_top);
	for (int i = 3; i <= 6; i++)
		add_flash(i);
	add_process(1, "init", "4194560");
	add_process(50, "jffs2_gcd_mtd3", "69238848");
	add_process(51, "jffs2_gcd_mtd4", "69238848");
	add_process(52, "jffs2_gcd_mtd5", "4194304"); /* no thread of the kernel */
	assert_int_equal(lazy(3), -1);
	assert_fault(&f, FAULT_UNFIT, "a JFFS2 on mtd3 was unmounted lazily and is still in use");
	assert_int_equal(lazy(4), 0); /* that one is mounted */
	assert_int_equal(lazy(5), 0);
	assert_int_equal(lazy(6), 0);
	/* Whoever shares flash with it shares the use. */
	mtd_tree_add("sys", "platform/nand/mtd", 8, "firmware", 0x28000, 0x10000);
	assert_int_equal(lazy(8), -1);
	assert_fault(&f, FAULT_UNFIT, "a JFFS2 on mtd3 was unmounted lazily");
	assert_int_equal(lazy(9), -1);
	assert_fault(&f, FAULT_UNFIT, "mtd9 has gone");
}

/* Of longer names the kernel keeps 15 bytes: "jffs2_gcd_mtd123" is cut. */
static void thread_names_are_cut(void **state)
{
	set(&all, on_top);
	add_process(50, "jffs2_gcd_mtd12", "69238848");
	add_flash(1);
	add_flash(12);
	add_flash(123);
	assert_int_equal(lazy(12), -1);
	assert_int_equal(lazy(123), -1); /* it may be this one: better one too many */
	assert_int_equal(lazy(1), 0);
}

static void no_processes_to_look_at(void **state)
{
	set(&all, on_top);
	add_flash(3);
	assert_int_equal(lazy(3), -1);
	assert_fault(&f, FAULT_UNFIT, "proc: cannot list the processes: No such file");
}

#define obstacle_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		obstacle_test(roots_that_can_be_pivoted_from),
		obstacle_test(the_initial_ramfs),
		obstacle_test(flash_below_the_root),
		obstacle_test(other_things_below_the_root),
		obstacle_test(lazily_unmounted),
		obstacle_test(thread_names_are_cut),
		obstacle_test(no_processes_to_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
