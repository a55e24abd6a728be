// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulator itself: it lets through what flash lets through, and notices every breach. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "simflash.h"

static const uint32_t bad_one[] = { 1 };
static const struct sim_geometry nand = { SIM_NAND, 4096, 512, 4, bad_one, 1 };
static const struct sim_geometry nor = { SIM_NOR, 4096, 1, 4, NULL, 0 };

static struct sim_board board;
static uint8_t data[4096];
static struct fault f;

static int setup(void **state)
{
	sim_board_init(&board);
	fill_random(data, sizeof(data), 1);
	return 0;
}

static int teardown(void **state)
{
	sim_board_free(&board);
	return 0;
}

static int erase(struct sim_chip *c, uint32_t eb)
{
	return c->target.ops->erase(&c->target, eb, &f);
}

static int program(struct sim_chip *c, uint32_t eb, uint32_t offset, uint32_t len)
{
	return c->target.ops->program(&c->target, eb, offset, data + offset, len, &f);
}

static int read_back(struct sim_chip *c, uint32_t eb, uint8_t *buf)
{
	return c->target.ops->read(&c->target, eb, 0, buf, c->target.eraseblock, &f);
}

static uint32_t ecc_failed(struct sim_chip *c)
{
	struct ecc_counts counts;

	assert_int_equal(c->target.ops->ecc(&c->target, &counts, &f), 0);
	return counts.failed;
}

static void expect_breach(const char *what)
{
	assert_int_equal(board.breaches, 1);
	if (!strstr(board.breach, what))
		fail_msg("\"%s\" does not speak of \"%s\"", board.breach, what);
}

static void keeps_what_is_programmed(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t buf[4096];

	assert_int_equal(erase(c, 2), 0);
	assert_int_equal(program(c, 2, 0, 1024), 0);
	assert_int_equal(program(c, 2, 2048, 512), 0); /* leaving pages out is fine */
	assert_int_equal(read_back(c, 2, buf), 0);
	assert_memory_equal(buf, data, 1024);
	assert_memory_equal(buf + 2048, data + 2048, 512);
	assert_int_equal(buf[1024], 0xff);
	assert_int_equal(board.breaches, 0);
	assert_int_equal(ecc_failed(c), 0);
	assert_int_equal(c->block[2].erased, 1);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), 2);
	assert_int_equal(board.ops, 5);
}

static void nand_page_twice(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(program(c, 0, 0, 512), 0);
	assert_int_equal(program(c, 0, 0, 512), 0);
	expect_breach("twice");
}

static void nand_pages_backwards(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(program(c, 0, 1024, 512), 0);
	assert_int_equal(program(c, 0, 0, 512), 0);
	expect_breach("out of order");
}

static void part_of_a_page(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(program(c, 0, 0, 100), 0);
	expect_breach("not whole pages");
}

static void bits_set_by_programming(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nor);
	uint8_t buf[4096];

	assert_int_equal(program(c, 0, 0, 4096), 0);
	assert_int_equal(program(c, 0, 0, 4096), 0); /* NOR: the same bits again are fine */
	assert_int_equal(board.breaches, 0);
	memset(data, 0x5a, sizeof(data));
	assert_int_equal(program(c, 0, 0, 4096), 0);
	expect_breach("sets bits");
	assert_int_equal(read_back(c, 0, buf), 0);
	assert_int_equal(buf[0] & ~0x5a, 0);
}

static void blank_page_programmed(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	memset(data + 512, 0xff, 512);
	assert_int_equal(program(c, 0, 0, 1536), 0);
	expect_breach("blank page");
}

static void bad_block_erased(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(c->target.ops->is_bad(&c->target, 1, &f), 1);
	assert_int_equal(c->target.ops->is_bad(&c->target, 2, &f), 0);
	assert_int_equal(erase(c, 1), -1);
	expect_breach("bad");
}

static void bad_block_programmed(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(program(c, 1, 0, 512), -1);
	expect_breach("bad");
}

static void beyond_the_end(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(erase(c, 4), -1);
	expect_breach("outside");
}

