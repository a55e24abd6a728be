// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helpers.h"
#include "image_home.h"
#include "mtd_tree.h"

static const char table[] = "1 0 31:0 / / rw - jffs2 mtd:rootfs rw\n"
			    "2 1 0:14 / /tmp rw - tmpfs tmpfs rw\n"
			    "3 1 0:15 / /ram rw - ramfs none rw\n"
			    "4 1 8:1 / /media/stick rw - vfat /dev/sda1 rw\n"
			    "5 1 7:0 / /loop rw - ext4 /dev/loop0 rw\n"
			    "6 1 8:2 / /ntfs rw - fuseblk /dev/sda2 rw\n"
			    "7 1 0:20 / /net rw - nfs server:/x rw\n"
			    "8 1 0:21 / /over rw - overlay overlay rw,upperdir=/tmp\n"
			    "9 1 31:1 / /data rw - jffs2 /dev/mtdblock1 rw\n"
			    "10 1 31:2 / /both ro - squashfs /dev/mtdblock2 ro\n"
			    "11 1 0:22 / /u rw - ubifs ubi1:data rw\n"
			    "12 1 0:23 / /v rw - ubifs /dev/ubi0_0 rw\n"
			    "13 1 0:24 / /w rw - ubifs ubi:data rw\n"
			    "14 1 0:25 / /x rw - ubifs ubi7:data rw\n"
			    "15 1 8:17 / /iscsi rw - ext4 /dev/sdb1 rw\n"
			    "16 1 31:9 / /gone rw - jffs2 mtd:gone rw\n"
			    "17 1 8:3 / /unknown rw - ext4 /dev/sda3 rw\n"
			    "19 1 254:0 / /volume ro - squashfs /dev/ubiblock1_0 ro\n"
			    "18 1 8:32 / /whole rw - ext2 /dev/sdc rw\n";

static void add_disk(const char *number, const char *place)
{
	char to[128];

	write_text(temp_path("sys/devices/%s/dev", place), "");
	(void)snprintf(to, sizeof(to), "../../devices/%s", place);
	assert_int_equal(symlink(to, temp_path("sys/dev/block/%s", number)), 0);
}

static void add_ubi(const char *name, const char *mtd)
{
	write_text(temp_path("sys/class/ubi/%s/mtd_num", name), mtd);
}

/* mtd0 is the target; mtd1 is beside it, mtd2 shares some of it. */
static void make_tree(void)
{
	write_text(temp_path("sys/dev/block/none"), "");
	mtd_tree_add("sys", "chip", 0, "rootfs", 0, 0x800000);
	mtd_tree_add("sys", "chip", 1, "data", 0x800000, 0x400000);
	mtd_tree_add("sys", "chip", 2, "both", 0x400000, 0x600000);
	add_disk("8:1", "pci0/usb1/host0/block/sda/sda1");
	add_disk("8:2", "pci0/usb1/host0/block/sda/sda2");
	add_disk("7:0", "virtual/block/loop0");
	add_disk("8:17", "platform/host1/session1/block/sdb/sdb1");
	add_disk("254:0", "platform/nand/mtd/mtd1/ubi1/ubi1_0/block/ubiblock1_0");
	add_ubi("ubi0", "0\n");
	add_ubi("ubi1", "1\n");
}

static struct targets targets = { .count = 1, .device = { "mtd0" } };

static const char *type_of(unsigned int major_number, unsigned int minor_number)
{
	static char found[32];
	struct mount_table mounts;
	struct fault f;
	const char *type;

	assert_int_equal(mounts_parse(&mounts, strdup(table), &f), 0);
	type = image_home_type(makedev(major_number, minor_number), makedev(31, 0), &mounts,
			       &targets, temp_path("sys"));
	if (type)
		strcpy(found, type);
	mounts_free(&mounts);
	return type ? found : NULL;
}

static void what_stays(void **state)
{
	make_tree();
	assert_string_equal(type_of(0, 14), "tmpfs");
	assert_string_equal(type_of(0, 15), "ramfs");
	assert_string_equal(type_of(8, 1), "vfat");
	assert_string_equal(type_of(31, 1), "jffs2");
	assert_string_equal(type_of(0, 22), "ubifs");
}

static void what_goes(void **state)
{
	make_tree();
	assert_null(type_of(31, 0));  /* the root */
	assert_null(type_of(7, 0));   /* a loop device, and what it is on */
	assert_null(type_of(8, 2));   /* a process reads it, though it is a disk's */
	assert_null(type_of(0, 20));  /* the network */
	assert_null(type_of(0, 21));  /* layers that may go */
	assert_null(type_of(31, 2));  /* a target shares that flash */
	assert_null(type_of(0, 23));  /* UBI on the target */
	assert_null(type_of(0, 24));  /* the same, by the short name of ubi0 */
	assert_null(type_of(0, 25));  /* a UBI device that is not there */
	assert_null(type_of(8, 17));  /* a disk behind the network */
	assert_null(type_of(254, 0)); /* a volume, the UBI of which may go */
	assert_null(type_of(31, 9));  /* flash that is not there */
	assert_null(type_of(8, 3));   /* a disk that sysfs does not show */
	assert_null(type_of(99, 99)); /* not in the table: a file system with several numbers */
}

static const char *type_if_target(unsigned int minor_number, const char *target)
{
	const char *type;

	targets.count = 2;
	strcpy(targets.device[1], target);
	type = type_of(8, minor_number);
	targets.count = 1;
	return type;
}

/* A disk that is written to, in whole or in part. */
static void disks_that_are_targets(void **state)
{
	make_tree();
	add_disk("8:32", "pci0/host2/block/sdc");
	write_text(temp_path("sys/devices/pci0/host2/block/sdc/sdc2/partition"), "2\n");
	assert_string_equal(type_if_target(1, "sda2"), "vfat");
	assert_string_equal(type_if_target(1, "da"), "vfat");
	assert_string_equal(type_if_target(1, "sda11"), "vfat");
	assert_null(type_if_target(1, "sda1"));
	assert_null(type_if_target(1, "sda"));
	assert_string_equal(type_if_target(32, "sdc3"), "ext2");
	assert_null(type_if_target(32, "sdc2"));
	assert_null(type_if_target(32, "sdc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_stays, temp_dir_make, temp_dir_remove),
		cmocka_unit_test_setup_teardown(what_goes, temp_dir_make, temp_dir_remove),
		cmocka_unit_test_setup_teardown(disks_that_are_targets, temp_dir_make,
						temp_dir_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
