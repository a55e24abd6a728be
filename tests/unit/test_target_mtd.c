// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fake_mtd.h"
#include "helpers.h"
#include "target_mtd.h"

#define KIB (1u << 10)
#define MIB (1u << 20)
#define GIB (1ull << 30)

/* As a 2 KiB page with 1-bit ECC has it: the free bytes are in pieces, not in ascending order. */
static const struct nand_ecclayout_user in_pieces = {
	.oobavail = 22,
	.oobfree = { { 35, 3 }, { 2, 4 }, { 50, 15 } },
};

static const struct fake_mtd nand_chip = {
	.name = "rootfs",
	.type = "nand",
	.size = 4 * MIB,
	.eraseblock = 128 * KIB,
	.page = 2 * KIB,
	.subpage = 512,
	.layout = in_pieces,
};

static const struct fake_mtd nor_chip = {
	.name = "rootfs",
	.type = "nor",
	.size = MIB,
	.eraseblock = 64 * KIB,
	.page = 1,
};

/* With a boot sector. */
static const struct fake_mtd mixed_chip = {
	.name = "rootfs",
	.type = "nor",
	.size = MIB,
	.eraseblock = 64 * KIB,
	.page = 1,
	.regions = 2,
	.region = { { 0, 8 * KIB, 8, 0 }, { 64 * KIB, 64 * KIB, 15, 1 } },
};

static struct fake_mtd chip, other;
static struct target *t;
static struct fault f;
static unsigned int fds;

static int setup(void **state)
{
	fds = count_fds();
	t = NULL;
	memset(&f, 0, sizeof(f));
	if (temp_dir_make(state) < 0)
		return -1;
	memset(&chip, 0, sizeof(chip));
	fake_mtd_init();
	return 0;
}

static int teardown(void **state)
{
	target_close(t);
	assert_int_equal(chip.breaches, 0);
	fake_mtd_free();
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static void add(const struct fake_mtd *kind, int number)
{
	chip = *kind;
	fake_mtd_add(&chip, number);
}

static void add_other(const char *name, int number)
{
	other = nand_chip;
	other.name = name;
	fake_mtd_add(&other, number);
}

static void open_chip(enum target_mode mode)
{
	target_close(t);
	t = NULL;
	if (target_open_mtd(&t, "rootfs", mode, NULL, &f) < 0)
		fail_msg("%s", f.text);
}

static void refused(const char *name, enum target_mode mode, const char *why)
{
	struct target *none = NULL;

	target_close(t);
	t = NULL;
	memset(&f, 0, sizeof(f));
	assert_int_equal(target_open_mtd(&none, name, mode, NULL, &f), -1);
	assert_null(none);
	assert_fault(&f, FAULT_UNFIT, why);
	assert_int_equal(count_fds(), fds);
}

static void attribute(const char *name, const char *text)
{
	write_text(temp_path("sys/class/mtd/mtd%d/%s", chip.number, name), text);
}

/* A machine without any, again. */
static void start_over(void **state)
{
	target_close(t);
	t = NULL;
	assert_int_equal(chip.breaches, 0);
	fake_mtd_free();
	assert_int_equal(temp_dir_remove(state), 0);
	assert_int_equal(temp_dir_make(state), 0);
}

/* A partition is found and described */

static void finds(const char *wanted, int number)
{
	int found = -1;

	target_close(t);
	t = NULL;
	if (target_open_mtd(&t, wanted, TARGET_LOOK, &found, &f) < 0)
		fail_msg("%s: %s", wanted, f.text);
	assert_int_equal(found, number);
}

/* test_mtd_device.c knows more of that. */
static void finds_the_right_one(void **state)
{
	char name[101] = "";

	add_other("mtd12", 0);
	add(&nand_chip, 12);
	finds("rootfs", 12);
	assert_string_equal(t->name, "rootfs");
	assert_string_equal(t->device, "mtd12");
	finds("mtd12", 0);
	assert_string_equal(t->name, "mtd12");
	finds("/dev/mtd12", 12);
	refused("root", TARGET_LOOK, "no MTD partition is named root;");
	memset(name, 'x', 100);
	attribute("name", name);
	finds("12", 12);
	assert_int_equal(strlen(t->name), 63);
}

static void nand_geometry(void **state)
{
	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->medium, MEDIUM_NAND);
	assert_int_equal(t->size, 4 * MIB);
	assert_int_equal(t->blocks, 32);
	assert_int_equal(t->eraseblock, 128 * KIB);
	assert_int_equal(t->page, 2 * KIB);
	assert_int_equal(t->subpage, 512);
	assert_int_equal(t->regions, 1);
	assert_non_null(t->ops->mark_bad);
	assert_non_null(t->ops->read_oob);
	assert_non_null(t->ops->write_oob);
	assert_null(t->ops->sync);
	assert_null(t->ops->update);
	assert_int_equal(chip.unlocks + chip.lock_questions, 0);
	assert_false(t->one_write);
	attribute("type", "mlc-nand\n");
	open_chip(TARGET_LOOK);
	assert_true(t->one_write);
	assert_int_equal(t->medium, MEDIUM_NAND);
}

