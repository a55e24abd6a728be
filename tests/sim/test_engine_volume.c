// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine on a UBI volume: whole, or known for broken, whatever happens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { LEB = 3968, PAGE = 128, EB = 4096 };

static const struct sim_geometry volume = { SIM_VOLUME, LEB, PAGE, 6, NULL, 0 };
static const struct sim_geometry nand = { SIM_NAND, EB, 512, 6, NULL, 0 };

static struct bench b;

static int setup(void **state)
{
	bench_init(&b, EB);
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	print_message("%u runs\n", b.runs);
	bench_free(&b);
	return temp_dir_remove(state);
}

static void every_length(void **state)
{
	static const size_t lengths[] = { 1,    PAGE,    LEB - 1,     LEB,         LEB + 1,
					  5000, 2 * LEB, 5 * LEB + 9, 6 * LEB - 1, 6 * LEB };
	static const uint32_t chunks[] = { 4096, 5000, 65536 };

	for (size_t i = 0; i < 3 * sizeof(lengths) / sizeof(*lengths); i++) {
		b.chunk_size = chunks[i % 3];
		bench_add(&b, &volume, lengths[i / 3]);
		bench_ready(&b);
		bench_at(&b, "%zu bytes in chunks of %u", lengths[i / 3], b.chunk_size);
		bench_run_well(&b);
		assert_int_equal(sim_count(&b.board, SIM_UPDATE), 1);
		assert_int_equal(b.counts[0].written, (lengths[i / 3] + LEB - 1) / LEB);
		sim_power_cycle(&b.board);
		bench_run_well(&b);
		assert_false(b.begun);
		assert_int_equal(sim_count(&b.board, SIM_UPDATE), 0);
		assert_int_equal(b.counts[0].identical, (lengths[i / 3] + LEB - 1) / LEB);
		bench_free(&b);
		bench_init(&b, EB);
	}
}

/* A difference anywhere costs an update of all of it: the kernel knows no smaller one. */
static void every_difference(void **state)
{
	bench_add(&b, &volume, 5 * LEB + 10);
	for (uint32_t n = 0; n < 6; n++) {
		bench_old_differs_in(&b, 0, 1u << n);
		bench_ready(&b);
		if (n == 5) /* the last one's difference may lie behind the contents */
			sim_cells(b.chip[0], 5)[3] ^= 1;
		bench_run_well(&b);
		assert_int_equal(sim_count(&b.board, SIM_UPDATE), 1);
	}
}

static void from_a_pipe(void **state)
{
	bench_add(&b, &volume, 5 * LEB + 10);
	b.from_pipe = true;
	bench_ready(&b);
	bench_run_well(&b);
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	assert_false(b.begun);
}

static void too_large(void **state)
{
	bench_add(&b, &volume, 6 * LEB + 1);
	bench_ready(&b);
	assert_int_equal(bench_run(&b), -1);
	assert_fault(&b.fault, FAULT_UNFIT, "too small");
	assert_false(b.begun);
	assert_true(bench_is_old(&b, 0));
}

/* Two that grow must both find room, one after the other, before the first is touched. */
static void room_for_both(void **state)
{
	static const struct {
		int64_t first, second;
		uint32_t available;
		int ubi;
		bool fits;
	} cases[] = {
		{ 0, 0, 0, 0, true },   { 2, 2, 4, 0, true },  { 2, 3, 4, 0, false },
		{ 2, 3, 4, 1, true },   { -3, 3, 0, 0, true }, { 3, -3, 0, 0, false },
		{ -3, 4, 0, 0, false }, { 0, -1, 0, 0, true },
	};

	bench_add(&b, &volume, 3 * LEB);
	bench_add(&b, &volume, 2 * LEB);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct target *first = &b.chip[0]->target, *second = &b.chip[1]->target;

		bench_ready(&b);
		first->takes = cases[i].first;
		second->takes = cases[i].second;
		first->available = second->available = cases[i].available;
		second->ubi = cases[i].ubi;
		if (cases[i].fits) {
			bench_run_well(&b);
			continue;
		}
		assert_int_equal(bench_run(&b), -1);
		assert_fault(&b.fault, FAULT_UNFIT, "logical eraseblocks more");
		assert_false(b.begun);
		assert_int_equal(sim_count(&b.board, SIM_UPDATE), 0);
	}
}

