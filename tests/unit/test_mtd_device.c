// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake_mtd.h"
#include "helpers.h"
#include "mtd_device.h"

static const struct fake_mtd kind = {
	.name = "rootfs",
	.type = "nand",
	.size = 4 << 20,
	.eraseblock = 128 << 10,
	.page = 2 << 10,
	.subpage = 512,
};

static struct fake_mtd chip, other;
static struct mtd_device device;
static struct fault f;
static unsigned int fds;

static int setup(void **state)
{
	fds = count_fds();
	if (temp_dir_make(state) < 0)
		return -1;
	fake_mtd_init();
	return 0;
}

static int teardown(void **state)
{
	fake_mtd_free();
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static void start_over(void **state)
{
	assert_int_equal(teardown(state), 0);
	assert_int_equal(setup(state), 0);
}

static void add(struct fake_mtd *d, const char *name, int number)
{
	*d = kind;
	d->name = name;
	fake_mtd_add(d, number);
}

static void attribute(const char *name, const char *text)
{
	write_text(temp_path("sys/class/mtd/mtd%d/%s", chip.number, name), text);
}

static void finds(const char *wanted, int number)
{
	int found = -1;

	if (mtd_device_find(wanted, &found, &f) < 0)
		fail_msg("%s: %s", wanted, f.text);
	assert_int_equal(found, number);
}

static void not_found(const char *wanted, const char *why)
{
	int number;

	memset(&f, 0, sizeof(f));
	assert_int_equal(mtd_device_find(wanted, &number, &f), -1);
	assert_fault(&f, FAULT_UNFIT, why);
}

static void reads(int number)
{
	if (mtd_device_read(&device, number, &f) < 0)
		fail_msg("mtd%d: %s", number, f.text);
	assert_int_equal(device.number, number);
}

static void not_read(const char *why)
{
	memset(&f, 0, sizeof(f));
	assert_int_equal(mtd_device_read(&device, chip.number, &f), -1);
	assert_fault(&f, FAULT_UNFIT, why);
}

static void finds_by_name(void **state)
{
	add(&other, "kernel", 0);
	add(&chip, "rootfs", 12);
	finds("rootfs", 12);
	finds("kernel", 0);
}

static void finds_by_number(void **state)
{
	add(&other, "kernel", 0);
	add(&chip, "rootfs", 12);
	finds("12", 12);
	finds("mtd12", 12);
	finds("/dev/mtd12", 12);
	finds("0", 0);
	finds("mtd0", 0);
}

/* One named like another one's number is meant by that name; its node's name stays a node's. */
static void name_goes_first(void **state)
{
	static const char *const names[] = { "3", "mtd3", "mtd3ro", "mtdblock3", "/dev/mtd3" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		add(&other, "kernel", 3);
		add(&chip, "rootfs", 7);
		attribute("name", names[i]);
		finds(names[i], 7);
		start_over(state);
	}
	add(&other, "kernel", 3);
	add(&chip, "rootfs", 7);
	attribute("name", "mtd3\n");
	finds("/dev/mtd3", 3);
	finds("3", 3);
}

static void two_of_one_name(void **state)
{
	add(&other, "rootfs", 5);
	add(&chip, "rootfs", 4);
	not_found("rootfs", "mtd4 and mtd5 are both named rootfs: give the number");
	assert_int_equal(f.err, 0);
	finds("mtd5", 5);
	finds("4", 4);
}

static void no_such_partition(void **state)
{
	static const char *const names[] = {
		"root",
		"rootfs2",
		"Rootfs",
		"",
		"03",
		"-3",
		"+3",
		" 3",
		"3 ",
		"0x3",
		"mtd",
		"mtd03",
		"mtd3x",
		"mtd3ror",
		"/dev/mtd",
		"/dev/3",
		"/dev/",
		"/dev/mtd/3",
		"/mtd3",
		"mtdmtd3",
		"mtd-3",
		"3ro",
		"block3",
		"/dev/block3",
		"mtd3/../mtd3",
		"524288",
		"4294967299",
		"18446744073709551619",
		"99999999999999999999999",
	};

	add(&chip, "rootfs", 3);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "no MTD partition is named %s;", names[i]);
		not_found(names[i], want);
	}
	not_found("4", "there is no mtd4 (/proc/mtd lists");
	assert_int_equal(f.err, ENOENT);
	not_found("/dev/mtd524287", "there is no mtd524287 ");
}

static void wrong_node(void **state)
{
	add(&chip, "rootfs", 3);
	not_found("/dev/mtd3ro", "/dev/mtd3ro is for reading only: give mtd3");
	not_found("mtd3ro", "mtd3ro is for reading only: give mtd3");
	not_found("/dev/mtdblock3", "goes through a cache");
	not_found("mtdblock3", "knows no bad eraseblocks: give mtd3");
}

static void no_sysfs(void **state)
{
	not_found("rootfs", "is /sys mounted?");
	assert_int_equal(f.err, ENOENT);
	write_text(temp_path("sys/class/mtd/uevent"), "");
	not_found("rootfs", "no MTD partition is named rootfs");
}

/* A name of the kernel's may be longer than any that can be asked for. */
static void long_name(void **state)
{
	char name[301] = "";

	memset(name, 'x', 300);
	add(&chip, "rootfs", 3);
	add(&other, "kernel", 4);
	attribute("name", name);
	finds("kernel", 4);
	finds("3", 3);
	reads(3);
	assert_int_equal(strlen(device.name), sizeof(device.name) - 1);
	not_found(name, "no MTD partition is named xxx");
}

