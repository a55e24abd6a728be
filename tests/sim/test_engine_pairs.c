// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine on flash where two things go wrong in one run: a sample, the same one every time. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512, SAMPLES = 1500 };

static const uint32_t bad[] = { 0, 4 }, start[] = { 0 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 9, bad, 2 };
static const struct sim_geometry small_nand = { SIM_NAND, EB, PAGE, 6, start, 1 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 4, NULL, 0 };

static struct bench b;
static uint32_t dice;

static int setup(void **state)
{
	bench_init(&b, EB);
	dice = 1;
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	print_message("%u runs\n", b.runs);
	bench_free(&b);
	return temp_dir_remove(state);
}

static uint32_t throw_dice(uint32_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % sides;
}

static uint32_t some_times(void)
{
	static const uint32_t times[] = { 1, 2, 3, 4, 6, SIM_FOR_EVER };

	return times[throw_dice(6)];
}

/* An operation of the clean run, or one shortly behind its end, goes wrong, and perhaps again. */
static void plan_something(uint32_t ops)
{
	sim_plan_weakness(&b.board, throw_dice(ops + ops / 4), throw_dice(SIM_FLIP + 1),
			  some_times());
}

/* Some eraseblock is weak from the start, and be it in what is seldom done with it. */
static void weaken_something(void)
{
	static const enum sim_what kinds[] = { SIM_ERASE,  SIM_PROGRAM,  SIM_READ,     SIM_MARK_BAD,
					       SIM_IS_BAD, SIM_READ_OOB, SIM_WRITE_OOB };
	struct sim_chip *c = b.chip[throw_dice(b.count)];

	sim_weaken(c, throw_dice(c->target.blocks), kinds[throw_dice(7)], throw_dice(SIM_FLIP + 1),
		   some_times());
}

static void sample(void)
{
	uint32_t ops, failures = 0, marked = 0;

	bench_ready(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t n = 0; n < SAMPLES; n++) {
		int result;

		bench_restart(&b);
		bench_at(&b, "sample %u", n);
		for (int i = 0; i < 2; i++) {
			if (throw_dice(3) > 0)
				plan_something(ops);
			else
				weaken_something();
		}
		result = bench_run(&b);
		bench_check_outcome(&b, result);
		failures += result < 0;
		marked += b.newly_bad[0] + b.newly_bad[1] > 0;
		bench_check_mended(&b);
	}
	assert_true(failures > SAMPLES / 50 && failures < SAMPLES / 4 * 3);
	if (b.chip[0]->kind == SIM_NAND)
		assert_true(marked > SAMPLES / 50);
}

static void on_nand(void **state)
{
	bench_add(&b, &nand, 4 * EB - 100);
	sample();
}

static void on_nand_with_cleanmarkers(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	b.tail[0] = TAIL_JFFS2;
	sample();
}

static void on_nor(void **state)
{
	bench_add(&b, &nor, 2 * EB + 1);
	sample();
}

static void on_nand_and_nor(void **state)
{
	bench_add(&b, &small_nand, 2 * EB);
	bench_add(&b, &nor, 2 * EB + 100);
	sample();
}

static void on_nand_twice(void **state)
{
	bench_add(&b, &small_nand, 3 * EB);
	bench_add(&b, &small_nand, 2 * EB + 100);
	sample();
}

static void from_a_pipe(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.from_pipe = true;
	sample();
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(on_nand),       sim_test(on_nand_with_cleanmarkers),
		sim_test(on_nor),        sim_test(on_nand_and_nor),
		sim_test(on_nand_twice), sim_test(from_a_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
