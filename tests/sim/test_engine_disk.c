// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine on a block device: exact bytes, a first sector that comes last, and nobody else's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { SECTOR = 512, EB = 4096, SEEDS = 8 };

static const struct sim_geometry first_sector = { SIM_BLOCK, SECTOR, SECTOR, 1, NULL, 0 };
static const struct sim_geometry nand = { SIM_NAND, EB, SECTOR, 5, NULL, 0 };

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

/* One sector, then large pieces, then what is left of the device: 17 KiB in all. */
static void add_disk(size_t new_len)
{
	struct sim_chip *c = sim_add_chip(&b.board, "disk", &first_sector);

	sim_add_region(c, 4, EB);
	sim_add_region(c, 1, SECTOR);
	assert_int_equal(c->target.size, 17 * 1024);
	bench_add_chip(&b, c, new_len);
}

static void every_length(void **state)
{
	static const size_t lengths[] = { 1,         511,   512,           513,      1023,
					  1024,      4607,  4608,          4609,     5000,
					  16 * 1024, 16896, 17 * 1024 - 1, 17 * 1024 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		add_disk(lengths[i]);
		bench_ready(&b);
		bench_at(&b, "%zu bytes", lengths[i]);
		bench_run_well(&b);
		assert_true(b.begun);
		sim_power_cycle(&b.board); /* and all that is not synced is lost */
		if (!bench_all_new(&b))
			bench_fail(&b, "success, and then it is lost");
		bench_run_well(&b);
		assert_false(b.begun);
		assert_int_equal(sim_count(&b.board, SIM_PROGRAM), 0);
		bench_free(&b);
		bench_init(&b, EB);
	}
}

static void too_large(void **state)
{
	add_disk(17 * 1024 + 1);
	bench_ready(&b);
	assert_int_equal(bench_run(&b), -1);
	assert_fault(&b.fault, FAULT_UNFIT, "disk: too small");
	assert_false(b.begun);
}

/* Sectors are not erased to be rewritten: one program for each piece, and two for the first. */
static void writes_what_differs(void **state)
{
	add_disk(3 * EB + 100);
	for (uint64_t differing = 0; differing < 1 << 5; differing++) {
		uint32_t want = (uint32_t)__builtin_popcountll(differing & 0xf);

		bench_old_differs_in(&b, 0, differing);
		bench_ready(&b);
		bench_at(&b, "difference %#x", (unsigned int)differing);
		bench_run_well(&b);
		/* what differs in the last piece lies behind the image */
		assert_int_equal(b.counts[0].written, want + (want && !(differing & 1)));
		assert_true(sim_count(&b.board, SIM_PROGRAM) <= want + 2);
	}
}

/* The start goes first, and that is on the medium before anything else goes; it comes back last. */
static void order_of_syncs(void **state)
{
	uint32_t step = 0;

	add_disk(3 * EB);
	bench_ready(&b);
	bench_run_well(&b);
	for (uint32_t i = 0; i < b.board.ops; i++) {
		const struct sim_op *op = &b.board.log[i];
		bool start = op->what == SIM_PROGRAM && op->eb == 0;

		if (op->what != SIM_PROGRAM && op->what != SIM_SYNC)
			continue;
		if (step == 0 && start) /* blank */
			step = 1;
		else if (step == 1 && op->what == SIM_SYNC)
			step = 2;
		else if (step == 2 && op->what == SIM_SYNC)
			step = 3;
		else if (step == 3 && start) /* the new one */
			step = 4;
		else if (step == 4 && op->what == SIM_SYNC)
			step = 5;
		else if (step != 2 || start)
			bench_fail(&b, "operation %u at step %u", i, step);
	}
	assert_int_equal(step, 5);
}

static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT, SIM_CUT_LATE,
				     SIM_CUT_AFTER };

/* The start is blank, or has all of its firmware behind it, whatever of the unsynced was lost. */
static void cut_everywhere(void)
{
	uint32_t ops;

	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (b.board.loss = 0; b.board.loss < SEEDS; b.board.loss++)
		for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++)
			for (uint32_t op = 0; op < ops; op++) {
				bench_restart(&b);
				bench_at(&b, "loss %u, cut %zu at operation %u", b.board.loss, i,
					 op);
				sim_plan_fault(&b.board, op, cuts[i]);
				assert_int_equal(bench_run(&b), -1);
				bench_check_rules(&b);
				bench_check_starts(&b);
				sim_power_cycle(&b.board);
				if (!sim_is_blank(b.chip[0], 0))
					assert_true(bench_is_old(&b, 0) || bench_is_new(&b, 0));
				bench_run_well(&b);
			}
}

static void cut(void **state)
{
	add_disk(3 * EB + 700);
	cut_everywhere();
}

static void cut_with_the_same_start(void **state)
{
	add_disk(3 * EB);
	bench_old_differs_in(&b, 0, 1 << 2);
	cut_everywhere();
}

static void cut_with_flash_beside(void **state)
{
	add_disk(2 * EB);
	bench_add(&b, &nand, 2 * EB);
	cut_everywhere();
}

/* Nothing can be marked bad: an error, and no start that could be taken for one. */
static void every_operation_fails(void **state)
{
	static const uint32_t times[] = { 1, 2, 3, SIM_FOR_EVER };
	uint32_t ops, failures = 0, met = 0;

	add_disk(3 * EB + 700);
	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t n = 0; n < 4 * 4 * 2 * ops; n++) {
		uint32_t op = n % ops, how = n / ops % 4, often = times[n / ops / 4 % 4];
		int result;

		b.board.loss = n / ops / 16;
		bench_restart(&b);
		bench_at(&b, "operation %u goes wrong in way %u, %u times; loss %u", op, how, often,
			 b.board.loss);
		sim_plan_weakness(&b.board, op, how, often);
		result = bench_run(&b);
		bench_check_outcome(&b, result);
		met += sim_faults_happened(&b.board);
		failures += result < 0;
		if (often == 1 && result < 0) { /* what is not tried again */
			enum sim_what what = b.board.log[op].what;

			assert_true(what == SIM_IS_BAD || what == SIM_SYNC);
		}
		bench_check_mended(&b);
	}
	assert_true(met > ops && failures > 0 && failures < met);
}

/* A card that was pulled out has not gone bad: no attempt more. */
static void card_is_gone(void **state)
{
	uint32_t ops[16], programs, syncs;

	add_disk(3 * EB + 700);
	bench_ready(&b);
	bench_run_well(&b);
	programs = bench_ops_of_kind(&b, SIM_PROGRAM, ops, 16);
	syncs = bench_ops_of_kind(&b, SIM_SYNC, ops + programs, 16 - programs);
	assert_true(programs >= 6 && syncs >= 3);
	for (uint32_t n = 0; n < programs + syncs; n++) {
		bench_restart(&b);
		bench_at(&b, "operation %u", ops[n]);
		sim_plan_errno(&b.board, ops[n], SIM_FAIL, ENODEV);
		assert_int_equal(bench_run(&b), -1);
		assert_int_equal(b.fault.err, ENODEV);
		assert_int_equal(b.counts[0].retried, n < programs);
		bench_check_outcome(&b, -1);
		bench_check_mended(&b);
	}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(every_length),
		sim_test(too_large),
		sim_test(writes_what_differs),
		sim_test(order_of_syncs),
		sim_test(cut),
		sim_test(cut_with_the_same_start),
		sim_test(cut_with_flash_beside),
		sim_test(every_operation_fails),
		sim_test(card_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
