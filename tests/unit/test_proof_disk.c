// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "proc_tree.h"
#include "proof.h"

static struct mount_table mounts;
static char swaps[128], sys[128], dev[128], proc[128];
static struct proof_view view;
static struct fault f;

static const char *taken; /* a node that somebody has for himself */
static char tried[256];

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	return 0; /* time flies */
}

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	const char *name = strstr(path, "/dev/");

	if (!name || !(flags & O_EXCL))
		return __real_open(path, flags, mode);
	assert_int_equal(flags & O_ACCMODE, O_RDONLY);
	(void)strcat(strcat(tried, name + strlen("/dev/")), " ");
	if (!taken || strcmp(name + strlen("/dev/"), taken) != 0)
		return __real_open(path, flags, mode);
	errno = EBUSY;
	return -1;
}

/* A device of the disk whose folder is at devices/DISK: the disk itself, or a partition. */
static void add_device(const char *disk, const char *device, const char *number)
{
	char folder[256], to[300];

	if (strcmp(disk, device) == 0)
		(void)snprintf(folder, sizeof(folder), "devices/block/%s", disk);
	else
		(void)snprintf(folder, sizeof(folder), "devices/block/%s/%s", disk, device);
	write_text(temp_path("sys/%s/dev", folder), number);
	if (strcmp(disk, device) != 0)
		write_text(temp_path("sys/%s/partition", folder), "1\n");
	assert_int_equal(mkdir(temp_path("sys/%s/holders", folder), 0755), 0);
	write_text(temp_path("sys/class/block/uevent"), "");
	(void)snprintf(to, sizeof(to), "../../%s", folder);
	assert_int_equal(symlink(to, temp_path("sys/class/block/%s", device)), 0);
	write_text(temp_path("dev/%s", device), "");
}

static void mounted(const char *line)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "1 0 0:1 / / rw - tmpfs root rw\n%s\n", line);
	mounts_free(&mounts);
	if (mounts_parse(&mounts, strdup(text), &f) < 0)
		fail_msg("%s", f.text);
}

/* An eMMC with two partitions, and another disk; nothing uses any of them. */
static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	taken = NULL;
	tried[0] = '\0';
	(void)snprintf(swaps, sizeof(swaps), "%s", temp_path("swaps"));
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("sys"));
	(void)snprintf(dev, sizeof(dev), "%s", temp_path("dev"));
	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	mounted("2 1 0:6 / /proc rw - proc proc rw");
	write_text(temp_path("sys/block/loop0/size"), "0\n");
	add_device("mmcblk0", "mmcblk0", "179:0\n");
	write_text(temp_path("sys/devices/block/mmcblk0/mmcblk0rpmb/size"), "8\n");
	add_device("mmcblk0", "mmcblk0p1", "179:1\n");
	add_device("mmcblk0", "mmcblk0p2", "179:2\n");
	add_device("sda", "sda", "8:0\n");
	proc_tree_add("proc", 42, "dd", false);
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
	if (proof_disk_free(&view, device, &f) < 0)
		fail_msg("%s: %s", device, f.text);
}

static void expect_used(const char *device, const char *what)
{
	assert_int_equal(proof_disk_free(&view, device, &f), -1);
	assert_fault(&f, FAULT_BUSY, " is in use: ");
	assert_fault(&f, FAULT_BUSY, what);
}

static void nothing_uses_it(void **state)
{
	expect_free("sda");
	assert_string_equal(tried, "sda ");
	tried[0] = '\0';
	expect_free("mmcblk0p1"); /* whether others have parts of the disk is not asked */
	assert_string_equal(tried, "mmcblk0p1 ");
	tried[0] = '\0';
	expect_free("mmcblk0");
	assert_non_null(strstr(tried, "mmcblk0 "));
	assert_non_null(strstr(tried, "mmcblk0p1 "));
	assert_non_null(strstr(tried, "mmcblk0p2 "));
}

static void mounted_by_number_or_name(void **state)
{
	mounted("9 1 179:2 / / rw - ext4 /dev/root rw");
	expect_used("mmcblk0p2", "mmcblk0p2 is in use: mounted on / (ext4, /dev/root)");
	expect_used("mmcblk0", "mmcblk0p2 is in use: mounted on /");
	expect_free("mmcblk0p1");
	expect_free("sda");
	mounted("9 1 0:40 / /a rw - btrfs /dev/sda rw");
	expect_used("sda", "mounted on /a (btrfs, /dev/sda)");
	mounted("9 1 179:0 / /a rw - iso9660 /dev/whatever rw"); /* a disk without partitions? */
	expect_used("mmcblk0p1", "mmcblk0 is in use: mounted on /a");
}