static void planned_failures(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	sim_plan_fault(&board, 0, SIM_REFUSE);
	sim_plan_fault(&board, 1, SIM_FAIL);
	assert_int_equal(program(c, 0, 0, 4096), -1);
	assert_true(sim_is_blank(c, 0));
	assert_false(sim_faults_happened(&board));
	assert_int_equal(program(c, 0, 0, 4096), -1);
	assert_fault(&f, FAULT_FLASH, "program fails");
	assert_true(sim_faults_happened(&board));
	assert_false(sim_is_blank(c, 0));
	assert_memory_equal(sim_cells(c, 0), data, 2048);
	assert_memory_not_equal(sim_cells(c, 0) + 2048, data + 2048, 512);
	assert_int_equal(sim_cells(c, 0)[4095], 0xff);
	assert_int_equal(erase(c, 0), 0);
	assert_true(sim_is_blank(c, 0));
}

static void torn_pages_read_as_uncorrectable(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t one[4096], two[4096];

	sim_plan_fault(&board, 0, SIM_FAIL);
	assert_int_equal(program(c, 0, 0, 4096), -1);
	assert_int_equal(read_back(c, 0, one), 0);
	assert_int_equal(ecc_failed(c), 1);
	memcpy(two, sim_cells(c, 0), 4096);
	assert_memory_not_equal(one, two, 4096);
	assert_memory_equal(one, two, 2048);
}

static void planned_lies_of_reading(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t buf[4096];

	assert_int_equal(program(c, 0, 0, 4096), 0);
	sim_plan_fault(&board, 1, SIM_GARBLE);
	sim_plan_fault(&board, 2, SIM_FLIP);
	sim_plan_fault(&board, 3, SIM_CORRECT);
	assert_int_equal(read_back(c, 0, buf), 0);
	assert_memory_not_equal(buf, data, 4096);
	assert_int_equal(c->ecc.failed, 1);
	assert_int_equal(read_back(c, 0, buf), 0);
	assert_memory_not_equal(buf, data, 4096);
	assert_int_equal(c->ecc.failed, 1);
	assert_int_equal(read_back(c, 0, buf), 0);
	assert_memory_equal(buf, data, 4096);
	assert_int_equal(c->ecc.corrected, 1);
	assert_true(sim_faults_happened(&board));
	sim_plan_fault(&board, 4, SIM_DOUBT);
	assert_int_equal(read_back(c, 0, buf), 0);
	assert_memory_equal(buf, data, 4096);
	assert_int_equal(c->ecc.failed, 2);
	assert_int_equal(read_back(c, 0, buf), 0);
	assert_memory_equal(buf, data, 4096);
}

static void planned_lies_of_changing(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nor);

	sim_plan_fault(&board, 0, SIM_GARBLE);
	sim_plan_fault(&board, 1, SIM_GARBLE);
	assert_int_equal(program(c, 0, 0, 4096), 0);
	assert_memory_not_equal(sim_cells(c, 0), data, 4096);
	assert_int_equal(erase(c, 0), 0);
	assert_false(sim_is_blank(c, 0));
}

static void power_cut(void **state)
{
	struct sim_chip *a = sim_add_chip(&board, "a", &nand), *b = sim_add_chip(&board, "b", &nor);
	uint8_t buf[4096];

	sim_plan_fault(&board, 1, SIM_CUT);
	assert_int_equal(program(a, 0, 0, 512), 0);
	assert_int_equal(program(b, 0, 0, 4096), -1);
	assert_memory_equal(sim_cells(b, 0), data, 2048);
	assert_int_equal(sim_cells(b, 0)[2048], 0xff);
	assert_int_equal(erase(a, 0), -1); /* the other chip is dead as well */
	assert_int_equal(read_back(a, 0, buf), -1);
	assert_memory_equal(sim_cells(a, 0), data, 512);
	sim_power_cycle(&board);
	assert_int_equal(board.ops, 0);
	assert_int_equal(read_back(a, 0, buf), 0);
	assert_memory_equal(buf, data, 512);
}

static void power_cut_around(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	sim_plan_fault(&board, 0, SIM_CUT_BEFORE);
	assert_int_equal(program(c, 0, 0, 4096), -1);
	assert_true(sim_is_blank(c, 0));
	sim_power_cycle(&board);
	sim_plan_fault(&board, 0, SIM_CUT_AFTER);
	assert_int_equal(program(c, 0, 0, 4096), -1);
	assert_memory_equal(sim_cells(c, 0), data, 4096);
}

