// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A raw image onto a partition that held a UBI, cut at every operation, without a journal: the guard
 * goes by what it finds, and a volume table of the UBI may be anywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"
#include "ubi_image.h"
#include "verdict.h"

enum { EB = 4096, PAGE = 512, PAYLOAD_BLOCKS = 6 };

static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 12, NULL, 0 };
static const struct ubi_shape shape = { PAGE, 2 * PAGE };
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

static bool guard_boots(void)
{
	struct target *t = &b.chip[0]->target;
	char why[VERDICT_WHY];
	enum start_state s;
	struct fault f;

	assert_int_equal(start_look(t, start_holds_ubi(t), &s, &f), 0);
	return verdict_of(NULL, &s, 1, 0, why) == VERDICT_BOOT;
}

/* The UBI with one copy of its table less is the one that it was. */
static bool is_old(const uint32_t *layout)
{
	for (uint32_t eb = 0; eb < b.chip[0]->target.blocks; eb++)
		if (eb != layout[0] && eb != layout[1] &&
		    !sim_data_unchanged(b.chip[0], b.start, eb))
			return false;
	return true;
}

static void cut_everywhere(const uint32_t *layout)
{
	static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT,
					     SIM_CUT_LATE,   SIM_CUT_AFTER, SIM_CUT_WEAK };
	uint32_t ops;

	bench_restart(&b);
	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t n = 0; n < ops * 6; n++) {
		bench_restart(&b);
		sim_plan_fault(&b.board, n / 6, cuts[n % 6]);
		(void)bench_run(&b);
		sim_power_cycle(&b.board);
		if (guard_boots() && !is_old(layout) && !b.judge[0]->is_new(&b, 0))
			fail_msg("cut %u at operation %u: neither firmware was booted", n % 6,
				 n / 6);
	}
}

static void raw_over_ubi(void **state)
{
	static const uint32_t layouts[][2] = { { 0, 1 }, { 1, 4 }, { 6, 9 }, { 8, 10 } };

	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		bench_add(&b, &nand, (size_t)PAYLOAD_BLOCKS * EB);
		ubi_bench(&b, 0, &shape, PAYLOAD_BLOCKS, layouts[i]);
		b.kind[0] = PAYLOAD_MTD;
		b.tail[0] = TAIL_ERASE;
		b.judge[0] = &bench_raw;
		fill_random(b.new[0], b.new_len[0], 4711);
		bench_pack(&b);
		cut_everywhere(layouts[i]);
		bench_free(&b);
		bench_init(&b, EB);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(raw_over_ubi, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