static void odd_subpage(void **state)
{
	add(&nand_chip, 3);
	attribute("subpagesize", "0\n");
	open_chip(TARGET_LOOK);
	assert_int_equal(t->subpage, 2 * KIB);
	attribute("subpagesize", "768\n");
	open_chip(TARGET_LOOK);
	assert_int_equal(t->subpage, 2 * KIB);
	attribute("subpagesize", "4096\n");
	open_chip(TARGET_LOOK);
	assert_int_equal(t->subpage, 2 * KIB);
}

static void nor_geometry(void **state)
{
	static const char *const types[] = { "nor\n", "ram\n", "dataflash\n" };
	static const char *const others[] = { "rom\n", "ubi\n", "absent\n", "unknown\n" };

	add(&nor_chip, 3);
	attribute("subpagesize", "0\n"); /* means nothing there */
	chip.missing = MEMGETBADBLOCK;
	chip.missing_errno = EIO;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		attribute("type", types[i]);
		open_chip(TARGET_WRITE);
		assert_int_equal(t->medium, MEDIUM_NOR);
		assert_int_equal(t->page, 1);
		assert_int_equal(t->subpage, 1);
		assert_int_equal(t->blocks, 16);
		assert_null(t->ops->mark_bad);
		assert_null(t->ops->read_oob);
		assert_null(t->ops->write_oob);
		assert_int_equal(t->ops->is_bad(t, 0, &f), 0); /* and is not asked */
		assert_int_equal(chip.unlocks, 1);             /* the NOR's */
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		attribute("type", others[i]);
		refused("3", TARGET_WRITE, "is not flash that can be erased");
	}
}

