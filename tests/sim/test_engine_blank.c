// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Eraseblocks that look blank and are not: an erase was cut shortly before its end. Whatever cut an
 * update, and whatever the next one brings, none of them may be left where blank flash should be.
 * (That nothing is programmed into one, and that none is left in a chip that holds the new
 * firmware, the simulated flash and bench.h see to in every test.)
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512 };

static const uint32_t bad[] = { 0, 4 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 10, bad, 2 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 8, NULL, 0 };

static struct bench b;

static int setup(void **state)
{
	bench_init(&b, EB);
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	bench_free(&b);
	return temp_dir_remove(state);
}

static uint32_t half_erased(const struct sim_chip *c)
{
	uint32_t count = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		count += c->block[eb].half_erased;
	return count;
}

/* Another firmware, shorter and blank elsewhere, for the same chip. */
static void pack_another(size_t new_len)
{
	assert_true(new_len <= b.new_len[0]);
	b.new_len[0] = new_len;
	fill_random(b.new[0], new_len, 300);
	memset(b.new[0] + EB, 0xff, 2 * EB);
	bench_pack(&b);
}

/*
 * Cuts an update at every erase, and finishes it with an image that wants blank what the first one
 * was about to fill.
 */
static void cut_and_come_with_another(const struct sim_geometry *g, enum tail_policy tail)
{
	uint32_t ops, op = 0, looked_blank = 0;

	do {
		bench_init(&b, EB);
		bench_add(&b, g, 5 * EB);
		b.tail[0] = tail;
		bench_ready(&b);
		bench_run_well(&b);
		ops = b.board.ops;
		while (op < ops && b.board.log[op].what != SIM_ERASE)
			op++;
		bench_restart(&b);
		bench_at(&b, "erase cut at operation %u", op);
		sim_plan_fault(&b.board, op, SIM_CUT_LATE);
		if (op < ops) {
			assert_int_equal(bench_run(&b), -1);
			assert_int_equal(half_erased(b.chip[0]), 1);
			looked_blank++;
		}
		sim_power_cycle(&b.board);
		pack_another(4 * EB);
		bench_run_well(&b);
		assert_int_equal(half_erased(b.chip[0]), 0);
		bench_free(&b);
	} while (op++ < ops);
	bench_init(&b, EB);
	assert_true(looked_blank > 6);
}

static void another_image_on_nand(void **state)
{
	cut_and_come_with_another(&nand, TAIL_ERASE);
}

static void another_image_on_nor(void **state)
{
	cut_and_come_with_another(&nor, TAIL_ERASE);
}

static void another_image_with_cleanmarkers(void **state)
{
	cut_and_come_with_another(&nand, TAIL_JFFS2);
}

static void another_image_with_cleanmarkers_on_nor(void **state)
{
	cut_and_come_with_another(&nor, TAIL_JFFS2);
}

/*
 * A marker of the firmware before stands in the OOB when the erase is cut: it vouches for the erase
 * before that one.
 */
static void old_cleanmarkers(void **state)
{
	static const uint8_t marker[] = { 0x85, 0x19, 0x03, 0x20, 8, 0, 0, 0 };

	bench_add(&b, &nand, 3 * EB);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
	for (uint32_t eb = 0; eb < 10; eb++)
		if (!b.chip[0]->block[eb].bad)
			memcpy(sim_oob(b.chip[0], eb), marker, sizeof(marker));
	bench_pack(&b);
	bench_run_well(&b);
	for (uint32_t op = 0, ops = b.board.ops; op < ops; op++) {
		bench_restart(&b);
		bench_at(&b, "cut at operation %u", op);
		sim_plan_fault(&b.board, op, SIM_CUT_LATE);
		assert_int_equal(bench_run(&b), -1);
		sim_power_cycle(&b.board);
		bench_run_well(&b);
	}
}

/* What was never programmed may have been erased by the factory, or by nobody. */
static void new_chip(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	bench_pack(&b);
	bench_run_well(&b);
	for (uint32_t n = 0; n < 8; n++)
		assert_int_equal(b.chip[0]->block[sim_good(b.chip[0], n)].erased, 1);
	assert_int_equal(b.counts[0].cleared, 5);
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	assert_false(b.begun);
}

/* Where the start is there, blank means blank: nothing is erased for nothing. */
static void trusted(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	bench_old_differs_in(&b, 0, 1 << 1);
	bench_ready(&b);
	bench_run_well(&b);
	assert_int_equal(sim_count(&b.board, SIM_ERASE), 2);
}

/*
 * After a cut, what differs and what should be blank is erased, each once; what holds its data was
 * programmed into a whole eraseblock and is left.
 */
static void no_more_than_needed(void **state)
{
	uint32_t ops;

	bench_add(&b, &nand, 5 * EB); /* of which the fourth is blank */
	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t op = 0; op < ops; op++) {
		struct sim_chip *c = b.chip[0];
		bool may_erase[10] = { false };

		bench_restart(&b);
		bench_at(&b, "cut at operation %u", op);
		sim_plan_fault(&b.board, op, SIM_CUT);
		assert_int_equal(bench_run(&b), -1);
		sim_power_cycle(&b.board);
		for (uint32_t n = 0; n < 8; n++) {
			uint32_t eb = sim_good(c, n);

			may_erase[eb] = n == 0 || n == 3 || n >= 5 ||
					!sim_block_holds(c, eb, b.new[0] + (size_t)n *EB, EB);
		}
		bench_run_well(&b);
		for (uint32_t eb = 0; eb < 10; eb++)
			if (c->block[eb].erased > may_erase[eb])
				bench_fail(&b, "eraseblock %u erased %u times", eb,
					   c->block[eb].erased);
	}
}

/*
 * The power goes twice: in an erase, and then in the run that would have seen to it, wherever that
 * is; and then it stays.
 */
static void cut_twice(void **state)
{
	uint32_t ops;

	bench_add(&b, &nand, 3 * EB);
	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t one = 0; one < ops; one++) {
		struct sim_snapshot *after_one;

		bench_restart(&b);
		sim_plan_fault(&b.board, one, SIM_CUT_LATE);
		assert_int_equal(bench_run(&b), -1);
		if (b.board.log[one].what != SIM_ERASE)
			continue;
		after_one = sim_save(&b.board);
		for (uint32_t two = 0; two < 2 * ops; two += 1 + two % 3)
			for (enum sim_how how = SIM_CUT_BEFORE; how <= SIM_CUT_AFTER; how++) {
				sim_restore(&b.board, after_one);
				bench_at(&b, "erase cut at operation %u, then cut %d at %u", one,
					 how, two);
				sim_plan_fault(&b.board, two, how);
				(void)bench_run(&b); /* it may be behind the end */
				bench_check_starts(&b);
				sim_power_cycle(&b.board);
				bench_run_well(&b);
			}
		sim_snapshot_free(after_one);
	}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(another_image_on_nand),
		sim_test(another_image_on_nor),
		sim_test(another_image_with_cleanmarkers),
		sim_test(another_image_with_cleanmarkers_on_nor),
		sim_test(old_cleanmarkers),
		sim_test(new_chip),
		sim_test(trusted),
		sim_test(no_more_than_needed),
		sim_test(cut_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
