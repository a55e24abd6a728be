// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <unistd.h>

#include "helpers.h"
#include "root.h"

static char text[160];
static struct fault f;

/* Finds the root by a mountinfo of one more line, and the sysfs in the test's folder. */
static int find(const char *line)
{
	struct mount_table mounts;
	char whole[1024];
	int result;

	(void)snprintf(
		whole, sizeof(whole),
		"1 1 0:2 / / rw - rootfs rootfs rw\n%s\n20 1 0:5 / /dev rw - devtmpfs d rw\n",
		line);
	write_text(temp_path("mountinfo"), whole);
	assert_int_equal(mounts_read(&mounts, temp_path("mountinfo"), &f), 0);
	result = root_find(text, sizeof(text), &mounts, temp_path("sys"), &f);
	mounts_free(&mounts);
	return result;
}

static void add_volume(void)
{
	write_text(temp_path("sys/class/ubi/ubi1/mtd_num"), "4\n");
	write_text(temp_path("sys/class/ubi/ubi1_2/name"), "root fs\n");
}

static void mtd(void **state)
{
	assert_int_equal(find("15 1 31:3 / / rw,relatime - jffs2 mtd:rootfs rw"), 0);
	assert_string_equal(text, "mtd3");
	assert_int_equal(find("15 1 31:12 / / ro - squashfs /dev/root ro"), 0);
	assert_string_equal(text, "mtd12");
}

static void ubifs(void **state)
{
	add_volume();
	assert_int_equal(
		find("15 1 0:14 / / rw - ubifs ubi0:rootfs rw,assert=read-only,ubi=1,vol=2"), 0);
	assert_string_equal(text, "mtd4:root fs");
	assert_int_equal(find("15 1 0:14 / / rw - ubifs ubi0:rootfs rw,ubi=0,vol=2"), -1);
	assert_fault(&f, FAULT_UNFIT, "ubi0/mtd_num: cannot read");
	assert_int_equal(find("15 1 0:14 / / rw - ubifs ubi0:rootfs rw,ubi=1,vol=0"), -1);
	assert_fault(&f, FAULT_UNFIT, "ubi1_0/name: cannot read");
}

static void block_devices(void **state)
{
	write_text(temp_path("sys/dev/block/x"), "");
	assert_int_equal(symlink("../../devices/virtual/block/ubiblock1_2",
				 temp_path("sys/dev/block/252:0")),
			 0);
	assert_int_equal(symlink("../../devices/soc/mmc0/block/mmcblk0/mmcblk0p2",
				 temp_path("sys/dev/block/179:2")),
			 0);
	add_volume();
	assert_int_equal(find("15 1 252:0 / / ro - squashfs /dev/root ro"), 0);
	assert_string_equal(text, "mtd4:root fs");
	assert_int_equal(find("15 1 179:2 / / rw - ext4 /dev/root rw"), 0);
	assert_string_equal(text, "mmcblk0p2");
}

static void devices(void **state)
{
	char device[32];

	root_device(device, "mtd4:root fs");
	assert_string_equal(device, "mtd4");
	root_device(device, "mmcblk0p2");
	assert_string_equal(device, "mmcblk0p2");
	root_device(device, "");
	assert_string_equal(device, "");
}

static void no_device(void **state)
{
	assert_int_equal(find("15 1 0:20 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/b"), -1);
	assert_fault(&f, FAULT_UNFIT, "/ is overlay (overlay), which is on no device of its own");
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(mtd),     file_test(ubifs),     file_test(block_devices),
		file_test(devices), file_test(no_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
