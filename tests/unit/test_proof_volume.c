// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helpers.h"
#include "proc_tree.h"
#include "proof.h"

static struct mount_table mounts;
static char swaps[128], sys[128], dev[128], proc[128];
static struct proof_view view;
static struct fault f;

static bool taken; /* the volume, by somebody who may write to it */
static unsigned int tries;

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	return 0; /* time flies */
}

static bool is_node; /* what the process has open: number 249:3 */

int __real_stat_cached(const char *path, struct stat *st);
int __wrap_stat_cached(const char *path, struct stat *st)
{
	if (!is_node || !strstr(path, "/proc/42/fd/"))
		return __real_stat_cached(path, st);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFCHR;
	st->st_rdev = makedev(249, 3);
	return 0;
}

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	if (!strstr(path, "/dev/ubi"))
		return __real_open(path, flags, mode);
	tries++;
	assert_int_equal(flags & O_ACCMODE, O_RDWR);
	if (!taken)
		return __real_open(path, flags, mode);
	errno = EBUSY;
	return -1;
}

static void mounted(const char *line)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "1 0 0:1 / / rw - tmpfs root rw\n%s\n", line);
	mounts_free(&mounts);
	if (mounts_parse(&mounts, strdup(text), &f) < 0)
		fail_msg("%s", f.text);
}

/* UBI devices 0 and 1 with a volume each, which nothing uses. */
static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	taken = is_node = false;
	tries = 0;
	(void)snprintf(swaps, sizeof(swaps), "%s", temp_path("swaps"));
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("sys"));
	(void)snprintf(dev, sizeof(dev), "%s", temp_path("dev"));
	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	mounted("2 1 0:6 / /proc rw - proc proc rw");
	write_text(temp_path("sys/block/loop0/size"), "0\n");
	write_text(temp_path("sys/class/ubi/ubi0/mtd_num"), "3\n");
	write_text(temp_path("sys/class/ubi/ubi0_2/name"), "rootfs\n");
	write_text(temp_path("sys/class/ubi/ubi1_2/name"), "data\n");
	write_text(temp_path("dev/ubi0_2"), "");
	write_text(temp_path("dev/ubi1_2"), "");
	write_text(temp_path("sys/class/ubi/ubi0_2/dev"), "249:3\n");
	write_text(temp_path("sys/class/ubi/ubi1_2/dev"), "248:3\n");
	proc_tree_add("proc", 42, "updater", false);
	view = (struct proof_view){ &mounts, swaps, sys, dev, proc, NULL };
	return 0;
}

static int teardown(void **state)
{
	mounts_free(&mounts);
	return temp_dir_remove(state);
}

static void expect_free(const char *device)
{
	if (proof_volume_free(&view, device, &f) < 0)
		fail_msg("%s", f.text);
}

static void expect_used(const char *what)
{
	assert_int_equal(proof_volume_free(&view, "ubi0_2", &f), -1);
	assert_fault(&f, FAULT_BUSY, "ubi0_2 (rootfs) is in use: ");
	assert_fault(&f, FAULT_BUSY, what);
}

/* That UBI is attached is what a volume needs. */
static void nothing_uses_it(void **state)
{
	expect_free("ubi0_2");
	expect_free("ubi1_2");
	assert_int_equal(tries, 2);
}

static void volume_that_is_yet_to_be_made(void **state)
{
	taken = true;
	expect_free("ubi0");
	assert_int_equal(tries, 0);
}

static void volume_that_has_gone(void **state)
{
	assert_int_equal(proof_volume_free(&view, "ubi0_3", &f), -1);
	assert_fault(&f, FAULT_UNFIT, "class/ubi/ubi0_3/name: cannot read");
}

static void mounted_volume(void **state)
{
	static const char *const sources[] = { "ubi0_2",     "/dev/ubi0_2",      "ubi0:rootfs",
					       "ubi:rootfs", "/dev/ubiblock0_2", "ubiblock0_2" };
	static const char *const others[] = { "ubi0_20",     "ubi0_1",           "ubi0:rootfs2",
					      "ubi1:rootfs", "/dev/ubiblock1_2", "rootfs" };
	char line[128];

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		(void)snprintf(line, sizeof(line), "9 1 0:20 / /a rw - ubifs %s rw", sources[i]);
		mounted(line);
		expect_used("mounted on /a (ubifs, ");
		expect_used(sources[i]);
		expect_free("ubi1_2");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		(void)snprintf(line, sizeof(line), "9 1 0:20 / /a rw - ubifs %s rw", others[i]);
		mounted(line);
		expect_free("ubi0_2");
	}
	mounted("9 1 0:20 / /a rw - ubifs ubi:data rw"); /* that is on UBI device 0 */
	expect_free("ubi1_2");
}

static void under_ubiblock(void **state)
{
	write_text(temp_path("sys/block/ubiblock0_20/size"), "8\n");
	expect_free("ubi0_2");
	write_text(temp_path("sys/block/ubiblock0_2/size"), "8\n");
	expect_used("ubiblock0_2 is on it; \"ubiblock --remove\" ends that");
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/ubiblock0_2\n");
	expect_used("loop0 holds it");
}

/* What a take-over will end does not count. */
static void look_ahead(void **state)
{
	mounted("9 1 0:20 / / rw - ubifs ubi0:rootfs rw");
	write_text(temp_path("sys/block/ubiblock0_2/size"), "8\n");
	proc_tree_open("proc", 42, 4, "/dev/ubi0_2");
	taken = true;
	view.will_go = &mounts;
	expect_free("ubi0_2");
}

static void opened_by_a_process(void **state)
{
	proc_tree_open("proc", 42, 3, "/dev/ubi0");
	proc_tree_open("proc", 42, 4, "/dev/ubi0_20");
	expect_free("ubi0_2");
	proc_tree_open("proc", 42, 4, "/dev/ubi0_2");
	expect_used("process 42 (updater) has /dev/ubi0_2 open (fd/4)");
}

static void opened_by_another_name(void **state)
{
	proc_tree_open("proc", 42, 4, "/tmp/node");
	expect_free("ubi0_2");
	is_node = true;
	expect_used("process 42 (updater) has /tmp/node open (fd/4)");
	expect_free("ubi1_2");
	assert_int_equal(unlink(temp_path("sys/class/ubi/ubi0_2/dev")), 0);
	assert_int_equal(proof_volume_free(&view, "ubi0_2", &f), -1);
	assert_fault(&f, FAULT_UNFIT, "ubi0_2/dev: cannot read");
}

/* UBIFS that was mounted by another name, or in another mount namespace. */
static void taken_by_somebody(void **state)
{
	taken = true;
	expect_used("something has taken ");
	assert_int_equal(unlink(temp_path("dev/ubi0_2")), 0);
	taken = false;
	assert_int_equal(proof_volume_free(&view, "ubi0_2", &f), -1);
	assert_fault(&f, FAULT_UNFIT, "dev/ubi0_2: cannot tell whether it is in use");
}

#define volume_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		volume_test(nothing_uses_it),
		volume_test(volume_that_is_yet_to_be_made),
		volume_test(volume_that_has_gone),
		volume_test(mounted_volume),
		volume_test(look_ahead),
		volume_test(under_ubiblock),
		volume_test(opened_by_a_process),
		volume_test(taken_by_somebody),
		volume_test(opened_by_another_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