static void power_cut_while_erasing(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(program(c, 0, 0, 4096), 0);
	sim_plan_fault(&board, 1, SIM_CUT);
	assert_int_equal(erase(c, 0), -1);
	assert_int_equal(sim_cells(c, 0)[0], 0xff);
	assert_memory_equal(sim_cells(c, 0) + 2048, data + 2048, 2048);
	assert_false(sim_is_blank(c, 0));
}

static void power_cut_when_an_erase_has_just_begun(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(program(c, 0, 0, 4096), 0);
	sim_plan_fault(&board, 1, SIM_CUT_EARLY);
	assert_int_equal(erase(c, 0), -1);
	assert_memory_equal(sim_cells(c, 0), data, 4096);
	assert_true(sim_is_readable(c, 0));
	assert_false(sim_is_sound(c, 0));
}

/* It reads blank; to program it is a breach all the same, and to erase it again is the remedy. */
static void power_cut_shortly_before_the_end_of_an_erase(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(program(c, 0, 0, 4096), 0);
	sim_plan_fault(&board, 1, SIM_CUT_LATE);
	assert_int_equal(erase(c, 0), -1);
	assert_true(sim_is_blank(c, 0));
	assert_false(sim_is_sound(c, 0));
	assert_false(sim_block_holds(c, 0, NULL, 0));
	sim_power_cycle(&board);
	assert_int_equal(program(c, 0, 0, 512), 0);
	expect_breach("not completed");
	assert_int_equal(erase(c, 0), 0);
	assert_true(sim_is_sound(c, 0));
}

static void power_cut_while_programming(void **state)
{
	static const enum sim_how ways[] = { SIM_CUT_EARLY, SIM_CUT, SIM_CUT_LATE };
	static const uint32_t whole[] = { 0, 4, 7 };
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	for (size_t i = 0; i < 3; i++) {
		uint32_t at = whole[i] * 512;

		assert_int_equal(erase(c, 0), 0);
		sim_plan_fault(&board, 1, ways[i]);
		assert_int_equal(program(c, 0, 0, 4096), -1);
		assert_memory_equal(sim_cells(c, 0), data, at);
		if (i > 0)
			assert_memory_equal(sim_cells(c, 0) + at, data + at, 256);
		assert_int_equal(sim_cells(c, 0)[at + 256], 0xff);
		assert_false(sim_is_readable(c, 0));
		sim_power_cycle(&board);
	}
	/* A page that was cut early reads blank, and is not. */
	assert_int_equal(erase(c, 0), 0);
	sim_plan_fault(&board, 1, SIM_CUT_EARLY);
	assert_int_equal(program(c, 0, 0, 512), -1);
	sim_power_cycle(&board);
	assert_int_equal(ecc_failed(c), 0);
	assert_int_equal(program(c, 0, 0, 512), 0);
	expect_breach("twice");
}

static void weak_blocks_fail_every_time(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	sim_weaken(c, 2, SIM_PROGRAM, SIM_FAIL, SIM_FOR_EVER);
	for (int i = 0; i < 3; i++) {
		sim_power_cycle(&board);
		assert_int_equal(erase(c, 2), 0);
		assert_int_equal(program(c, 2, 0, 4096), -1);
		assert_int_equal(f.err, EIO);
	}
	assert_int_equal(program(c, 3, 0, 4096), 0);
}

static void weak_blocks_that_recover(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t buf[4096];

	sim_weaken_errno(c, 2, SIM_ERASE, SIM_REFUSE, 2, ENODEV);
	sim_weaken(c, SIM_EVERY_BLOCK, SIM_READ, SIM_FLIP, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(erase(c, 2), i < 2 ? -1 : 0);
		if (i < 2)
			assert_int_equal(f.err, ENODEV);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(read_back(c, 3, buf), 0);
		assert_int_equal(buf[2048], i ? 0xff : 0xfb);
	}
}

/* A fault that lasts begins with the operation it was planned for, and knows only its kind. */
static void planned_weakness(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	sim_plan_weakness(&board, 1, SIM_FAIL, 2);
	assert_int_equal(erase(c, 2), 0);
	assert_int_equal(erase(c, 2), -1);
	assert_int_equal(erase(c, 3), 0);
	assert_true(sim_faults_happened(&board));
	sim_power_cycle(&board);
	assert_int_equal(erase(c, 2), -1);
	assert_int_equal(erase(c, 2), 0);
}