static void makes_no_sense(void **state)
{
	static const struct {
		const char *attribute, *text;
	} wrong[] = {
		{ "erasesize", "0\n" },
		{ "writesize", "0\n" },
		{ "writesize", "3000\n" },
		{ "writesize", "262144\n" },
		{ "size", "131071\n" },
		{ "size", "0\n" },
		{ "size", "9223372036854775807\n" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		add(&nand_chip, 3);
		attribute(wrong[i].attribute, wrong[i].text);
		refused("rootfs", TARGET_LOOK, "mtd3 (rootfs) is not flash that can be erased");
		start_over(state);
	}
}

static void write_protected(void **state)
{
	add(&nand_chip, 3);
	attribute("flags", "0x0\n");
	refused("rootfs", TARGET_WRITE, "mtd3 (rootfs) is write-protected");
	refused("rootfs", TARGET_LOOK, "take out \"ro\"");
	attribute("flags", "0x400\n");
	open_chip(TARGET_WRITE);
	chip.read_only = true; /* since */
	refused("rootfs", TARGET_WRITE, "/dev/mtd3 (rootfs): cannot open: Permission denied");
	assert_int_equal(f.err, EACCES);
}

static void vanishes(void **state)
{
	struct ecc_counts counts;
	uint8_t byte;

	add(&nand_chip, 3);
	chip.open_errno = ENODEV;
	refused("rootfs", TARGET_WRITE, "/dev/mtd3 (rootfs): cannot open: No such device");
	assert_int_equal(f.err, ENODEV);
	chip.open_errno = 0;
	open_chip(TARGET_WRITE);
	fake_mtd_fail(0, ENODEV);
	assert_int_equal(t->ops->read(t, 0, 0, &byte, 1, &f), -1);
	assert_fault(&f, FAULT_FLASH, "rootfs: cannot read eraseblock 0 at byte 0");
	assert_int_equal(f.err, ENODEV);
	fake_mtd_fail(0, ENODEV);
	assert_int_equal(t->ops->ecc(t, &counts, &f), -1);
	assert_int_equal(f.err, ENODEV);
}

/* Such as `cp image /dev/mtd3` makes where there is no devtmpfs, or a mknod gone wrong. */
static void node_is_something_else(void **state)
{
	add(&nand_chip, 3);
	chip.is_file = true;
	refused("rootfs", TARGET_WRITE, "mknod /dev/mtd3 c 90 6");
	chip.is_file = false;
	chip.is_other = true;
	refused("rootfs", TARGET_LOOK, "/dev/mtd3 (rootfs) is not the device");
}

static void opens_as_asked(void **state)
{
	int fd;

	add(&nand_chip, 3);
	for (fd = 3; fcntl(fd, F_GETFD) >= 0; fd++)
		;
	open_chip(TARGET_LOOK);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	open_chip(TARGET_WRITE);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* What is done to it */

/* Erases, programs, reads and marks one eraseblock, and looks for it in the chip at offset. */
static void use_block(uint32_t eb, uint64_t offset)
{
	uint32_t size = target_block_size(t, eb), part = t->page < 512 ? 512 : t->page;
	const struct fake_block *block = fake_mtd_block(&chip, offset);
	uint8_t *data = malloc(size), *back = malloc(size);

	assert_true(data && back);
	fill_random(data, size, eb + 1);
	assert_int_equal(target_block_offset(t, eb), offset);
	assert_int_equal(t->ops->is_bad(t, eb, &f), 0);
	assert_int_equal(t->ops->erase(t, eb, &f), 0);
	assert_int_equal(chip.last_offset, offset);
	assert_null(block->cells);
	assert_int_equal(t->ops->program(t, eb, 0, data, part, &f), 0);
	assert_int_equal(chip.last_offset, offset);
	if (size > part)
		assert_int_equal(t->ops->program(t, eb, part, data + part, size - part, &f), 0);
	assert_memory_equal(block->cells, data, size);
	assert_int_equal(t->ops->read(t, eb, 0, back, size, &f), 0);
	assert_memory_equal(back, data, size);
	assert_int_equal(t->ops->read(t, eb, size - 1, back, 1, &f), 0);
	assert_int_equal(chip.last_offset, offset + size - 1);
	assert_int_equal(back[0], data[size - 1]);
	assert_int_equal(t->ops->erase(t, eb, &f), 0);
	assert_null(block->cells);
	assert_int_equal(t->ops->read(t, eb, 0, back, size, &f), 0);
	for (uint32_t i = 0; i < size; i++)
		assert_int_equal(back[i], 0xff);
	if (t->ops->mark_bad) {
		assert_int_equal(t->ops->mark_bad(t, eb, &f), 0);
		assert_int_equal(chip.last_offset, offset);
		assert_true(block->bad);
		assert_int_equal(t->ops->is_bad(t, eb, &f), 1);
	}
	free(data);
	free(back);
}

static void use_geometry(void **state, uint32_t page, uint32_t eraseblock)
{
	start_over(state);
	chip = nand_chip;
	chip.page = page;
	chip.subpage = page / 4;
	chip.eraseblock = eraseblock;
	chip.size = 4ull * eraseblock;
	fake_mtd_add(&chip, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->page, page);
	assert_int_equal(t->subpage, page / 4);
	assert_int_equal(t->blocks, 4);
	use_block(0, 0);
	use_block(3, 3ull * eraseblock);
	assert_int_equal(chip.breaches, 0);
}

static void geometries(void **state)
{
	for (uint32_t page = 512; page <= 16 * KIB; page *= 2)
		for (uint32_t eb = 4 * KIB; eb <= 4 * MIB; eb *= 2)
			if (eb >= page)
				use_geometry(state, page, eb);
}

static void dataflash_geometry(void **state)
{
	static const struct fake_mtd dataflash = {
		.name = "rootfs",
		.type = "dataflash",
		.size = 1024 * 1056,
		.eraseblock = 1056,
		.page = 1056,
	};

	add(&dataflash, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->medium, MEDIUM_NOR);
	assert_int_equal(t->blocks, 1024);
	assert_int_equal(chip.unlocks, 0);
	use_block(0, 0);
	use_block(1023, 1023 * 1056);
}

static void subpages(void **state)
{
	uint8_t data[512], back[512];

	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	fill_random(data, sizeof(data), 1);
	for (uint32_t at = 0; at < 2 * t->page; at += t->subpage) {
		assert_int_equal(t->ops->program(t, 2, at, data, t->subpage, &f), 0);
		assert_int_equal(t->ops->read(t, 2, at, back, t->subpage, &f), 0);
		assert_memory_equal(back, data, t->subpage);
	}
}

static void five_gib(void **state)
{
	static const uint64_t at[] = {
		0,
		2 * GIB - 128 * KIB,
		2 * GIB,
		4 * GIB - 128 * KIB,
		4 * GIB,
		4 * GIB + 128 * KIB,
		5 * GIB - 128 * KIB,
	};
	static const uint8_t marker[8] = { 0x85, 0x19, 0x03, 0x20, 8, 0, 0, 0 };
	uint8_t back[8];

	chip = nand_chip;
	chip.size = 5 * GIB;
	fake_mtd_add(&chip, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->size, 5 * GIB);
	assert_int_equal(t->blocks, 40960);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint32_t eb = (uint32_t)(at[i] / (128 * KIB));

		assert_int_equal(t->ops->write_oob(t, eb, 0, marker, sizeof(marker), &f), 0);
		assert_int_equal(chip.last_offset, at[i]);
		assert_int_equal(t->ops->read_oob(t, eb, 0, back, sizeof(back), &f), 0);
		assert_int_equal(chip.last_offset, at[i]);
		assert_memory_equal(back, marker, sizeof(marker));
		assert_int_equal(t->ops->write_oob(t, eb, 2048, marker, sizeof(marker), &f), 0);
		assert_int_equal(chip.last_offset, at[i] + 2048);
		assert_int_equal(t->ops->read_oob(t, eb, 63 * 2048, back, sizeof(back), &f), 0);
		assert_int_equal(chip.last_offset, at[i] + 63 * 2048);
		use_block(eb, at[i]);
	}
	for (uint32_t eb = 0; eb < t->blocks; eb++) { /* and no other */
		size_t i = 0;

		while (i < sizeof(at) / sizeof(at[0]) && at[i] != (uint64_t)eb * 128 * KIB)
			i++;
		assert_int_equal(chip.block[eb].bad, i < sizeof(at) / sizeof(at[0]));
		assert_null(chip.block[eb].cells);
	}
}

/* What counts is what the next boot finds: in whichever page of the eraseblock the chip has it. */
static void marks_are_looked_for_on_flash(void **state)
{
	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	for (uint32_t i = 0; i < 3; i++) {
		chip.mark_page = i < 2 ? i : chip.eraseblock / chip.page - 1;
		assert_int_equal(t->ops->mark_bad(t, 5 + i, &f), 0);
	}
	chip.mark_page = 2; /* where nobody puts it */
	assert_int_equal(t->ops->mark_bad(t, 8, &f), 1);
	chip.mark_page = 0;
	chip.mark_hidden = true;
	assert_int_equal(t->ops->mark_bad(t, 9, &f), 1);
	assert_true(chip.block[9].bad);
}

/* The kernel says that it failed: with EIO its table in RAM has the mark, and flash may have it. */
static void marks_that_fail(void **state)
{
	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	chip.missing = MEMSETBADBLOCK;
	chip.missing_errno = EIO;
	chip.block[5].bad = chip.block[6].bad = true;
	chip.block[6].oob[0] = 0xff;
	assert_int_equal(t->ops->mark_bad(t, 5, &f), -1);
	assert_fault(&f, FAULT_FLASH, "cannot mark eraseblock 5 as bad but in RAM: reboot before");
	assert_int_equal(f.err, ENOTRECOVERABLE);
	assert_int_equal(t->ops->mark_bad(t, 6, &f), 0);
	chip.missing_errno = EROFS;
	assert_int_equal(t->ops->mark_bad(t, 6, &f), -1);
	assert_fault(&f, FAULT_FLASH, "rootfs: cannot mark eraseblock 6 as bad: ");
	assert_int_equal(f.err, EROFS);
}

static void bad_blocks(void **state)
{
	uint32_t good, eb = 0;
	uint64_t bytes;

	add(&nand_chip, 3);
	chip.block[0].bad = chip.block[31].bad = true;
	open_chip(TARGET_LOOK);
	assert_int_equal(target_good_blocks(t, &good, &bytes, &f), 0);
	assert_int_equal(good, 30);
	assert_int_equal(target_next_good(t, &eb, &f), 1);
	assert_int_equal(eb, 1);
	assert_int_equal(t->ops->mark_bad(t, 5, &f), -1);
	assert_fault(&f, FAULT_FLASH, "rootfs: cannot mark eraseblock 5 as bad");
	assert_int_equal(f.err, EPERM); /* it was only to be looked at */
	assert_false(chip.block[5].bad);
	chip.missing = MEMGETBADBLOCK;
	chip.missing_errno = EOPNOTSUPP;
	assert_int_equal(t->ops->is_bad(t, 0, &f), 0);
	chip.missing_errno = ENOTTY;
	assert_int_equal(t->ops->is_bad(t, 0, &f), -1);
	assert_fault(&f, FAULT_FLASH, "cannot tell whether eraseblock 0 is bad");
}

static void ecc_counts(void **state)
{
	struct ecc_counts counts;

	add(&nand_chip, 3);
	chip.ecc = (struct mtd_ecc_stats){ .corrected = 5, .failed = UINT32_MAX, .badblocks = 7 };
	open_chip(TARGET_LOOK);
	assert_int_equal(t->ops->ecc(t, &counts, &f), 0);
	assert_int_equal(counts.corrected, 5);
	assert_int_equal(counts.failed, UINT32_MAX);
	chip.missing = ECCGETSTATS;
	for (int i = 0; i < 2; i++) {
		chip.missing_errno = i == 0 ? ENOTTY : EOPNOTSUPP;
		assert_int_equal(t->ops->ecc(t, &counts, &f), 0);
		assert_int_equal(counts.corrected | counts.failed, 0);
	}
	chip.missing_errno = EIO;
	assert_int_equal(t->ops->ecc(t, &counts, &f), -1);
	assert_fault(&f, FAULT_FLASH, "rootfs: cannot read the ECC statistics: Input/output");
}

static void short_transfers(void **state)
{
	uint8_t data[4096], back[4096];

	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	fill_random(data, sizeof(data), 1);
	assert_int_equal(t->ops->program(t, 1, 0, data, sizeof(data), &f), 0);
	chip.transfer_max = 1000;
	assert_int_equal(t->ops->read(t, 1, 0, back, sizeof(back), &f), 0);
	assert_memory_equal(back, data, sizeof(data));
	chip.ended = true;
	errno = EIO; /* from before: not the eraseblock's fault now */
	assert_int_equal(t->ops->read(t, 1, 100, back, sizeof(back), &f), -1);
	assert_fault(&f, FAULT_FLASH, "rootfs: cannot read eraseblock 1 at byte 100");
	assert_int_equal(f.err, ENODATA);
	errno = EIO;
	assert_int_equal(t->ops->program(t, 2, 0, data, sizeof(data), &f), -1);
	assert_fault(&f, FAULT_FLASH, "eraseblock 2 took 1000 of 4096 bytes at byte 0");
	assert_int_equal(f.err, ENOSPC);
}

/* Regions */

static void use_regions(void **state, unsigned int count, const struct region_info_user *region,
			uint64_t size)
{
	start_over(state);
	chip = mixed_chip;
	chip.size = size;
	chip.regions = count;
	memcpy(chip.region, region, count * sizeof(*region));
	fake_mtd_add(&chip, 3);
}

static void boot_sectors(void **state)
{
	static const struct region_info_user top[] = { { 0, 64 * KIB, 15, 0 },
						       { 15 * 64 * KIB, 8 * KIB, 8, 0 } };

	add(&mixed_chip, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->regions, 2);
	assert_int_equal(t->blocks, 23);
	assert_int_equal(t->size, MIB);
	assert_int_equal(t->eraseblock, 64 * KIB);
	assert_int_equal(target_block_size(t, 7), 8 * KIB);
	for (uint32_t eb = 0; eb < 23; eb++)
		use_block(eb, eb < 8 ? 8 * KIB * eb : 64 * KIB * (eb - 7));
	use_regions(state, 2, top, MIB);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->blocks, 23);
	for (uint32_t eb = 0; eb < 23; eb++)
		use_block(eb, eb < 15 ? 64 * KIB * eb : 8 * KIB * (eb + 15 * 7));
}