/* Others that come and go while the names are compared do not matter. */
static void other_vanishes(void **state)
{
	int found = 0;

	add(&chip, "rootfs", 3);
	add(&other, "kernel", 4);
	for (int n = 0, calls = 0; calls < 2; n++) {
		const char *failed;
		int number, result;

		fake_mtd_fail(n, ENODEV);
		result = mtd_device_find("rootfs", &number, &f);
		failed = fake_mtd_failed();
		fake_mtd_fail(-1, 0);
		if (!failed || strcmp(failed, "read") != 0)
			continue;
		calls++;
		found += result == 0;
		if (result < 0)
			assert_fault(&f, FAULT_UNFIT, "no MTD partition is named rootfs");
	}
	assert_int_equal(found, 1);
}

static void describes(void **state)
{
	add(&chip, "rootfs", 3);
	reads(3);
	assert_string_equal(device.name, "rootfs");
	assert_true(device.nand);
	assert_false(device.nor);
	assert_true(device.writable);
	assert_int_equal(device.size, 4 << 20);
	assert_int_equal(device.eraseblock, 128 << 10);
	assert_int_equal(device.page, 2 << 10);
	assert_int_equal(device.subpage, 512);
	attribute("size", "5368709120\n");
	reads(3);
	assert_int_equal(device.size, 5ull << 30);
}

static void knows_types(void **state)
{
	static const struct {
		const char *type;
		bool nand, nor;
	} types[] = {
		{ "nand\n", true, false },
		{ "mlc-nand\n", true, false },
		{ "nor\n", false, true },
		{ "ram\n", false, false },
		{ "rom\n", false, false },
		{ "dataflash\n", false, false },
		{ "ubi\n", false, false },
		{ "absent\n", false, false },
		{ "nandnandnandnandnandnand\n", false, false },
		{ "", false, false },
	};

	add(&chip, "rootfs", 3);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		attribute("type", types[i].type);
		reads(3);
		assert_int_equal(device.nand, types[i].nand);
		assert_int_equal(device.nor, types[i].nor);
	}
}

static void knows_what_is_writable(void **state)
{
	add(&chip, "rootfs", 3);
	attribute("flags", "0x2800\n"); /* others than that */
	reads(3);
	assert_false(device.writable);
	attribute("flags", "0x2c00\n");
	reads(3);
	assert_true(device.writable);
}

static void numbers_that_cannot_be(void **state)
{
	static const struct {
		const char *attribute, *text, *why;
	} wrong[] = {
		{ "size", "9223372036854775808\n",
		  "mtd3: its size cannot be \"9223372036854775808\"" },
		{ "size", "-1\n", "mtd3: its size cannot be" },
		{ "size", "99999999999999999999999\n", "mtd3: its size cannot be" },
		{ "size", "\n", "mtd3: its size cannot be \"\"" },
		{ "size", "", "mtd3: its size cannot be \"\"" },
		{ "size", "4194304 \n", "mtd3: its size cannot be" },
		{ "size", "4 MiB\n", "mtd3: its size cannot be" },
		{ "erasesize", "4294967296\n", "mtd3: its erasesize cannot be \"4294967296\"" },
		{ "writesize", "x\n", "mtd3: its writesize cannot be \"x\"" },
		{ "subpagesize", "?\n", "mtd3: its subpagesize cannot be \"?\"" },
		{ "flags", "0xg\n", "mtd3: its flags cannot be" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		add(&chip, "rootfs", 3);
		attribute(wrong[i].attribute, wrong[i].text);
		not_read(wrong[i].why);
		assert_int_equal(f.err, 0);
		start_over(state);
	}
}

static void vanishes(void **state)
{
	static const char *const attributes[] = { "name",      "type",      "flags",      "size",
						  "erasesize", "writesize", "subpagesize" };

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		char want[64];

		add(&chip, "rootfs", 3);
		assert_int_equal(unlink(temp_path("sys/class/mtd/mtd3/%s", attributes[i])), 0);
		(void)snprintf(want, sizeof(want), "mtd3: cannot read its %s: No such file",
			       attributes[i]);
		not_read(want);
		assert_int_equal(f.err, ENOENT);
		start_over(state);
	}
}

static void every_call_fails(void **state)
{
	int n = 0;

	add(&chip, "rootfs", 3);
	for (;; n++) {
		const char *failed;
		int result;

		fake_mtd_fail(n, EIO);
		result = mtd_device_read(&device, 3, &f);
		failed = fake_mtd_failed();
		fake_mtd_fail(-1, 0);
		if (!failed || strcmp(failed, "close") == 0)
			assert_int_equal(result, 0);
		if (!failed)
			break;
		if (strcmp(failed, "close") == 0)
			continue;
		assert_int_equal(result, -1);
		assert_fault(&f, FAULT_UNFIT, "mtd3: cannot read its ");
		assert_int_equal(f.err, EIO);
	}
	assert_int_equal(n, 7 * 3); /* open, read, close */
}

#define device_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(finds_by_name),
		device_test(finds_by_number),
		device_test(name_goes_first),
		device_test(two_of_one_name),
		device_test(no_such_partition),
		device_test(wrong_node),
		device_test(no_sysfs),
		device_test(long_name),
		device_test(other_vanishes),
		device_test(describes),
		device_test(knows_types),
		device_test(knows_what_is_writable),
		device_test(numbers_that_cannot_be),
		device_test(vanishes),
		device_test(every_call_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
