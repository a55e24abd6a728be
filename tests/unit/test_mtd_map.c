// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "mtd_map.h"
#include "mtd_tree.h"

enum { KIB = 1024 };

static struct mtd_map map;
static struct fault f;

static void read_map(void)
{
	if (mtd_map_read(&map, temp_path("sys"), &f) < 0)
		fail_msg("%s", f.text);
}

static bool overlap(int a, int b)
{
	const struct mtd_place *one = mtd_map_find(&map, a), *two = mtd_map_find(&map, b);
	bool result;

	assert_true(one && two);
	result = mtd_overlap(one, two);
	assert_int_equal(mtd_overlap(two, one), result);
	return result;
}

static void partitions_of_one_chip(void **state)
{
	const struct mtd_place *p;

	mtd_tree_add("sys", "platform/nand/mtd", 0, "boot", 0, 256 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd", 1, "kernel", 256 * KIB, 768 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd", 2, "rootfs", 1024 * KIB, 3072 * KIB);
	read_map();
	assert_int_equal(map.count, 3);
	p = mtd_map_find(&map, 1);
	assert_non_null(p);
	assert_string_equal(p->name, "kernel");
	assert_int_equal(p->number, 1);
	assert_true(p->partition);
	assert_int_equal(p->offset, 256 * KIB);
	assert_int_equal(p->size, 768 * KIB);
	assert_null(mtd_map_find(&map, 3));
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++)
			assert_int_equal(overlap(a, b), a == b);
}