/* One region is none, and two chips of one kind have one. */
static void same_regions(void **state)
{
	struct region_info_user region[FAKE_REGIONS] = { { 0, 64 * KIB, 16, 0 } };

	use_regions(state, 1, region, MIB);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->regions, 1);
	for (uint32_t i = 0; i < FAKE_REGIONS; i++)
		region[i] = (struct region_info_user){ i * MIB, 64 * KIB, 16, 0 };
	use_regions(state, FAKE_REGIONS, region, FAKE_REGIONS * MIB);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->regions, 1);
	assert_int_equal(t->blocks, 256);
	use_block(255, 255 * 64 * KIB);
}

static void many_regions(void **state)
{
	struct region_info_user region[FAKE_REGIONS];
	uint32_t at = 0;

	for (uint32_t i = 0; i < FAKE_REGIONS; i++) {
		uint32_t size = i % 2 ? 8 * KIB : 64 * KIB;

		region[i] = (struct region_info_user){ at, size, 64 * KIB / size, 0 };
		at += 64 * KIB;
	}
	use_regions(state, TARGET_REGIONS_MAX, region, TARGET_REGIONS_MAX * 64 * KIB);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->regions, TARGET_REGIONS_MAX);
	use_regions(state, TARGET_REGIONS_MAX + 1, region, (TARGET_REGIONS_MAX + 1) * 64 * KIB);
	refused("rootfs", TARGET_LOOK, "changes more than 7 times");
}

