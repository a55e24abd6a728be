// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "helpers.h"
#include "mtd_tree.h"
#include "ubi.h"
#include "ubi_attach.h"

static struct targets t;
static bool went[8], removed[8][8]; /* UBI devices, and ubiblocks on their volumes */
static bool busy;
static bool breaks_off; /* the list of a folder */
static struct fault f;

int __wrap_ubi_detach(int number, struct fault *fault)
{
	if (busy)
		return fault_set(fault, FAULT_BUSY, "cannot detach ubi%d", number);
	went[number] = true;
	return 0;
}

int __wrap_ubi_block_remove(const char *volume, struct fault *fault)
{
	int number, id;

	assert_int_equal(sscanf(volume, "ubi%d_%d", &number, &id), 2);
	if (busy)
		return fault_set(fault, FAULT_BUSY, "cannot remove ubiblock");
	removed[number][id] = true;
	return 0;
}

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir)
{
	struct dirent *e = __real_readdir(dir);

	if (e || !breaks_off)
		return e;
	errno = EIO;
	return NULL;
}

static void attach(int number, const char *mtd)
{
	write_text(temp_path("sys/class/ubi/ubi%d/mtd_num", number), mtd);
	for (int id = 0; id < 2; id++) {
		write_text(temp_path("sys/class/ubi/ubi%d_%d/name", number, id), "volume\n");
		write_text(temp_path("sys/block/ubiblock%d_%d/size", number, id), "8\n");
	}
}

/* mtd0 and mtd1 side by side, mtd2 covers both, mtd3 is beside them; ubi0 on mtd0, ubi3 on mtd3. */
static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	memset(&t, 0, sizeof(t));
	memset(went, 0, sizeof(went));
	memset(removed, 0, sizeof(removed));
	busy = breaks_off = false;
	mtd_tree_add("sys", "platform/nand/mtd", 0, "rootfs", 0, 0x10000);
	mtd_tree_add("sys", "platform/nand/mtd", 1, "data", 0x10000, 0x10000);
	mtd_tree_add("sys", "platform/nand/mtd", 2, "both", 0, 0x20000);
	mtd_tree_add("sys", "platform/nand/mtd", 3, "other", 0x20000, 0x10000);
	write_text(temp_path("sys/class/ubi/version"), "1\n");
	attach(0, "0\n");
	attach(3, "3\n");
	return 0;
}

static void add(const char *device)
{
	(void)snprintf(t.device[t.count++], sizeof(t.device[0]), "%s", device);
}

static void expect(unsigned int gone, int left)
{
	unsigned int count = 77;

	assert_int_equal(ubi_let_go(&t, temp_path("sys"), &count, &f), left);
	assert_int_equal(count, gone);
}

static void what_the_target_is_on(void **state)
{
	add("mtd0");
	expect(3, 0);
	assert_true(went[0] && removed[0][0] && removed[0][1]);
	assert_false(went[3] || removed[3][0] || removed[3][1]);
}

static void what_shares_flash_with_it(void **state)
{
	add("sda");
	add("mtd2");
	expect(3, 0);
	assert_true(went[0]);
	assert_false(went[3]);
}

static void what_is_beside_it_stays(void **state)
{
	add("mtd1");
	add("sda1");
	expect(0, 0);
}

/* Its UBI is what it is written through; other volumes of it may stay in use. */
static void a_volume(void **state)
{
	add("ubi0_1");
	add("mtd3");
	expect(4, 0);
	assert_true(removed[0][1] && went[3]);
	assert_false(went[0] || removed[0][0]);
}

static void a_volume_that_is_yet_to_be_made(void **state)
{
	add("ubi0");
	expect(0, 0);
}

static void what_holds_on_is_counted(void **state)
{
	add("mtd0");
	busy = true;
	expect(0, 3);
	assert_fault(&f, FAULT_BUSY, "cannot ");
}

static void kernel_without_ubi(void **state)
{
	unsigned int gone = 77;

	add("mtd0");
	assert_int_equal(ubi_let_go(&t, temp_path("none"), &gone, &f), 0);
	assert_int_equal(gone, 0);
}

static void what_cannot_be_listed_is_not_done(void **state)
{
	unsigned int gone;

	breaks_off = true;
	add("mtd0");
	assert_int_equal(ubi_let_go(&t, temp_path("sys"), &gone, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot list");
}

#define ubi_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ubi_test(what_the_target_is_on),
		ubi_test(what_shares_flash_with_it),
		ubi_test(what_is_beside_it_stays),
		ubi_test(a_volume),
		ubi_test(a_volume_that_is_yet_to_be_made),
		ubi_test(what_holds_on_is_counted),
		ubi_test(kernel_without_ubi),
		ubi_test(what_cannot_be_listed_is_not_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