static void partitions_that_meet(void **state)
{
	mtd_tree_add("sys", "platform/nand/mtd", 0, "kernel", 0, 1024 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd", 1, "rootfs", 1024 * KIB, 1024 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd", 2, "firmware", 0, 2048 * KIB); /* both */
	mtd_tree_add("sys", "platform/nand/mtd", 3, "data", 2048 * KIB, 64 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd", 4, "last", 2048 * KIB + 64 * KIB - 1, 1);
	mtd_tree_add("sys", "platform/nand/mtd", 10, "none", 1024 * KIB, 0);
	read_map();
	assert_int_equal(map.count, 6);
	assert_true(overlap(0, 2));
	assert_true(overlap(1, 2));
	assert_false(overlap(0, 1));
	assert_false(overlap(2, 3));
	assert_true(overlap(3, 4));
	assert_false(overlap(1, 10));
	assert_true(overlap(10, 10));
}

/* With CONFIG_MTD_PARTITIONED_MASTER there is a device for the chip, too, and they lie below it. */
static void partitioned_master(void **state)
{
	mtd_tree_add("sys", "platform/nand/mtd", 0, "nand", NO_OFFSET, 4096 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd/mtd0", 1, "kernel", 0, 1024 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd/mtd0", 2, "rootfs", 1024 * KIB, 1024 * KIB);
	/* a partition of a partition, whose offset counts from there */
	mtd_tree_add("sys", "platform/nand/mtd/mtd0/mtd2", 3, "rootfs_data", 512 * KIB, 512 * KIB);
	/* not below mtd0, though its path starts so */
	mtd_tree_add("sys", "platform/nand/mtd/mtd01", 4, "other", 0, 1024 * KIB);
	read_map();
	assert_false(mtd_map_find(&map, 0)->partition);
	assert_true(overlap(0, 1));
	assert_true(overlap(0, 2));
	assert_true(overlap(0, 3));
	assert_true(overlap(2, 3));
	assert_false(overlap(1, 2));
	assert_false(overlap(1, 3)); /* their numbers would meet, if they were of one parent */
	assert_false(overlap(0, 4));
}

/* As where a firmware is split into a kernel and a root, next to a partition of the whole chip. */
static void partitions_of_different_depth(void **state)
{
	mtd_tree_add("sys", "platform/nor/mtd", 0, "ALL", 0, 16384 * KIB);
	mtd_tree_add("sys", "platform/nor/mtd", 1, "boot", 0, 320 * KIB);
	mtd_tree_add("sys", "platform/nor/mtd", 4, "firmware", 320 * KIB, 8192 * KIB);
	mtd_tree_add("sys", "platform/nor/mtd/mtd4", 6, "rootfs", 1024 * KIB, 7168 * KIB);
	mtd_tree_add("sys", "platform/nor/mtd/mtd4/mtd6", 7, "data", 1024 * KIB, 1024 * KIB);
	mtd_tree_add("sys", "platform/nor/mtd", 8, "copy", 2368 * KIB,
		     1 * KIB); /* of data's start */
	mtd_tree_add("sys", "platform/nor/mtd", 9, "before", 2367 * KIB, 1 * KIB);
	read_map();
	assert_true(overlap(0, 4));
	assert_true(overlap(0, 6));
	assert_true(overlap(0, 7));
	assert_true(overlap(6, 8));
	assert_true(overlap(7, 8));
	assert_false(overlap(7, 9));
	assert_true(overlap(6, 9));
	assert_false(overlap(1, 6)); /* their numbers would meet, if they were of one parent */
	assert_false(overlap(1, 7));
}

/* Kernels before 4.1 have no offset: then only the folders tell. */
static void kernel_without_offsets(void **state)
{
	mtd_tree_add("sys", "platform/nor/mtd", 0, "boot", NO_OFFSET, 1024 * KIB);
	mtd_tree_add("sys", "platform/nor/mtd", 1, "rootfs", NO_OFFSET, 1024 * KIB);
	mtd_tree_add("sys", "platform/nor/mtd/mtd1", 2, "data", NO_OFFSET, 512 * KIB);
	read_map();
	assert_false(overlap(0, 1));
	assert_true(overlap(1, 2));
	assert_false(overlap(0, 2));
}

static void two_chips(void **state)
{
	mtd_tree_add("sys", "platform/nand/mtd", 0, "rootfs", 0, 1024 * KIB);
	mtd_tree_add("sys", "pci/spi0/mtd", 1, "boot", 0, 1024 * KIB);
	mtd_tree_add("sys", "pci/spi1/mtd", 2, "whole", NO_OFFSET, 1024 * KIB);
	read_map();
	assert_false(overlap(0, 1));
	assert_false(overlap(0, 2));
	assert_false(overlap(1, 2));
}

/* Simulated chips have no bus: better one use too many seen than one too few. */
static void chips_that_sysfs_does_not_tell_apart(void **state)
{
	mtd_tree_add("sys", "virtual/mtd", 0, "one", 0, 1024 * KIB);
	mtd_tree_add("sys", "virtual/mtd", 1, "two", 0, 1024 * KIB);
	mtd_tree_add("sys", "virtual/mtd", 2, "ram", NO_OFFSET, 1024 * KIB);
	read_map();
	assert_true(overlap(0, 1));
	assert_false(overlap(0, 2)); /* a whole chip is nobody's part */
}

static void large_chips(void **state)
{
	mtd_tree_add("sys", "platform/nand/mtd", 0, "low", 0, 4096ll * KIB * KIB);
	mtd_tree_add("sys", "platform/nand/mtd", 1, "high", 4096ll * KIB * KIB, 4096 * KIB);
	read_map();
	assert_true(mtd_map_find(&map, 1)->offset == 1ull << 32);
	assert_false(overlap(0, 1));
}

static void other_entries(void **state)
{
	mtd_tree_add("sys", "platform/nand/mtd", 7, "rootfs", 0, 1024 * KIB);
	write_text(temp_path("sys/class/mtd/mtdblock3/size"), "1\n");
	write_text(temp_path("sys/class/mtd/mtd/size"), "1\n");
	write_text(temp_path("sys/class/mtd/mtd3x/size"), "1\n");
	write_text(temp_path("sys/class/mtd/xmtd3/size"), "1\n");
	read_map();
	assert_int_equal(map.count, 1);
	assert_int_equal(map.place[0].number, 7);
}

static void no_flash(void **state)
{
	write_text(temp_path("sys/class/mtd/keep"), "");
	read_map();
	assert_int_equal(map.count, 0);
	assert_int_equal(mtd_map_read(&map, temp_path("none"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "none/class/mtd: cannot list the flash: No such file");
}

static void expect_unfit(const char *what)
{
	assert_int_equal(mtd_map_read(&map, temp_path("sys"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, what);
}

static void devices_that_tell_too_little(void **state)
{
	mtd_tree_add("sys", "platform/nand/mtd", 0, "rootfs", 0, 1024 * KIB);
	assert_int_equal(unlink(temp_path("sys/devices/platform/nand/mtd/mtd0/size")), 0);
	expect_unfit("mtd0: has no name or no size");
	write_text(temp_path("sys/devices/platform/nand/mtd/mtd0/size"), "1024\n");
	read_map();
	assert_int_equal(unlink(temp_path("sys/devices/platform/nand/mtd/mtd0/name")), 0);
	expect_unfit("mtd0: has no name or no size");
	assert_int_equal(symlink("../../devices/nowhere", temp_path("sys/class/mtd/mtd1")), 0);
	write_text(temp_path("sys/devices/platform/nand/mtd/mtd0/name"), "rootfs\n");
	expect_unfit("mtd1: cannot tell what it is");
}

static void many_devices(void **state)
{
	for (int i = 0; i < MTD_MAP_MAX; i++)
		mtd_tree_add("sys", "platform/nand/mtd", i, "part", i * KIB, KIB);
	read_map();
	assert_int_equal(map.count, MTD_MAP_MAX);
	assert_int_equal(mtd_map_find(&map, 63)->offset, 63 * KIB);
	mtd_tree_add("sys", "platform/nand/mtd", 64, "part", 64 * KIB, KIB);
	expect_unfit("more than 64 MTD devices");
}

static void numbers_of_devices(void **state)
{
	static const char *const others[] = { "",      "mtd",   "mtd3ro", "mtdblock3", "ubi0_1",
					      "mtd-1", "mtd 1", "xmtd1",  "mtd3 ",     "sda" };

	assert_int_equal(mtd_number("mtd0"), 0);
	assert_int_equal(mtd_number("mtd12"), 12);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(mtd_number(others[i]), -1);
}

static void what_ubi_is_on(void **state)
{
	const char *sys = temp_path("sys");

	write_text(temp_path("sys/class/ubi/version"), "1\n");
	write_text(temp_path("sys/class/ubi/ubi1/mtd_num"), "5\n");
	write_text(temp_path("sys/class/ubi/ubi1_0/name"), "rootfs\n");
	assert_int_equal(mtd_under("ubi1", sys), 5);
	assert_int_equal(mtd_under("ubi1_0", sys), 5);
	assert_int_equal(mtd_under("ubi0_0", sys), -1);
	assert_int_equal(mtd_under("ubi_ctrl", sys), -1);
	assert_int_equal(mtd_under("ubiblock1_0", sys), -1);
	assert_int_equal(mtd_under("mtd7", sys), 7);
	assert_int_equal(mtd_under("sda", sys), -1);
}

#define map_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		map_test(partitions_of_one_chip),
		map_test(partitions_that_meet),
		map_test(partitioned_master),
		map_test(partitions_of_different_depth),
		map_test(kernel_without_offsets),
		map_test(two_chips),
		map_test(chips_that_sysfs_does_not_tell_apart),
		map_test(large_chips),
		map_test(other_entries),
		map_test(no_flash),
		map_test(devices_that_tell_too_little),
		map_test(many_devices),
		map_test(what_ubi_is_on),
		cmocka_unit_test(numbers_of_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