static void snapshots_know_marks_and_weaknesses(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	struct sim_snapshot *s;

	sim_weaken(c, 2, SIM_ERASE, SIM_FAIL, 2);
	s = sim_save(&board);
	assert_int_equal(erase(c, 2), -1);
	assert_false(sim_unchanged(c, s));
	assert_int_equal(erase(c, 2), -1);
	assert_int_equal(c->target.ops->mark_bad(&c->target, 2, &f), 0);
	assert_int_equal(c->target.ops->is_bad(&c->target, 2, &f), 1);
	sim_restore(&board, s);
	assert_true(sim_unchanged(c, s));
	assert_int_equal(c->target.ops->is_bad(&c->target, 2, &f), 0);
	assert_int_equal(erase(c, 2), -1);
	sim_snapshot_free(s);
}

static int mark_bad(struct sim_chip *c, uint32_t eb)
{
	return c->target.ops->mark_bad(&c->target, eb, &f);
}

static void marks_outlive_the_power(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	assert_int_equal(mark_bad(c, 2), 0);
	sim_power_cycle(&board);
	assert_int_equal(c->target.ops->is_bad(&c->target, 2, &f), 1);
	assert_int_equal(board.breaches, 0);
	assert_int_equal(erase(c, 2), -1);
	expect_breach("bad eraseblock 2");
}

static void marks_that_fail(void **state)
{
	static const enum sim_how ways[] = { SIM_REFUSE,    SIM_FAIL, SIM_CUT_BEFORE,
					     SIM_CUT_EARLY, SIM_CUT,  SIM_CUT_LATE,
					     SIM_CUT_AFTER };
	static const bool marked[] = { false, true, false, false, false, true, true };
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	for (size_t i = 0; i < 7; i++) {
		sim_plan_fault(&board, 0, ways[i]);
		assert_int_equal(mark_bad(c, 2), -1);
		assert_int_equal(c->block[2].bad, marked[i]);
		c->block[2].bad = false;
		sim_power_cycle(&board);
	}
	assert_int_equal(mark_bad(c, 1), -1);
	expect_breach("mark_bad of the bad eraseblock 1");
}

static int read_oob(struct sim_chip *c, uint32_t eb, uint8_t *buf, uint32_t len)
{
	return c->target.ops->read_oob(&c->target, eb, 0, buf, len, &f);
}

static int write_oob(struct sim_chip *c, uint32_t eb, uint32_t len)
{
	return c->target.ops->write_oob(&c->target, eb, 0, data, len, &f);
}

static void oob_is_kept_until_the_erase(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t buf[8];

	assert_int_equal(program(c, 2, 0, 512), 0);
	assert_int_equal(write_oob(c, 2, 8), 0); /* after the page's data is fine */
	assert_int_equal(read_oob(c, 2, buf, 8), 0);
	assert_memory_equal(buf, data, 8);
	assert_int_equal(erase(c, 2), 0);
	assert_int_equal(read_oob(c, 2, buf, 8), 0);
	assert_int_equal(buf[0] & buf[7], 0xff);
	assert_int_equal(write_oob(c, 2, 8), 0);
	assert_int_equal(board.breaches, 0);
	assert_int_equal(write_oob(c, 2, 8), 0);
	expect_breach("twice");
}

static void oob_that_is_too_small(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t buf[8];

	sim_set_oob(c, 7);
	assert_true(c->block[1].bad);
	assert_int_equal(read_oob(c, 2, buf, 8), -1);
	assert_int_equal(f.err, EOPNOTSUPP);
	assert_int_equal(write_oob(c, 2, 8), -1);
	assert_int_equal(f.err, EOPNOTSUPP);
	assert_int_equal(write_oob(c, 2, 7), 0);
}

static void torn_oob(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	sim_plan_fault(&board, 0, SIM_FAIL);
	assert_int_equal(write_oob(c, 2, 8), -1);
	assert_memory_equal(sim_oob(c, 2), data, 4);
	assert_int_equal(sim_oob(c, 2)[4], 0xff);
	/* An erase that is cut late has not come to the OOB. */
	sim_plan_fault(&board, 1, SIM_CUT_LATE);
	assert_int_equal(erase(c, 2), -1);
	assert_memory_equal(sim_oob(c, 2), data, 4);
	assert_true(sim_is_blank(c, 2));
}

