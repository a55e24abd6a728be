// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulator itself: it lets through what flash lets through, and notices every breach. */
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
	assert_int_equal(c->erased[2], 1);
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

static void weak_blocks_fail_every_time(void **state)
{
	struct sim_chip *c = sim_add_chip(&board, "chip", &nand);

	c->weak[2] = true;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(erase(c, 2), 0);
		assert_int_equal(program(c, 2, 0, 4096), -1);
	}
	assert_int_equal(program(c, 3, 0, 4096), 0);
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
		sim_test(weak_blocks_fail_every_time),
		sim_test(factory_fill_skips_bad_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
