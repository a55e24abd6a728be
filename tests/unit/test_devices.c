// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "devices.h"
#include "helpers.h"

static char made[64][64]; /* "name type major:minor", in the order made */
static unsigned int count;
static int node_error, mount_error;

int __wrap_mknod(const char *path, mode_t mode, dev_t device)
{
	const char *base = strrchr(path, '/');

	if (node_error && (node_error != EEXIST || strcmp(base, "/null") == 0)) {
		errno = node_error;
		return -1;
	}
	assert_int_equal(mode & 07777, 0600);
	assert_true(count < 64);
	(void)snprintf(made[count++], sizeof(made[0]), "%.32s %c %u:%u", base + 1,
		       S_ISCHR(mode) ? 'c' : 'b', major(device), minor(device));
	return 0;
}

int __wrap_mount(const char *source, const char *dir, const char *type, unsigned long flags,
		 const void *options)
{
	assert_string_equal(type, "devtmpfs");
	errno = mount_error;
	return mount_error ? -1 : 0;
}

static struct fault f;

static int setup(void **state)
{
	count = 0;
	node_error = mount_error = 0;
	if (temp_dir_make(state) < 0)
		return -1;
	write_text(temp_path("sys/class/mtd/mtd0/dev"), "90:0\n");
	write_text(temp_path("sys/class/mtd/mtd0ro/dev"), "90:1\n");
	write_text(temp_path("sys/class/mtd/mtd12/dev"), "90:24\n");
	write_text(temp_path("sys/class/mtd/mtd3/name"), "has no number\n");
	write_text(temp_path("sys/class/mtd/mtd4/dev"), "nonsense\n");
	write_text(temp_path("sys/class/ubi/version"), "1\n");
	write_text(temp_path("sys/class/ubi/ubi0/dev"), "250:0\n");
	write_text(temp_path("sys/class/ubi/ubi0_1/dev"), "250:2\n");
	write_text(temp_path("sys/class/misc/ubi_ctrl/dev"), "10:59\n");
	write_text(temp_path("sys/class/misc/rtc/dev"), "10:135\n");
	write_text(temp_path("sys/class/block/loop0/dev"), "7:0\n");
	write_text(temp_path("sys/class/block/mtdblock0/dev"), "31:0\n");
	write_text(temp_path("sys/class/block/ubiblock0_1/dev"), "254:0\n");
	write_text(temp_path("sys/class/block/sda/dev"), "8:0\n");
	write_text(temp_path("sys/class/block/sda1/dev"), "8:1\n");
	write_text(temp_path("sys/class/pmsg/pmsg0/dev"), "251:0\n");
	write_text(temp_path("sys/class/watchdog/watchdog1/dev"), "248:1\n");
	write_text(temp_path("sys/class/misc/watchdog/dev"), "10:130\n");
	write_text(temp_path("sys/class/misc/fuse/dev"), "10:229\n");
	return 0;
}

static bool has(const char *node)
{
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(made[i], node) == 0)
			return true;
	return false;
}

static void makes_what_is_listed(void **state)
{
	assert_int_equal(devices_make(temp_path("dev"), temp_path("sys"), &f), 0);
	assert_true(has("console c 5:1"));
	assert_true(has("null c 1:3"));
	assert_true(has("kmsg c 1:11"));
	assert_true(has("mtd0 c 90:0"));
	assert_true(has("mtd0ro c 90:1"));
	assert_true(has("mtd12 c 90:24"));
	assert_true(has("loop0 b 7:0"));
	assert_true(has("mtdblock0 b 31:0"));
	assert_true(has("ubiblock0_1 b 254:0"));
	assert_true(has("sda b 8:0"));
	assert_true(has("sda1 b 8:1"));
	assert_true(has("ubi0 c 250:0"));
	assert_true(has("ubi0_1 c 250:2"));
	assert_true(has("ubi_ctrl c 10:59"));
	assert_true(has("watchdog1 c 248:1"));
	assert_true(has("watchdog c 10:130"));
	assert_true(has("pmsg0 c 251:0"));
	assert_int_equal(count, 17);
}

static void kernel_without_any(void **state)
{
	assert_int_equal(devices_make(temp_path("dev"), temp_path("none"), &f), 0);
	assert_int_equal(count, 3);
}

static void what_is_there_already_is_fine(void **state)
{
	node_error = EEXIST;
	assert_int_equal(devices_make(temp_path("dev"), temp_path("sys"), &f), 0);
	assert_int_equal(count, 16);
}

static void what_cannot_be_made_is_not(void **state)
{
	node_error = EPERM;
	assert_int_equal(devices_make(temp_path("dev"), temp_path("sys"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "dev/console: cannot make the device node: Operation not");
}

static void devtmpfs_is_enough(void **state)
{
	assert_int_equal(devices_provide(temp_path("dev"), &f), 0);
	assert_int_equal(count, 0);
}

static void without_devtmpfs_by_hand(void **state)
{
	mount_error = ENODEV;
	assert_int_equal(devices_provide(temp_path("dev"), &f), 0);
	assert_true(has("console c 5:1"));
}

static void devtmpfs_refused(void **state)
{
	mount_error = EPERM;
	assert_int_equal(devices_provide(temp_path("dev"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot mount a devtmpfs");
	assert_int_equal(count, 0);
}

#define devices_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		devices_test(makes_what_is_listed),
		devices_test(kernel_without_any),
		devices_test(what_is_there_already_is_fine),
		devices_test(what_cannot_be_made_is_not),
		devices_test(devtmpfs_is_enough),
		devices_test(without_devtmpfs_by_hand),
		devices_test(devtmpfs_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