/* Each page has its own; an erase that is cut in the middle has come to half of them. */
static void oob_of_each_page(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t buf[4];

	for (uint32_t at = 0; at < 4096; at += 512)
		assert_int_equal(c->target.ops->write_oob(&c->target, 2, at, data, 4, &f), 0);
	assert_int_equal(board.breaches, 0);
	sim_plan_fault(&board, 8, SIM_CUT);
	assert_int_equal(erase(c, 2), -1);
	sim_power_cycle(&board);
	for (uint32_t at = 0; at < 4096; at += 512) {
		assert_int_equal(c->target.ops->read_oob(&c->target, 2, at, buf, 4, &f), 0);
		assert_int_equal(memcmp(buf, data, 4) == 0, at >= 2048);
	}
	(void)c->target.ops->write_oob(&c->target, 0, 100, data, 4, &f);
	expect_breach("not a page");
}

static void oob_of_pages_that_are_programmed_once(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	c->target.one_write = true;
	assert_int_equal(write_oob(c, 2, 8), 0);
	expect_breach("programmed once");
}

/* In whichever order: the page cannot be read then. */
static void oob_with_ecc(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	c->oob_has_ecc = true;
	assert_int_equal(program(c, 2, 0, 1024), 0);
	assert_true(sim_is_readable(c, 2));
	assert_int_equal(write_oob(c, 2, 8), 0);
	assert_false(sim_is_readable(c, 2));
	assert_int_equal(erase(c, 2), 0);
	assert_int_equal(write_oob(c, 2, 8), 0);
	assert_true(sim_is_readable(c, 2));
	assert_int_equal(program(c, 2, 0, 1024), 0);
	assert_false(sim_is_readable(c, 2));
}

/* It reads right, but nobody should rely on it, and ECC has to help. */
static void weak_program(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t buf[4096];

	sim_plan_fault(&board, 0, SIM_CUT_WEAK);
	assert_int_equal(program(c, 2, 0, 1024), -1);
	sim_power_cycle(&board);
	assert_int_equal(read_back(c, 2, buf), 0);
	assert_memory_equal(buf, data, 1024);
	assert_int_equal(c->ecc.corrected, 1);
	assert_int_equal(c->ecc.failed, 0);
	assert_false(sim_block_holds(c, 2, data, 1024));
}

static void subpages(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	sim_set_subpage(c, 128);
	for (uint32_t at = 0; at < 512; at += 128)
		assert_int_equal(program(c, 0, at, 128), 0);
	assert_int_equal(program(c, 0, 512, 1024), 0);
	assert_int_equal(program(c, 0, 1664, 256), 0); /* leaving one out */
	assert_int_equal(board.breaches, 0);
	assert_memory_equal(sim_cells(c, 0), data, 512);
	assert_int_equal(program(c, 0, 1536, 128), 0); /* ... cannot be made up for */
	expect_breach("out of order");
}

static void subpage_twice(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	sim_set_subpage(c, 256);
	assert_int_equal(program(c, 0, 256, 256), 0);
	assert_int_equal(program(c, 0, 256, 256), 0);
	expect_breach("twice");
}

static void regions(void **state)
{
	static const struct sim_geometry small = { SIM_NOR, 1024, 1, 4, NULL, 0 };
	struct sim_chip *c = sim_add_chip(&board, "chip", &small);
	uint8_t two[4096];

	sim_add_region(c, 2, 4096);
	assert_int_equal(c->target.blocks, 6);
	assert_int_equal(c->target.size, 3 * 4096);
	fill_random(two, sizeof(two), 2);
	sim_factory_fill(c, two, sizeof(two));
	assert_memory_equal(sim_cells(c, 3), two + 3072, 1024);
	assert_true(sim_holds(c, two, sizeof(two)));
	assert_int_equal(program(c, 5, 0, 4096), 0);
	assert_int_equal(sim_differing(c, two, sizeof(two)), 1);
	assert_memory_equal(c->cells + 8192, data, 4096);
	assert_int_equal(erase(c, 5), 0);
	assert_true(sim_holds(c, two, sizeof(two)));
	assert_int_equal(c->target.ops->read(&c->target, 3, 0, two, 1025, &f), -1);
	expect_breach("outside");
}