static void large_regions(void **state)
{
	static const struct region_info_user region[] = {
		{ 0, 128 * KIB, 36864, 0 },        /* 4.5 GiB */
		{ 512 * MIB, 256 * KIB, 2048, 0 }, /* at 4.5 GiB, in 32 bits */
	};

	use_regions(state, 2, region, 5 * GIB);
	open_chip(TARGET_WRITE);
	assert_int_equal(t->size, 5 * GIB);
	use_block(36863, 36863ull * 128 * KIB);
	use_block(36864, 36864ull * 128 * KIB);
	use_block(38911, 5 * GIB - 256 * KIB);
}

static void wrong_regions(void **state)
{
	static const struct {
		struct region_info_user region[2];
		uint64_t size;
		const char *why;
	} wrong[] = {
		{ { { 0, 8 * KIB, 8, 0 }, { 65537, 64 * KIB, 15, 0 } },
		  MIB,
		  "region 1, 65536 bytes" },
		{ { { 4096, 8 * KIB, 8, 0 }, { 64 * KIB, 64 * KIB, 15, 0 } }, MIB, "region 0" },
		{ { { 0, 8 * KIB, 7, 0 }, { 56 * KIB, 64 * KIB, 15, 0 } },
		  MIB,
		  "not whole eraseb" },
		{ { { 0, 8 * KIB, 8, 0 }, { 64 * KIB, 0, 15, 0 } }, MIB, "region 1, 0 bytes" },
		{ { { 0, 8 * KIB, 8, 0 }, { 64 * KIB, 64 * KIB, 14, 0 } },
		  MIB,
		  "its erase regions have 983040 of 1048576 bytes" },
		{ { { 0, 0, 0, 0 }, { 0, 64 * KIB, 16, 0 } }, MIB, "region 0, 0 bytes" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		use_regions(state, 2, wrong[i].region, wrong[i].size);
		refused("rootfs", TARGET_LOOK, wrong[i].why);
	}
	use_regions(state, 2, mixed_chip.region, MIB);
	attribute("writesize", "16384\n");
	refused("rootfs", TARGET_LOOK, "region 0");
}

/* Locks */

static void unlocks(void **state)
{
	add(&nor_chip, 3);
	for (uint32_t eb = 0; eb < chip.blocks; eb++)
		chip.block[eb].locked = true;
	open_chip(TARGET_LOOK);
	assert_int_equal(chip.unlocks + chip.lock_questions, 0);
	open_chip(TARGET_WRITE);
	assert_int_equal(chip.unlocks, 1);
	assert_int_equal(chip.unlocked.start, 0);
	assert_int_equal(chip.unlocked.length, MIB);
	assert_int_equal(chip.lock_questions, 16);
	use_block(15, 15 * 64 * KIB);
}

static void unlocks_regions(void **state)
{
	add(&mixed_chip, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(chip.unlocked.length, MIB);
	assert_int_equal(chip.lock_questions, 23);
}

static void stays_locked(void **state)
{
	add(&nor_chip, 3);
	chip.stays_locked = true;
	chip.block[15].locked = true;
	refused("rootfs", TARGET_WRITE, "rootfs: eraseblock 15 is locked and cannot be unlocked");
	chip.missing = MEMUNLOCK;
	chip.missing_errno = EOPNOTSUPP;
	refused("rootfs", TARGET_WRITE, "rootfs: eraseblock 15 is locked");
	chip.block[15].locked = false;
	open_chip(TARGET_WRITE);
}

static void no_locks(void **state)
{
	add(&nor_chip, 3);
	chip.missing = MEMISLOCKED;
	for (int i = 0; i < 2; i++) {
		chip.missing_errno = i == 0 ? ENOTTY : EOPNOTSUPP;
		open_chip(TARGET_WRITE);
	}
	chip.missing_errno = EIO;
	refused("rootfs", TARGET_WRITE, "cannot tell whether eraseblock 0 is locked: Input/output");
	assert_int_equal(f.err, EIO);
}

/* 32 bits are not enough: nothing is unlocked at a wrong place. */
static void locks_of_giants(void **state)
{
	chip = nor_chip;
	chip.size = 5 * GIB;
	fake_mtd_add(&chip, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(chip.unlocks + chip.lock_questions, 0);
	start_over(state);
	chip.size = 3 * GIB;
	fake_mtd_add(&chip, 3);
	open_chip(TARGET_WRITE);
	assert_int_equal(chip.unlocks, 1);
	assert_int_equal(chip.unlocked.length, 3 * GIB);
	assert_int_equal(chip.lock_questions, 3 * GIB / (64 * KIB));
}

/* OOB */

/* Where the driver itself would put free byte n (MTD_OPS_AUTO_OOB). */
static uint32_t free_byte(uint32_t n)
{
	const struct nand_oobfree *piece = chip.layout.oobfree;

	for (; n >= piece->length; piece++)
		n -= piece->length;
	return piece->offset + n;
}

static void oob(void **state)
{
	uint8_t data[22], back[22];

	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	fill_random(data, sizeof(data), 1);
	for (uint32_t len = 1; len <= sizeof(data); len++) {
		const struct fake_block *block = &chip.block[len];
		unsigned int touched = 0;

		assert_int_equal(t->ops->read_oob(t, len, 0, back, len, &f), 0);
		for (uint32_t i = 0; i < len; i++)
			assert_int_equal(back[i], 0xff);
		assert_int_equal(t->ops->write_oob(t, len, 0, data, len, &f), 0);
		for (uint32_t i = 0; i < len; i++)
			assert_int_equal((uint8_t)~block->oob[free_byte(i)], data[i]);
		for (uint32_t i = 0; i < FAKE_OOB; i++)
			touched += block->oob[i] != 0;
		assert_in_range(touched, 1, len); /* no byte of ECC or of the bad-block mark */
		assert_int_equal(t->ops->read_oob(t, len, 0, back, len, &f), 0);
		assert_memory_equal(back, data, len);
	}
}

static void little_oob(void **state)
{
	static const struct nand_ecclayout_user layouts[] = {
		{ .oobfree = { { 2, 7 } } },
		{ .oobfree = { { 0, 0 } } },
		{ .oobfree = { { 4096, 8 } } },
		{ .oobfree = { { 4090, 8 } } },
		{ .oobfree = { { UINT32_MAX, 8 } } },
		{ .oobfree = { { 2, 4 }, { UINT32_MAX - 3, 4 } } },
		{ .oobfree = { { 5000, 4 }, { 2, 8 } } }, /* the first four are out of reach */
	};
	uint8_t bytes[8] = { 0 };

	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		chip.layout = layouts[i];
		assert_int_equal(t->ops->read_oob(t, 2, 0, bytes, sizeof(bytes), &f), -1);
		assert_fault(&f, FAULT_FLASH, "8 free bytes in eraseblock 2's OOB");
		assert_int_equal(f.err, EOPNOTSUPP);
		assert_int_equal(t->ops->write_oob(t, 2, 0, bytes, sizeof(bytes), &f), -1);
		assert_fault(&f, FAULT_FLASH, "cannot write 8 free bytes in eraseblock 2's OOB");
		assert_int_equal(f.err, EOPNOTSUPP);
	}
	chip.layout = (struct nand_ecclayout_user){ .oobfree = { { 0, UINT32_MAX } } };
	assert_int_equal(t->ops->read_oob(t, 2, 0, bytes, 4097, &f), -1);
	assert_int_equal(f.err, EOPNOTSUPP);
}

/* The ioctl tells of eight pieces, and that is enough. */
static void scattered_oob(void **state)
{
	static const uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t back[8];

	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	for (uint32_t i = 0; i < 8; i++)
		chip.layout.oobfree[i] = (struct nand_oobfree){ 200 - 20 * i, 1 };
	assert_int_equal(t->ops->write_oob(t, 0, 0, data, 8, &f), 0);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal((uint8_t)~chip.block[0].oob[200 - 20 * i], data[i]);
	assert_int_equal(t->ops->read_oob(t, 0, 0, back, 8, &f), 0);
	assert_memory_equal(back, data, 8);
	assert_int_equal(t->ops->read_oob(t, 0, 0, back, 9, &f), -1);
	assert_int_equal(f.err, EOPNOTSUPP);
	/* what is not needed does not matter */
	chip.layout =
		(struct nand_ecclayout_user){ .oobfree = { { 9, 8 }, { 5000, 4 }, { 2, 4 } } };
	assert_int_equal(t->ops->write_oob(t, 1, 0, data, 8, &f), 0);
	assert_int_equal((uint8_t)~chip.block[1].oob[9 + 7], 8);
	back[7] = 99;
	assert_int_equal(t->ops->read_oob(t, 1, 0, back, 7, &f), 0);
	assert_int_equal(back[6], 7);
	assert_int_equal(back[7], 99);
}

static void oob_goes_wrong(void **state)
{
	static const struct {
		unsigned long missing;
		int given, wanted;
	} cases[] = {
		{ ECCGETLAYOUT, ENOTTY, EOPNOTSUPP },
		{ ECCGETLAYOUT, EOPNOTSUPP, EOPNOTSUPP },
		{ ECCGETLAYOUT, EIO, EIO },
		{ MEMREADOOB64, EIO, EIO },
		{ MEMREADOOB64, EOPNOTSUPP, EOPNOTSUPP },
		{ MEMWRITEOOB64, EIO, EIO },
		{ MEMWRITEOOB64, EROFS, EROFS },
	};
	uint8_t bytes[8] = { 0 };

	add(&nand_chip, 3);
	open_chip(TARGET_WRITE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		chip.missing = cases[i].missing;
		chip.missing_errno = cases[i].given;
		if (cases[i].missing != MEMWRITEOOB64) {
			assert_int_equal(t->ops->read_oob(t, 1, 0, bytes, 8, &f), -1);
			assert_int_equal(f.err, cases[i].wanted);
		}
		if (cases[i].missing != MEMREADOOB64) {
			assert_int_equal(t->ops->write_oob(t, 1, 0, bytes, 8, &f), -1);
			assert_int_equal(f.err, cases[i].wanted);
		}
	}
	chip.missing = 0;
	chip.oob_short = true;
	errno = EIO;
	assert_int_equal(t->ops->read_oob(t, 1, 0, bytes, 8, &f), -1);
	assert_int_equal(f.err, ENODATA);
	errno = EIO;
	assert_int_equal(t->ops->write_oob(t, 1, 0, bytes, 8, &f), -1);
	assert_int_equal(f.err, ENODATA);
}

/* Every call fails once */

static bool looking_for_mark;

/* Uses all there is; returns -1 at the first fault. *opened says how far it came. */
static int use_all(bool *opened)
{
	static uint8_t data[8192];
	struct ecc_counts counts;
	int number;

	*opened = false;
	if (target_open_mtd(&t, "3", TARGET_WRITE, &number, &f) < 0)
		return -1;
	*opened = true;
	if (t->ops->is_bad(t, 9, &f) < 0 || t->ops->erase(t, 9, &f) < 0 ||
	    t->ops->program(t, 9, 0, data, sizeof(data), &f) < 0 ||
	    t->ops->read(t, 9, 0, data, sizeof(data), &f) < 0 || t->ops->ecc(t, &counts, &f) < 0)
		return -1;
	if (!t->ops->write_oob)
		return 0;
	if (t->ops->write_oob(t, 8, 0, data, 8, &f) < 0 ||
	    t->ops->read_oob(t, 8, 0, data, 8, &f) < 0)
		return -1;
	looking_for_mark = true;
	return t->ops->mark_bad(t, 8, &f) < 0 ? -1 : 0;
}

/*
 * These may fail: nothing was written that close() could lose, and MEMISLOCKED has the last word. A
 * device that vanishes while the names are compared is none that is looked for.
 */
static bool may_fail(const char *call, int err)
{
	if (err == ENODEV && (strcmp(call, "open") == 0 || strcmp(call, "read") == 0))
		return true;
	if (looking_for_mark && strcmp(call, "MEMREADOOB64") == 0)
		return true; /* then it is said not to be seen */
	return strcmp(call, "close") == 0 || strcmp(call, "MEMUNLOCK") == 0;
}

/* Lets each call fail in turn; returns how many there are. */
static int sweep(int err)
{
	for (int n = 0;; n++) {
		const char *failed;
		bool opened;
		int result;

		memset(&f, 0, sizeof(f));
		memset(chip.block[8].oob, 0, sizeof(chip.block[8].oob));
		looking_for_mark = false;
		fake_mtd_fail(n, err);
		result = use_all(&opened);
		target_close(t);
		t = NULL;
		failed = fake_mtd_failed();
		fake_mtd_fail(-1, 0);
		assert_int_equal(count_fds(), fds);
		if (!failed) {
			assert_int_equal(result, 0);
			return n;
		}
		if (result == 0 && may_fail(failed, err))
			continue;
		if (result == 0)
			fail_msg("%s failed, call %d, and nobody noticed", failed, n);
		assert_fault(&f, opened ? FAULT_FLASH : FAULT_UNFIT, strerror(err));
		if (err == EIO && strcmp(failed, "MEMSETBADBLOCK") == 0)
			assert_int_equal(f.err, ENOTRECOVERABLE);
		else
			assert_int_equal(f.err, err);
		if (opened)
			assert_non_null(strstr(f.text, "rootfs: "));
	}
}

static void every_call_fails(void **state)
{
	static const struct fake_mtd *const kinds[] = { &nand_chip, &nor_chip, &mixed_chip };
	static const int least[] = { 53, 64, 73 };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		add(kinds[i], 3);
		add_other("kernel", 4);
		assert_in_range(sweep(EIO), least[i], 2 * least[i]);
		assert_in_range(sweep(ENODEV), least[i], 2 * least[i]);
		start_over(state);
	}
}

static int saved_stderr = -1;

static int close_stderr(void **state)
{
	if (setup(state) < 0)
		return -1;
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	(void)close(STDERR_FILENO);
	fds = count_fds();
	return saved_stderr < 0 ? -1 : 0;
}

static int reopen_stderr(void **state)
{
	int result = teardown(state);

	if (dup2(saved_stderr, STDERR_FILENO) < 0)
		return -1;
	(void)close(saved_stderr);
	return result;
}

/* No verdict changes, and what is meant for stderr never goes into flash. */
static void without_stderr(void **state)
{
	add(&nand_chip, 3);
	add_other("kernel", 4);
	assert_in_range(sweep(EIO), 54, 108); /* and fcntl() */
	open_chip(TARGET_WRITE);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFD), -1);
	use_block(1, 128 * KIB);
}

