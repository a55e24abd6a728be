// SPDX-License-Identifier: GPL-2.0-or-later
/* Over a folder with what Linux 6.1 has in /sys/class/ubi. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helpers.h"
#include "sysfs.h"
#include "ubi_device.h"

static const char *attribute; /* reading it fails so: */
static int read_errno;

int __real_sysfs_read(const char *path, char *text, size_t size);
int __wrap_sysfs_read(const char *path, char *text, size_t size)
{
	const char *slash = strrchr(path, '/');

	assert_int_equal(strncmp(path, "/sys/class/ubi/", 15), 0);
	if (attribute && strcmp(slash + 1, attribute) == 0) {
		errno = read_errno;
		return -1;
	}
	return __real_sysfs_read(temp_path("%s", path + 1), text, size);
}

static struct fault f;
static struct ubi_device d;
static struct ubi_volume v;

static void set(const char *of, const char *name, const char *value)
{
	char line[160];

	(void)snprintf(line, sizeof(line), "%s\n", value);
	write_text(temp_path("sys/class/ubi/%s/%s", of, name), line);
}

static void add_device(const char *name, const char *mtd, const char *node)
{
	set(name, "dev", node);
	set(name, "mtd_num", mtd);
	set(name, "total_eraseblocks", "111");
	set(name, "avail_eraseblocks", "100");
	set(name, "eraseblock_size", "126976");
	set(name, "min_io_size", "2048");
	set(name, "volumes_count", "1");
	set(name, "max_vol_count", "128");
}

static void add_volume(const char *entry, const char *name, const char *type)
{
	set(entry, "dev", "253:6");
	set(entry, "name", name);
	set(entry, "type", type);
	set(entry, "alignment", "1");
	set(entry, "reserved_ebs", "5");
	set(entry, "usable_eb_size", "126976");
	set(entry, "data_bytes", "300001");
	set(entry, "corrupted", "0");
	set(entry, "upd_marker", "0");
}

static int setup(void **state)
{
	attribute = NULL;
	if (temp_dir_make(state) < 0)
		return -1;
	write_text(temp_path("sys/class/ubi/version"), "1\n");
	add_device("ubi0", "7", "253:0");
	add_device("ubi31", "4", "252:0");
	add_volume("ubi31_5", "rootfs", "static");
	add_volume("ubi31_127", "data", "dynamic");
	memset(&d, 0xaa, sizeof(d));
	memset(&v, 0xaa, sizeof(v));
	return 0;
}

static void find_device(void)
{
	assert_int_equal(ubi_device_find(&d, 4, &f), 1);
}

static void device(void **state)
{
	find_device();
	assert_int_equal(d.number, 31);
	assert_int_equal(d.node, makedev(252, 0));
	assert_int_equal(d.total, 111);
	assert_int_equal(d.available, 100);
	assert_int_equal(d.eraseblock, 126976);
	assert_int_equal(d.page, 2048);
	assert_int_equal(d.volumes, 1);
	assert_int_equal(d.volumes_max, 128);
	assert_int_equal(ubi_device_find(&d, 7, &f), 1);
	assert_int_equal(d.number, 0);
}

static void full_device(void **state)
{
	set("ubi31", "avail_eraseblocks", "0");
	set("ubi31", "volumes_count", "0");
	find_device();
	assert_int_equal(d.available, 0);
	assert_int_equal(d.volumes, 0);
}

static void no_device(void **state)
{
	assert_int_equal(ubi_device_find(&d, 0, &f), 0);
	assert_int_equal(ubi_device_find(&d, 9, &f), 0);
	/* Neither has a kernel without UBI. */
	assert_int_equal(rename(temp_path("sys"), temp_path("none")), 0);
	assert_int_equal(ubi_device_find(&d, 4, &f), 0);
}

static void volume(void **state)
{
	find_device();
	assert_int_equal(ubi_volume_find(&v, &d, "rootfs", &f), 1);
	assert_int_equal(v.id, 5);
	assert_int_equal(v.node, makedev(253, 6));
	assert_true(v.is_static);
	assert_false(v.corrupted);
	assert_false(v.updating);
	assert_int_equal(v.alignment, 1);
	assert_int_equal(v.blocks, 5);
	assert_int_equal(v.eraseblock, 126976);
	assert_int_equal(v.data_bytes, 300001);
	assert_int_equal(ubi_volume_find(&v, &d, "data", &f), 1);
	assert_int_equal(v.id, 127);
	assert_false(v.is_static);
	set("ubi31_127", "corrupted", "1");
	assert_int_equal(ubi_volume_find(&v, &d, "data", &f), 1);
	assert_true(v.corrupted);
	assert_false(v.updating);
	set("ubi31_127", "corrupted", "0");
	set("ubi31_127", "upd_marker", "1");
	set("ubi31_127", "data_bytes", "5000000000");
	assert_int_equal(ubi_volume_find(&v, &d, "data", &f), 1);
	assert_false(v.corrupted);
	assert_true(v.updating);
	assert_int_equal(v.data_bytes, 5000000000);
}