static const struct sim_geometry disk = { SIM_BLOCK, 512, 512, 1, NULL, 0 };

static struct sim_chip *add_disk(void)
{
	struct sim_chip *c = sim_add_chip(&board, "disk", &disk);

	sim_add_region(c, 2, 4096);
	sim_add_region(c, 1, 1024);
	assert_null(c->target.ops->erase);
	assert_null(c->target.ops->ecc);
	assert_null(c->target.ops->mark_bad);
	return c;
}

static void disk_sectors_are_replaced(void **state)
{
	struct sim_chip *c = add_disk();
	uint8_t buf[4096];

	for (int i = 0; i < 2; i++) {
		fill_random(data, sizeof(data), 20 + (uint32_t)i);
		assert_int_equal(program(c, 1, 0, 4096), 0);
		assert_int_equal(read_back(c, 1, buf), 0);
		assert_memory_equal(buf, data, 4096);
	}
	assert_false(sim_is_sound(c, 1)); /* not synced yet */
	assert_int_equal(c->target.ops->sync(&c->target, &f), 0);
	assert_true(sim_is_sound(c, 1));
	assert_int_equal(board.breaches, 0);
	assert_int_equal(program(c, 1, 0, 500), 0);
	expect_breach("not whole sectors");
}

/* What was not synced may be lost in any subset; what was, is there. */
static void disk_loses_what_was_not_synced(void **state)
{
	struct sim_chip *c = add_disk();
	uint32_t kept = 0;

	for (board.loss = 0; board.loss < 10; board.loss++) {
		memset(data, 0x11, 4096);
		assert_int_equal(program(c, 1, 0, 4096), 0);
		assert_int_equal(c->target.ops->sync(&c->target, &f), 0);
		memset(data, 0x22, 4096);
		assert_int_equal(program(c, 1, 512, 2048), 0);
		sim_power_cycle(&board);
		kept = 0;
		for (uint32_t n = 0; n < 8; n++) {
			const uint8_t *sector = sim_cells(c, 1) + (size_t)n * 512;

			assert_true(sector[0] == sector[511]);
			kept += sector[0] == 0x22;
			if (n < 1 || n > 4)
				assert_int_equal(sector[0], 0x11);
		}
		assert_true(board.loss == 0 ? kept == 0 : board.loss == 1 ? kept == 4 : kept <= 4);
		assert_true(sim_is_sound(c, 1));
	}
	assert_true(kept > 0 && kept < 4);
}

static void disk_program_is_cut(void **state)
{
	struct sim_chip *c = add_disk();

	board.loss = 1;
	sim_plan_fault(&board, 0, SIM_CUT);
	assert_int_equal(program(c, 1, 0, 4096), -1);
	assert_memory_equal(sim_cells(c, 1), data, 2048);
	assert_int_equal(sim_cells(c, 1)[2048], 0xff);
	sim_power_cycle(&board);
	board.loss = 0;
	sim_plan_fault(&board, 1, SIM_CUT); /* a sync that is cut has promised nothing */
	assert_int_equal(program(c, 2, 0, 4096), 0);
	assert_int_equal(c->target.ops->sync(&c->target, &f), -1);
	assert_true(sim_is_blank(c, 2));
}

static const struct sim_geometry volume = { SIM_VOLUME, 3072, 512, 3, NULL, 0 };

static int update(struct sim_chip *c, uint64_t bytes)
{
	return c->target.ops->update(&c->target, bytes, &f);
}

static void volume_is_read_when_it_is_whole(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "volume", &volume);
	uint8_t buf[4096];

	assert_null(c->target.ops->erase);
	assert_int_equal(update(c, 4000), 0);
	assert_int_equal(read_back(c, 0, buf), -1);
	assert_int_equal(program(c, 0, 0, 3072), 0);
	assert_int_equal(read_back(c, 0, buf), -1);
	assert_false(sim_is_sound(c, 0));
	assert_int_equal(program(c, 1, 0, 1024), 0); /* what fills the last page up is not taken */
	assert_int_equal(read_back(c, 1, buf), 0);
	assert_memory_equal(buf, data, 4000 - 3072);
	assert_int_equal(buf[4000 - 3072], 0xff);
	assert_int_equal(board.breaches, 0);
	assert_int_equal(program(c, 1, 1024, 512), -1);
	expect_breach("without an update");
}