#define mtd_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		mtd_test(finds_the_right_one),
		mtd_test(nand_geometry),
		mtd_test(odd_subpage),
		mtd_test(nor_geometry),
		mtd_test(makes_no_sense),
		mtd_test(write_protected),
		mtd_test(vanishes),
		mtd_test(node_is_something_else),
		mtd_test(opens_as_asked),
		mtd_test(geometries),
		mtd_test(dataflash_geometry),
		mtd_test(subpages),
		mtd_test(five_gib),
		mtd_test(bad_blocks),
		mtd_test(marks_are_looked_for_on_flash),
		mtd_test(marks_that_fail),
		mtd_test(ecc_counts),
		mtd_test(short_transfers),
		mtd_test(boot_sectors),
		mtd_test(same_regions),
		mtd_test(many_regions),
		mtd_test(large_regions),
		mtd_test(wrong_regions),
		mtd_test(unlocks),
		mtd_test(unlocks_regions),
		mtd_test(stays_locked),
		mtd_test(no_locks),
		mtd_test(locks_of_giants),
		mtd_test(oob),
		mtd_test(little_oob),
		mtd_test(scattered_oob),
		mtd_test(oob_goes_wrong),
		mtd_test(every_call_fails),
		cmocka_unit_test_setup_teardown(without_stderr, close_stderr, reopen_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