static void no_volume(void **state)
{
	char longest[128];

	find_device();
	assert_int_equal(ubi_volume_find(&v, &d, "root", &f), 0);
	assert_int_equal(ubi_volume_find(&v, &d, "rootfs2", &f), 0);
	assert_int_equal(ubi_volume_find(&v, &d, "", &f), 0);
	(void)snprintf(longest, sizeof(longest), "%0127d", 1);
	assert_int_equal(ubi_volume_find(&v, &d, longest, &f), 0);
	set("ubi31_127", "name", longest);
	assert_int_equal(ubi_volume_find(&v, &d, longest, &f), 1);
	/* A volume of another device is not one of this. */
	assert_int_equal(ubi_device_find(&d, 7, &f), 1);
	assert_int_equal(ubi_volume_find(&v, &d, "rootfs", &f), 0);
}

static void has_gone(void **state)
{
	static const int gone[] = { ENOENT, ENODEV };

	find_device();
	for (int i = 0; i < 2; i++) {
		read_errno = gone[i];
		attribute = "mtd_num";
		assert_int_equal(ubi_device_find(&d, 4, &f), 0);
		attribute = "name";
		assert_int_equal(ubi_volume_find(&v, &d, "rootfs", &f), 0);
	}
}

/* Every attribute: cannot be read, or is nonsense. */
static void unreadable(void **state)
{
	static const char *const of_device[] = {
		"mtd_num",     "dev",           "total_eraseblocks", "avail_eraseblocks",
		"min_io_size", "volumes_count", "max_vol_count",     "eraseblock_size",
	};
	static const char *const of_volume[] = {
		"name",       "type",      "dev",        "alignment",      "reserved_ebs",
		"data_bytes", "corrupted", "upd_marker", "usable_eb_size",
	};

	find_device();
	read_errno = EIO;
	for (size_t i = 0; i < sizeof(of_volume) / sizeof(of_volume[0]); i++) {
		attribute = of_volume[i];
		assert_int_equal(ubi_volume_find(&v, &d, "rootfs", &f), -1);
		assert_fault(&f, FAULT_UNFIT, "in sysfs: Input/output error");
		assert_fault(&f, FAULT_UNFIT, attribute);
		assert_fault(&f, FAULT_UNFIT, "ubi31_");
		assert_int_equal(f.err, EIO);
	}
	for (size_t i = 0; i < sizeof(of_device) / sizeof(of_device[0]); i++) {
		attribute = of_device[i];
		assert_int_equal(ubi_device_find(&d, 4, &f), -1);
		assert_fault(&f, FAULT_UNFIT, "in sysfs: Input/output error");
		assert_fault(&f, FAULT_UNFIT, attribute);
		assert_int_equal(f.err, EIO);
	}
}

static void nonsense_in(const char *of, const char *name, const char *was, bool may_be_nothing)
{
	static const char *const texts[] = {
		"", "x", "1 2", "5x", "-1", "99999999999999999999", "10000000000000000000", "0",
	};
	char wanted[64];

	(void)snprintf(wanted, sizeof(wanted), "%s: its %s cannot be \"", of, name);
	for (size_t i = 0; i < 7u + !may_be_nothing; i++) {
		int result;

		set(of, name, texts[i]);
		result = ubi_device_find(&d, 4, &f);
		if (result > 0)
			result = ubi_volume_find(&v, &d, "rootfs", &f);
		assert_int_equal(result, -1);
		assert_fault(&f, FAULT_UNFIT, wanted);
		assert_fault(&f, FAULT_UNFIT, texts[i]);
		assert_int_equal(f.err, 0);
	}
	set(of, name, was);
}

static void nonsense(void **state)
{
	nonsense_in("ubi0", "mtd_num", "7", true);
	nonsense_in("ubi31", "total_eraseblocks", "111", true);
	nonsense_in("ubi31", "avail_eraseblocks", "100", true);
	nonsense_in("ubi31", "eraseblock_size", "126976", false);
	nonsense_in("ubi31", "min_io_size", "2048", false);
	nonsense_in("ubi31", "volumes_count", "1", true);
	nonsense_in("ubi31", "max_vol_count", "128", true);
	nonsense_in("ubi31_5", "alignment", "1", false);
	nonsense_in("ubi31_5", "reserved_ebs", "5", false);
	nonsense_in("ubi31_5", "usable_eb_size", "126976", false);
	nonsense_in("ubi31_5", "data_bytes", "1", true);
	nonsense_in("ubi31_5", "corrupted", "0", true);
	nonsense_in("ubi31_5", "upd_marker", "0", true);
	set("ubi31_5", "alignment", "2147483648");
	assert_int_equal(ubi_volume_find(&v, &d, "rootfs", &f), -1);
	set("ubi31_5", "alignment", "2147483647");
	assert_int_equal(ubi_volume_find(&v, &d, "rootfs", &f), 1);
}

#define ubi_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ubi_test(device),     ubi_test(full_device), ubi_test(no_device),
		ubi_test(volume),     ubi_test(no_volume),   ubi_test(has_gone),
		ubi_test(unreadable), ubi_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
