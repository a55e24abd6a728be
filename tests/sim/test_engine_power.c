// SPDX-License-Identifier: GPL-2.0-or-later
/* The power goes at every operation of an update, before, within and after it; then it is back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512 };

static const uint32_t bad[] = { 0, 4 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 8, bad, 2 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 5, NULL, 0 };
static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT, SIM_CUT_LATE,
				     SIM_CUT_AFTER };
enum { CUTS = sizeof(cuts) / sizeof(*cuts) };

static struct bench b;

/* Which eraseblock of which chip cannot be relied on, and what is wrong with it. */
static struct weakness {
	unsigned int chip;
	uint32_t nth;
	enum sim_what what;
	enum sim_how how;
} weak[4];
static unsigned int weak_count;

static int setup(void **state)
{
	bench_init(&b, EB);
	weak_count = 0;
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	print_message("%u runs\n", b.runs);
	bench_free(&b);
	return temp_dir_remove(state);
}

static void make_weak(unsigned int chip, uint32_t nth, enum sim_what what, enum sim_how how)
{
	weak[weak_count++] = (struct weakness){ chip, nth, what, how };
}

/* The old firmware, on chips that have aged. */
static void restart(void)
{
	bench_restart(&b);
	for (unsigned int i = 0; i < weak_count; i++)
		sim_weaken(b.chip[weak[i].chip], sim_good(b.chip[weak[i].chip], weak[i].nth),
			   weak[i].what, weak[i].how, SIM_FOR_EVER);
}

static void check_cut(void)
{
	bench_check_rules(&b);
	bench_check_starts(&b);
}

static void cut_everywhere(void)
{
	uint32_t ops;

	bench_ready(&b);
	restart();
	bench_run_well(&b);
	ops = b.board.ops;
	for (size_t i = 0; i < CUTS; i++)
		for (uint32_t op = 0; op < ops; op++) {
			restart();
			bench_at(&b, "cut %zu at operation %u", i, op);
			sim_plan_fault(&b.board, op, cuts[i]);
			assert_int_equal(bench_run(&b), -1);
			assert_true(sim_faults_happened(&b.board));
			check_cut();
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
}

static void one_payload(void **state)
{
	bench_add(&b, &nand, 5 * EB - 100);
	cut_everywhere();
}

static void two_payloads(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB + 100);
	cut_everywhere();
}

static void two_payloads_nor_first(void **state)
{
	bench_add(&b, &nor, 4 * EB);
	bench_add(&b, &nand, 2 * EB + 100);
	cut_everywhere();
}

static void same_first_block(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_old_differs_in(&b, 0, 1 << 2 | 1 << 5);
	bench_old_differs_in(&b, 1, 1 << 1);
	cut_everywhere();
}

static void only_the_first_block_differs(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_old_differs_in(&b, 0, 1);
	bench_old_differs_in(&b, 1, 1);
	cut_everywhere();
}

static void one_block(void **state)
{
	bench_add(&b, &nand, 100);
	cut_everywhere();
}

static void jffs2(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	b.tail[0] = TAIL_JFFS2;
	cut_everywhere();
}

static void jffs2_on_nor(void **state)
{
	bench_add(&b, &nor, 2 * EB);
	b.tail[0] = TAIL_JFFS2;
	cut_everywhere();
}

static void kept_tail(void **state)
{
	bench_add(&b, &nand, 3 * EB + 5);
	b.tail[0] = TAIL_KEEP;
	cut_everywhere();
}

static void regions(void **state)
{
	static const struct sim_geometry small = { SIM_NOR, 1024, 1, 4, NULL, 0 };
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &small);

	sim_add_region(c, 3, EB);
	bench_add_chip(&b, c, 4 * 1024 + EB + 700);
	cut_everywhere();
}

static void from_a_pipe(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	b.from_pipe = true;
	cut_everywhere();
}

/* An eraseblock behind the first goes bad, and the power goes meanwhile: tortured, marked, or not. */
static void bad_in_the_middle(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 2, SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
}

static void bad_in_the_tail(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 5, SIM_ERASE, SIM_FAIL);
	cut_everywhere();
}

/* The first one that a resumed run erases, which has not seen any other one erased. */
static void second_cannot_be_erased(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 1, SIM_ERASE, SIM_FAIL);
	cut_everywhere();
}

static void start_that_cannot_be_erased(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_ERASE, SIM_FAIL);
	cut_everywhere();
}

/* It keeps the old firmware's start for as long as it is not marked. */
static void start_that_refuses_to_be_erased(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_ERASE, SIM_REFUSE);
	cut_everywhere();
}

static void start_that_cannot_be_committed(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
}

