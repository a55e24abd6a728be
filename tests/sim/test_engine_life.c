// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Updates of old chips on a bad supply: some eraseblocks are weak, in some way, and the power goes
 * again and again, anywhere, until for once it stays. A sample, the same one every time.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"
#include "ubi_image.h"

enum { EB = 4096, PAGE = 512, LIVES = 500 };

static const uint32_t bad[] = { 0, 4 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 12, bad, 2 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 4, NULL, 0 };
static const struct sim_geometry first_sector = { SIM_BLOCK, 512, 512, 1, NULL, 0 };
static const struct sim_geometry volume = { SIM_VOLUME, 3968, 128, 5, NULL, 0 };

static struct bench b;
static uint32_t dice;

static int setup(void **state)
{
	bench_init(&b, EB);
	dice = 7;
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

/* For ever, so that whoever is given a second chance does not need it. */
static void weaken_something(void)
{
	static const enum sim_what kinds[] = { SIM_ERASE, SIM_PROGRAM, SIM_READ, SIM_WRITE_OOB };
	struct sim_chip *c = b.chip[0];

	sim_weaken(c, throw_dice(c->target.blocks), kinds[throw_dice(4)], throw_dice(SIM_FLIP + 1),
		   SIM_FOR_EVER);
}

/* Runs that are cut, each later than it can be survived; then one that is not. */
static void live(uint32_t ops, uint32_t weak)
{
	uint32_t cuts = throw_dice(5);

	bench_restart(&b);
	for (uint32_t i = 0; i < weak; i++)
		weaken_something();
	for (uint32_t i = 0; i < cuts; i++) {
		b.board.loss = throw_dice(4);
		sim_plan_fault(&b.board, throw_dice(ops + ops / 2),
			       SIM_CUT_BEFORE + throw_dice(SIM_CUT_AFTER - SIM_CUT_BEFORE + 1));
		(void)bench_run(&b); /* the cut may be behind its end, and it may be a success */
		bench_check_rules(&b);
		bench_check_starts(&b);
		sim_power_cycle(&b.board);
	}
	/* A run that meets bad eraseblocks only marks no more than one: it takes another run each. */
	for (uint32_t i = 0; i < weak && bench_run(&b) < 0; i++) {
		bench_check_outcome(&b, -1);
		sim_power_cycle(&b.board);
	}
	bench_run_well(&b);
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	if (b.begun && weak == 0)
		bench_fail(&b, "there was something left to do");
}

static void many_lives(uint32_t weak_at_most)
{
	uint32_t ops;

	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t n = 0; n < LIVES; n++) {
		bench_at(&b, "life %u", n);
		live(ops, throw_dice(weak_at_most + 1));
	}
}

static void on_nand(void **state)
{
	bench_add(&b, &nand, 5 * EB - 100);
	bench_ready(&b);
	many_lives(3);
}

static void on_nand_from_a_pipe(void **state)
{
	bench_add(&b, &nand, 5 * EB - 100);
	bench_ready(&b);
	many_lives(0);
	b.from_pipe = true;
	many_lives(0);
}

static void with_cleanmarkers(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
	many_lives(3);
}

static void with_a_kept_tail(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.tail[0] = TAIL_KEEP;
	bench_ready(&b);
	many_lives(2);
}

static void on_nor(void **state)
{
	bench_add(&b, &nor, 2 * EB + 5);
	bench_ready(&b);
	many_lives(0);
}

static void on_two_chips(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB);
	bench_ready(&b);
	many_lives(3);
}

static void on_ubi(void **state)
{
	static const struct ubi_shape shape = { PAGE, 2 * PAGE };
	static const uint32_t layout[] = { 3, 6 };

	bench_add(&b, &nand, 5 * EB);
	ubi_bench(&b, 0, &shape, 5, layout);
	many_lives(3);
}

static void on_a_disk(void **state)
{
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &first_sector);

	sim_add_region(c, 4, EB);
	bench_add_chip(&b, c, 3 * EB + 100);
	bench_ready(&b);
	many_lives(0);
}

static void on_flash_and_a_volume(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	bench_add(&b, &volume, 10000);
	bench_ready(&b);
	many_lives(2);
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(on_nand),
		sim_test(on_nand_from_a_pipe),
		sim_test(with_cleanmarkers),
		sim_test(with_a_kept_tail),
		sim_test(on_nor),
		sim_test(on_two_chips),
		sim_test(on_ubi),
		sim_test(on_a_disk),
		sim_test(on_flash_and_a_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
