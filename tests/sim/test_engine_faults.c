// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine on flash that fails: one fault at every operation in turn, and faults that stay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512, BLOCKS = 8 };

static const uint32_t bad[] = { 0, 4 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, BLOCKS, bad, 2 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 5, NULL, 0 };

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

static void check_outcome(int result, uint32_t op)
{
	bench_check_rules(&b);
	if (result == 0) {
		if (!bench_all_new(&b))
			fail_msg("success with wrong bytes; fault at operation %u", op);
		return;
	}
	bench_check_not_bootable(&b);
	if (b.begun)
		assert_int_equal(b.fault.kind, FAULT_FLASH);
	else
		assert_int_equal(b.fault.kind, FAULT_FAILED);
}

/*
 * Runs once for every operation there is, with a fault in it. Returns how many of them were met;
 * *failures is how many runs ended with an error.
 */
static unsigned int sweep(enum sim_how how, uint32_t ops, unsigned int *failures)
{
	unsigned int met = 0;

	*failures = 0;
	for (uint32_t op = 0; op < ops; op++) {
		int result;
		bool happened;

		bench_restart(&b);
		sim_plan_fault(&b.board, op, how);
		result = bench_run(&b);
		happened = sim_faults_happened(&b.board);
		check_outcome(result, op);
		met += happened;
		*failures += result < 0;
		if (!happened && result < 0)
			fail_msg("failed though nothing did: %s", b.fault.text);
		if (result < 0) { /* what one run has left behind, the next one mends */
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
	}
	return met;
}

/* Retrying once gets over every single fault but those of asking for bad blocks. */
static void check_sweep(enum sim_how how, uint32_t ops, uint32_t want, uint32_t want_failures)
{
	unsigned int failures, met = sweep(how, ops, &failures);

	assert_int_equal(met, want);
	assert_int_equal(failures, want_failures);
}

static void with_one_payload(void)
{
	bench_add(&b, &nand, 5 * EB - 100);
	bench_ready(&b);
	bench_run_well(&b);
}

static void with_two_payloads(void)
{
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB + 100);
	bench_ready(&b);
	bench_run_well(&b);
}

static void with_a_small_difference(void)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_old_differs_in(&b, 0, 1 << 2);
	bench_old_differs_in(&b, 1, 1 << 1);
	bench_ready(&b);
	bench_run_well(&b);
}

static void with_no_difference(void)
{
	bench_add(&b, &nand, 5 * EB);
	bench_old_differs_in(&b, 0, 0);
	bench_ready(&b);
	bench_run_well(&b);
}

static void sweep_all(void)
{
	uint32_t all = b.board.ops, questions = sim_count(&b.board, SIM_IS_BAD);
	uint32_t reads = sim_count(&b.board, SIM_READ), nand_reads = 0;
	uint32_t changes = sim_count(&b.board, SIM_ERASE) + sim_count(&b.board, SIM_PROGRAM);

	for (uint32_t i = 0; i < all; i++)
		nand_reads += b.board.log[i].what == SIM_READ &&
			      b.chip[b.board.log[i].chip]->kind == SIM_NAND;
	check_sweep(SIM_FAIL, all, all, questions);
	check_sweep(SIM_REFUSE, all, all, questions);
	check_sweep(SIM_GARBLE, all, nand_reads + changes, 0);
	check_sweep(SIM_FLIP, all, reads, 0);
	check_sweep(SIM_CORRECT, all, nand_reads, 0);
}

static void every_operation(void **state)
{
	with_one_payload();
	sweep_all();
}

static void every_operation_of_two_payloads(void **state)
{
	with_two_payloads();
	sweep_all();
}

static void every_operation_of_a_small_difference(void **state)
{
	with_a_small_difference();
	sweep_all();
}

static void every_operation_of_an_identical_firmware(void **state)
{
	with_no_difference();
	sweep_all();
}