static void two_starts_that_cannot_be_committed(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_PROGRAM, SIM_GARBLE);
	make_weak(0, 1, SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
}

static void shift_of_the_second_payload(void **state)
{
	bench_add(&b, &nor, 2 * EB);
	bench_add(&b, &nand, 3 * EB);
	make_weak(1, 0, SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
}

static void shift_of_the_first_payload(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	bench_add(&b, &nor, 2 * EB);
	make_weak(0, 0, SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
}

/* What a pipe gave moves on within flash, which can be cut at each step. */
static void shift_from_a_pipe(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.from_pipe = true;
	make_weak(0, 0, SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
}

static void shift_by_two_from_a_pipe(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.from_pipe = true;
	make_weak(0, 0, SIM_PROGRAM, SIM_FAIL);
	make_weak(0, 2, SIM_ERASE, SIM_FAIL);
	cut_everywhere();
}

/* The numbers of the operations of the last run that change flash; those between leave it as is. */
static uint32_t changing_ops(uint32_t *numbers, uint32_t room)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < b.board.ops; i++)
		if (sim_changes(&b.board.log[i])) {
			assert_true(count < room);
			numbers[count++] = i;
		}
	return count;
}

/* Every cut of a run that mends what a first cut has left, which is as it is in the chips now. */
static void cut_the_second_run(const char *first)
{
	struct sim_snapshot *after_one = sim_save(&b.board);
	uint32_t numbers[64], count;

	sim_power_cycle(&b.board);
	bench_run_well(&b);
	count = changing_ops(numbers, 64);
	for (uint32_t two = 0; two < count; two++)
		for (size_t i = 0; i < CUTS; i++) {
			sim_restore(&b.board, after_one);
			bench_at(&b, "%s, then cut %zu at operation %u", first, i, numbers[two]);
			sim_plan_fault(&b.board, numbers[two], cuts[i]);
			assert_int_equal(bench_run(&b), -1);
			check_cut();
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
	sim_snapshot_free(after_one);
}

static void two_cuts(void **state)
{
	uint32_t numbers[64], count;

	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB);
	bench_ready(&b);
	bench_run_well(&b);
	count = changing_ops(numbers, 64);
	for (uint32_t one = 0; one < count; one++)
		for (size_t i = 0; i < CUTS; i++) {
			char first[64];

			bench_restart(&b);
			(void)snprintf(first, sizeof(first), "cut %zu at operation %u", i,
				       numbers[one]);
			sim_plan_fault(&b.board, numbers[one], cuts[i]);
			assert_int_equal(bench_run(&b), -1);
			cut_the_second_run(first);
		}
}

/* Power that always goes a little later than the last time: each run gets further. */
static void cut_again_and_again(void **state)
{
	unsigned int runs = 0;
	uint32_t op = 0;

	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB);
	bench_ready(&b);
	do {
		sim_power_cycle(&b.board);
		sim_plan_fault(&b.board, op++, SIM_CUT);
		runs++;
		check_cut();
	} while (bench_run(&b) < 0);
	bench_check_rules(&b);
	assert_true(bench_all_new(&b));
	assert_true(runs > 30);
}

/* A fault that is retried, and a cut some operations later. */
static void fault_and_cut(void **state)
{
	uint32_t ops;

	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB);
	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t op = 0; op < ops; op++)
		for (uint32_t later = 1; later < 12; later += 2) {
			bench_restart(&b);
			sim_plan_fault(&b.board, op, later % 4 == 1 ? SIM_FAIL : SIM_GARBLE);
			sim_plan_fault(&b.board, op + later, SIM_CUT);
			(void)bench_run(&b); /* either may be beyond the last operation */
			check_cut();
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(one_payload),
		sim_test(two_payloads),
		sim_test(two_payloads_nor_first),
		sim_test(same_first_block),
		sim_test(only_the_first_block_differs),
		sim_test(one_block),
		sim_test(jffs2),
		sim_test(jffs2_on_nor),
		sim_test(kept_tail),
		sim_test(regions),
		sim_test(from_a_pipe),
		sim_test(bad_in_the_middle),
		sim_test(bad_in_the_tail),
		sim_test(second_cannot_be_erased),
		sim_test(start_that_cannot_be_erased),
		sim_test(start_that_refuses_to_be_erased),
		sim_test(start_that_cannot_be_committed),
		sim_test(two_starts_that_cannot_be_committed),
		sim_test(shift_of_the_second_payload),
		sim_test(shift_of_the_first_payload),
		sim_test(shift_from_a_pipe),
		sim_test(shift_by_two_from_a_pipe),
		sim_test(two_cuts),
		sim_test(cut_again_and_again),
		sim_test(fault_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