static void volume_is_broken_until_it_is_whole(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "volume", &volume);
	uint8_t buf[4096];

	sim_factory_fill(c, data, 4096);
	assert_int_equal(read_back(c, 0, buf), 0);
	sim_plan_fault(&board, 1, SIM_CUT_EARLY); /* nothing was given up yet */
	assert_int_equal(update(c, 4096), -1);
	sim_power_cycle(&board);
	assert_true(sim_holds(c, data, 4096));
	sim_plan_fault(&board, 1, SIM_CUT_AFTER);
	assert_int_equal(update(c, 3072), 0);
	assert_int_equal(program(c, 0, 0, 1024), -1);
	sim_power_cycle(&board);
	assert_true(c->volume.broken);
	assert_int_equal(read_back(c, 0, buf), -1);
	assert_int_equal(f.err, EBADF);
	assert_int_equal(update(c, 3072), 0);
	assert_int_equal(program(c, 0, 0, 3072), 0);
	assert_true(sim_holds(c, data, 3072));
	assert_int_equal(board.breaches, 0);
}

static void volume_in_order(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "volume", &volume);

	assert_int_equal(update(c, 4096), 0);
	assert_int_equal(program(c, 0, 512, 512), 0);
	expect_breach("program at 512");
}

static void factory_fill_skips_bad_blocks(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);
	uint8_t two[8192];
	struct sim_snapshot *s;

	fill_random(two, sizeof(two), 2);
	sim_factory_fill(c, two, sizeof(two));
	assert_memory_equal(sim_cells(c, 0), two, 4096);
	assert_memory_equal(sim_cells(c, 2), two + 4096, 4096);
	assert_int_equal(sim_good(c, 1), 2);
	assert_true(sim_is_blank(c, 3));
	assert_true(sim_holds(c, two, sizeof(two)));
	s = sim_save(&board);
	assert_int_equal(erase(c, 2), 0);
	assert_false(sim_holds(c, two, sizeof(two)));
	assert_int_equal(sim_differing(c, two, sizeof(two)), 1);
	sim_restore(&board, s);
	assert_true(sim_holds(c, two, sizeof(two)));
	assert_false(sim_holds(c, data, sizeof(data)));
	sim_snapshot_free(s);
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(keeps_what_is_programmed),
		sim_test(nand_page_twice),
		sim_test(nand_pages_backwards),
		sim_test(part_of_a_page),
		sim_test(bits_set_by_programming),
		sim_test(blank_page_programmed),
		sim_test(bad_block_erased),
		sim_test(bad_block_programmed),
		sim_test(beyond_the_end),
		sim_test(planned_failures),
		sim_test(torn_pages_read_as_uncorrectable),
		sim_test(planned_lies_of_reading),
		sim_test(planned_lies_of_changing),
		sim_test(power_cut),
		sim_test(power_cut_around),
		sim_test(power_cut_while_erasing),
		sim_test(power_cut_when_an_erase_has_just_begun),
		sim_test(power_cut_shortly_before_the_end_of_an_erase),
		sim_test(power_cut_while_programming),
		sim_test(weak_blocks_fail_every_time),
		sim_test(weak_blocks_that_recover),
		sim_test(planned_weakness),
		sim_test(snapshots_know_marks_and_weaknesses),
		sim_test(marks_outlive_the_power),
		sim_test(marks_that_fail),
		sim_test(oob_is_kept_until_the_erase),
		sim_test(oob_that_is_too_small),
		sim_test(torn_oob),
		sim_test(oob_of_each_page),
		sim_test(oob_of_pages_that_are_programmed_once),
		sim_test(oob_with_ecc),
		sim_test(weak_program),
		sim_test(subpages),
		sim_test(subpage_twice),
		sim_test(regions),
		sim_test(disk_sectors_are_replaced),
		sim_test(disk_loses_what_was_not_synced),
		sim_test(disk_program_is_cut),
		sim_test(volume_is_read_when_it_is_whole),
		sim_test(volume_is_broken_until_it_is_whole),
		sim_test(volume_in_order),
		sim_test(factory_fill_skips_bad_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