static void swapped_to(void **state)
{
	write_text(swaps, "Filename Type Size\n/dev/mmcblk0p1  partition 1 0 -2\n");
	expect_used("mmcblk0p1", "swap on /dev/mmcblk0p1");
	expect_used("mmcblk0", "mmcblk0p1 is in use: swap on");
	expect_free("mmcblk0p2");
}

static void looped(void **state)
{
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mmcblk0p1\n");
	expect_used("mmcblk0p1", "loop0 holds it");
	expect_used("mmcblk0", "mmcblk0p1 is in use: loop0 holds it");
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mmcblk0\n");
	expect_used("mmcblk0p2", "mmcblk0 is in use: loop0 holds it");
	expect_free("sda");
}

/* Device mapper, MD and bcache are holders in sysfs. */
static void held(void **state)
{
	write_text(temp_path("sys/devices/block/mmcblk0/mmcblk0p1/holders/dm-0"), "");
	expect_used("mmcblk0p1", "mmcblk0p1 is in use: dm-0 holds it");
	expect_used("mmcblk0", "mmcblk0p1 is in use: dm-0 holds it");
	expect_free("mmcblk0p2");
	write_text(temp_path("sys/devices/block/sda/holders/md127"), "");
	expect_used("sda", "md127 holds it");
}

/* What a take-over will end does not count; the device mapper it does not end. */
static void look_ahead(void **state)
{
	mounted("9 1 179:2 / / rw - ext4 /dev/root rw");
	write_text(swaps, "Filename Type Size\n/dev/mmcblk0p2  partition 1 0 -2\n");
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mmcblk0p2\n");
	proc_tree_open("proc", 42, 1, "/dev/mmcblk0p2");
	taken = "mmcblk0p2";
	view.will_go = &mounts;
	expect_free("mmcblk0p2");
	expect_free("mmcblk0");
	write_text(temp_path("sys/devices/block/mmcblk0/mmcblk0p2/holders/dm-0"), "");
	expect_used("mmcblk0p2", "mmcblk0p2 is in use: dm-0 holds it");
}

static void opened_by_a_process(void **state)
{
	proc_tree_open("proc", 42, 1, "/dev/mmcblk0p2");
	expect_used("mmcblk0p2", "process 42 (dd) has /dev/mmcblk0p2 open (fd/1)");
	expect_used("mmcblk0", "mmcblk0p2 is in use: process 42");
	expect_free("mmcblk0p1");
	proc_tree_open("proc", 42, 1, "/dev/mmcblk0");
	expect_used("mmcblk0p1", "mmcblk0 is in use: process 42");
}

static void taken_by_somebody(void **state)
{
	taken = "mmcblk0p2";
	expect_used("mmcblk0p2", "something has taken ");
	expect_used("mmcblk0", "mmcblk0p2 is in use: something has taken ");
	expect_free("mmcblk0p1");
	/* As the kernel says of a disk, a partition of which is mounted. */
	taken = "mmcblk0";
	expect_used("mmcblk0", "mmcblk0 is in use: something has taken ");
	expect_free("mmcblk0p1");
	taken = NULL;
	assert_int_equal(unlink(temp_path("dev/sda")), 0);
	assert_int_equal(proof_disk_free(&view, "sda", &f), -1);
	assert_fault(&f, FAULT_UNFIT, "dev/sda: cannot tell whether it is in use");
}

/* The kernel's name is not the node's. */
static void node_in_a_folder(void **state)
{
	add_device("cciss!c0d0", "cciss!c0d0", "104:0\n");
	add_device("cciss!c0d0", "cciss!c0d0p1", "104:1\n");
	write_text(temp_path("dev/cciss/c0d0"), "");
	write_text(temp_path("dev/cciss/c0d0p1"), "");
	expect_free("cciss!c0d0p1");
	assert_string_equal(tried, "cciss/c0d0p1 ");
	expect_free("cciss!c0d0");
	proc_tree_open("proc", 42, 1, "/dev/cciss/c0d0p1");
	expect_used("cciss!c0d0p1", "process 42 (dd) has /dev/cciss/c0d0p1 open");
	expect_used("cciss!c0d0", "cciss!c0d0p1 is in use: process 42");
	mounted("9 1 0:40 / /a rw - btrfs /dev/cciss/c0d0 rw");
	expect_used("cciss!c0d0", "mounted on /a");
}

static void no_such_disk(void **state)
{
	assert_int_equal(proof_disk_free(&view, "sdb", &f), -1);
	assert_fault(&f, FAULT_UNFIT, "class/block/sdb/dev: cannot read");
}

#define disk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		disk_test(nothing_uses_it),
		disk_test(mounted_by_number_or_name),
		disk_test(swapped_to),
		disk_test(looped),
		disk_test(held),
		disk_test(look_ahead),
		disk_test(opened_by_a_process),
		disk_test(taken_by_somebody),
		disk_test(node_in_a_folder),
		disk_test(no_such_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
