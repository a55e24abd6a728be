// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of the flash behind an image: blank, kept, or full of JFFS2's cleanmarkers. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512, BLOCKS = 10 };

static const uint32_t bad[] = { 0, 7 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, BLOCKS, bad, 2 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, BLOCKS, NULL, 0 };

/* As flash_erase -j of mtd-utils leaves them, on a little-endian machine. */
static const uint8_t in_oob[] = { 0x85, 0x19, 0x03, 0x20, 8, 0, 0, 0 };
static const uint8_t in_band[] = { 0x85, 0x19, 0x03, 0x20, 12, 0, 0, 0, 0xb1, 0xb0, 0x1e, 0xe4 };

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

static void with_cleanmarkers(const struct sim_geometry *g, size_t new_len)
{
	bench_add(&b, g, new_len);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
}

static void markers_in_oob(void **state)
{
	with_cleanmarkers(&nand, 3 * EB - 5);
	bench_run_well(&b);
	assert_int_equal(b.counts[0].cleared, 5);
	for (uint32_t n = 0; n < 8; n++) {
		uint32_t eb = sim_good(b.chip[0], n);

		if (n >= 3) {
			assert_memory_equal(sim_oob(b.chip[0], eb), in_oob, sizeof(in_oob));
			assert_true(sim_is_blank(b.chip[0], eb));
		} else { /* JFFS2 does not ask for one where there are nodes */
			assert_int_equal(sim_oob(b.chip[0], eb)[0], n ? 0xff : 'F');
		}
	}
}

static void markers_in_band(void **state)
{
	with_cleanmarkers(&nor, 3 * EB - 5);
	bench_run_well(&b);
	assert_int_equal(b.counts[0].cleared, BLOCKS - 3);
	for (uint32_t eb = 3; eb < BLOCKS; eb++) {
		assert_memory_equal(sim_cells(b.chip[0], eb), in_band, sizeof(in_band));
		assert_int_equal(sim_cells(b.chip[0], eb)[sizeof(in_band)], 0xff);
	}
}

/* In what little room there is, and not a byte more than is there. */
static void least_oob(void **state)
{
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &nand);

	sim_set_oob(c, 8);
	bench_add_chip(&b, c, 3 * EB);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
	bench_run_well(&b);
	assert_memory_equal(sim_oob(c, 9), in_oob, sizeof(in_oob));
}

static void no_room_in_oob(void **state)
{
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &nand);

	sim_set_oob(c, 7);
	bench_add_chip(&b, c, 3 * EB);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
	assert_int_equal(bench_run(&b), -1);
	assert_int_equal(b.fault.kind, FAULT_UNFIT);
	assert_false(b.begun);
	assert_true(bench_is_old(&b, 0));
	b.tail[0] = TAIL_ERASE;
	bench_run_well(&b);
}

static void nothing_behind(void **state)
{
	static const enum tail_policy tails[] = { TAIL_ERASE, TAIL_KEEP, TAIL_JFFS2 };

	with_cleanmarkers(&nand, 8 * EB);
	for (int i = 0; i < 3; i++) {
		b.tail[0] = tails[i];
		bench_restart(&b);
		bench_run_well(&b);
		assert_int_equal(b.counts[0].cleared, 0);
		assert_int_equal(sim_count(&b.board, SIM_WRITE_OOB), 3); /* the start's stamps */
	}
}

/* An eraseblock with half a marker, or with another one, is erased and gets a whole one. */
static void markers_that_are_not(void **state)
{
	with_cleanmarkers(&nand, 3 * EB);
	bench_old_differs_in(&b, 0, 0);
	bench_ready(&b);
	for (uint32_t byte = 0; byte < sizeof(in_oob); byte++) {
		bench_restart(&b);
		for (uint32_t n = 3; n < 8; n++)
			memcpy(sim_oob(b.chip[0], sim_good(b.chip[0], n)), in_oob, sizeof(in_oob));
		sim_oob(b.chip[0], 5)[byte] ^= 0x80;
		bench_run_well(&b);
		assert_int_equal(b.counts[0].cleared, 1);
		assert_int_equal(b.chip[0]->block[5].erased, 1);
	}
}

/* Changing the mind: each policy makes its own of what another one has left. */
static void one_policy_after_another(void **state)
{
	static const enum tail_policy tails[] = { TAIL_JFFS2, TAIL_ERASE, TAIL_JFFS2 };
	const struct sim_geometry *g[] = { &nand, &nor };

	for (int chip = 0; chip < 2; chip++) {
		with_cleanmarkers(g[chip], 3 * EB);
		for (int i = 0; i < 3; i++) {
			b.tail[0] = tails[i];
			bench_pack(&b);
			bench_at(&b, "chip %d, policy %d", chip, i);
			bench_run_well(&b);
		}
		bench_free(&b);
		bench_init(&b, EB);
	}
}

/* Writing OOB fails for ever: the eraseblock is bad, and the tail has one less. */
static void weak_oob(void **state)
{
	static const enum sim_how ways[] = { SIM_FAIL, SIM_REFUSE, SIM_GARBLE };

	with_cleanmarkers(&nand, 3 * EB);
	for (int i = 0; i < 3; i++) {
		bench_restart(&b);
		sim_weaken(b.chip[0], 5, SIM_WRITE_OOB, ways[i], SIM_FOR_EVER);
		bench_run_well(&b);
		assert_int_equal(b.newly_bad[0], 1);
		assert_int_equal(b.counts[0].cleared, 4);
	}
}

/* What is kept may be anything, and is not even read. */
static void kept_is_not_touched(void **state)
{
	bench_add(&b, &nand, 2 * EB + 10);
	b.tail[0] = TAIL_KEEP;
	bench_ready(&b);
	for (uint32_t n = 3; n < 8; n++)
		sim_weaken(b.chip[0], sim_good(b.chip[0], n), SIM_READ, SIM_FAIL, SIM_FOR_EVER);
	bench_run_well(&b);
	for (uint32_t i = 0; i < b.board.ops; i++) {
		const struct sim_op *op = &b.board.log[i];

		if (op->what != SIM_IS_BAD && op->what != SIM_ECC)
			assert_true(op->eb <= 3);
	}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(markers_in_oob),
		sim_test(markers_in_band),
		sim_test(least_oob),
		sim_test(no_room_in_oob),
		sim_test(nothing_behind),
		sim_test(markers_that_are_not),
		sim_test(one_policy_after_another),
		sim_test(weak_oob),
		sim_test(kept_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