/* Two operations in a row, so that the second attempt fails, too, wherever it is the next one. */
static void two_in_a_row(void **state)
{
	static const enum sim_how ways[] = { SIM_FAIL, SIM_GARBLE, SIM_FLIP, SIM_REFUSE };
	unsigned int failures = 0;
	uint32_t ops;

	with_two_payloads();
	ops = b.board.ops;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		for (uint32_t op = 0; op < ops; op++) {
			int result;

			bench_restart(&b);
			sim_plan_fault(&b.board, op, ways[i]);
			sim_plan_fault(&b.board, op + 1, SIM_FAIL);
			result = bench_run(&b);
			bench_check_rules(&b);
			if (result == 0)
				assert_true(bench_all_new(&b));
			else
				bench_check_starts(&b);
			failures += result < 0;
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
	assert_true(failures > 0);
}

static void counts_retries_and_corrections(void **state)
{
	uint32_t op = 0;

	with_one_payload();
	while (b.board.log[op].what != SIM_PROGRAM)
		op++;
	bench_restart(&b);
	sim_plan_fault(&b.board, op, SIM_FAIL);
	bench_run_well(&b);
	assert_int_equal(b.counts[0].retried, 1);
	assert_int_equal(b.counts[0].flips, 0);
	bench_restart(&b);
	while (b.board.log[op].what != SIM_READ)
		op++;
	sim_plan_fault(&b.board, op, SIM_CORRECT);
	bench_run_well(&b);
	assert_int_equal(b.counts[0].retried, 0);
	assert_int_equal(b.counts[0].flips, 1);
}

/* An eraseblock that can never be programmed: an error that names it, and no valid start. */
static void weak_block_in_the_middle(void **state)
{
	char name[32];

	with_two_payloads();
	for (unsigned int chip = 0; chip < 2; chip++)
		for (uint32_t nth = 1; nth < (chip ? 3u : 3u); nth++) {
			uint32_t eb = sim_good(b.chip[chip], nth);

			bench_restart(&b);
			sim_weaken(b.chip[chip], eb, SIM_PROGRAM, SIM_FAIL, SIM_FOR_EVER);
			assert_int_equal(bench_run(&b), -1);
			b.board.weaknesses = 0;
			(void)snprintf(name, sizeof(name), "eraseblock %u", eb);
			assert_fault(&b.fault, FAULT_FLASH, name);
			assert_int_equal(b.counts[chip].retried, 1);
			assert_int_equal(b.chip[chip]->block[eb].erased, 2);
			bench_check_rules(&b);
			assert_true(sim_is_blank(b.chip[0], sim_good(b.chip[0], 0)));
			bench_check_not_bootable(&b);
		}
}

/* The first eraseblock cannot be programmed: half a firmware must not be what a boot finds. */
static void weak_first_block(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_ready(&b);
	sim_weaken(b.chip[0], sim_good(b.chip[0], 0), SIM_PROGRAM, SIM_FAIL, SIM_FOR_EVER);
	assert_int_equal(bench_run(&b), -1);
	assert_int_equal(b.fault.kind, FAULT_FLASH);
	assert_true(sim_is_blank(b.chip[0], sim_good(b.chip[0], 0)));
	bench_check_rules(&b);
}

/* A read that fails every time is no reason to believe that the data is there. */
static void unreadable_at_first(void **state)
{
	with_no_difference();
	bench_restart(&b);
	for (uint32_t op = 0; op < SIM_FAULTS_MAX; op++)
		sim_plan_fault(&b.board, BLOCKS + 2 + op, SIM_FAIL);
	if (bench_run(&b) == 0)
		assert_true(bench_all_new(&b));
	bench_check_rules(&b);
	bench_check_starts(&b);
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(every_operation),
		sim_test(every_operation_of_two_payloads),
		sim_test(every_operation_of_a_small_difference),
		sim_test(every_operation_of_an_identical_firmware),
		sim_test(two_in_a_row),
		sim_test(counts_retries_and_corrections),
		sim_test(weak_block_in_the_middle),
		sim_test(weak_first_block),
		sim_test(unreadable_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
