// SPDX-License-Identifier: GPL-2.0-or-later
/* The power goes at every operation of an update, before, within and after it; then it is back. */
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

static void check_cut(void)
{
	bench_check_rules(&b);
	bench_check_starts(&b);
}

static void cut_everywhere(void)
{
	uint32_t ops;

	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (size_t i = 0; i < CUTS; i++)
		for (uint32_t op = 0; op < ops; op++) {
			bench_restart(&b);
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
static void cut_the_second_run(void)
{
	struct sim_snapshot *after_one = sim_save(&b.board);
	uint32_t numbers[64], count;

	sim_power_cycle(&b.board);
	bench_run_well(&b);
	count = changing_ops(numbers, 64);
	for (uint32_t two = 0; two < count; two++)
		for (size_t i = 0; i < CUTS; i++) {
			sim_restore(&b.board, after_one);
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
			bench_restart(&b);
			sim_plan_fault(&b.board, numbers[one], cuts[i]);
			assert_int_equal(bench_run(&b), -1);
			cut_the_second_run();
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
		sim_test(two_cuts),
		sim_test(cut_again_and_again),
		sim_test(fault_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