static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT, SIM_CUT_LATE,
				     SIM_CUT_AFTER };

static void cut_everywhere(void)
{
	uint32_t ops;

	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++)
		for (uint32_t op = 0; op < ops; op++) {
			bench_restart(&b);
			bench_at(&b, "cut %zu at operation %u", i, op);
			sim_plan_fault(&b.board, op, cuts[i]);
			assert_int_equal(bench_run(&b), -1);
			bench_check_rules(&b);
			bench_check_starts(&b);
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
}

static void cut(void **state)
{
	bench_add(&b, &volume, 4 * LEB + 100);
	cut_everywhere();
}

static void cut_in_one_piece(void **state)
{
	bench_add(&b, &volume, 100);
	cut_everywhere();
}

static void cut_with_flash_behind(void **state)
{
	bench_add(&b, &volume, 3 * LEB);
	bench_add(&b, &nand, 2 * EB);
	cut_everywhere();
}

static void cut_with_flash_before(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	bench_add(&b, &volume, 3 * LEB);
	cut_everywhere();
}

/* The volume is whole before and after, or it is known for broken. */
static void every_operation_fails(void)
{
	static const uint32_t times[] = { 1, 2, SIM_FOR_EVER };
	uint32_t ops, met = 0, failures = 0;

	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (size_t i = 0; i < 3; i++)
		for (enum sim_how how = SIM_FAIL; how <= SIM_FLIP; how++)
			for (uint32_t op = 0; op < ops; op++) {
				int result;

				bench_restart(&b);
				bench_at(&b, "operation %u goes wrong in way %d, %u times", op, how,
					 times[i]);
				sim_plan_weakness(&b.board, op, how, times[i]);
				result = bench_run(&b);
				bench_check_outcome(&b, result);
				met += sim_faults_happened(&b.board);
				failures += result < 0;
				bench_check_mended(&b);
			}
	assert_true(met > ops && failures > 0 && failures < met);
}

static void failures(void **state)
{
	bench_add(&b, &volume, 4 * LEB + 100);
	every_operation_fails();
}

static void failures_from_a_pipe(void **state)
{
	bench_add(&b, &volume, 4 * LEB + 100);
	b.from_pipe = true;
	every_operation_fails();
}

static void failures_with_flash(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	bench_add(&b, &volume, 2 * LEB);
	every_operation_fails();
}

/* One fault of the volume is got over, by another update; a device that has gone is not asked. */
static void second_attempt(void **state)
{
	uint32_t programs[8];

	bench_add(&b, &volume, 4 * LEB + 100);
	bench_ready(&b);
	bench_run_well(&b);
	assert_int_equal(bench_ops_of_kind(&b, SIM_PROGRAM, programs, 8), 5);
	for (uint32_t n = 0; n < 5; n++) {
		uint32_t op = programs[n];

		bench_restart(&b);
		bench_at(&b, "operation %u", op);
		sim_plan_fault(&b.board, op, SIM_FAIL);
		bench_run_well(&b);
		assert_int_equal(b.counts[0].retried, 1);
		assert_int_equal(sim_count(&b.board, SIM_UPDATE), 2);
		bench_restart(&b);
		sim_plan_errno(&b.board, op, SIM_FAIL, ENODEV);
		assert_int_equal(bench_run(&b), -1);
		assert_int_equal(b.fault.err, ENODEV);
		assert_int_equal(sim_count(&b.board, SIM_UPDATE), 1);
		bench_check_outcome(&b, -1);
	}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(every_length),          sim_test(every_difference),
		sim_test(from_a_pipe),           sim_test(too_large),
		sim_test(room_for_both),         sim_test(cut),
		sim_test(cut_in_one_piece),      sim_test(cut_with_flash_behind),
		sim_test(cut_with_flash_before), sim_test(failures),
		sim_test(failures_from_a_pipe),  sim_test(failures_with_flash),
		sim_test(second_attempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
