// SPDX-License-Identifier: GPL-2.0-or-later
/* What is done to flash is what has to be done, and nothing else: counted by operations. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bytes.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512 };

static const uint32_t bad[] = { 0, 4 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 10, bad, 2 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 8, NULL, 0 };
static const struct sim_geometry nor_small = { SIM_NOR, 1024, 1, 4, NULL, 0 };

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

/* Runs of units that are not blank: so often NAND or NOR has to be programmed, at least. */
static uint32_t runs_in(const uint8_t *data, size_t len)
{
	uint32_t runs = 0;
	bool before = false;

	for (size_t at = 0; at < len; at += PAGE) {
		bool now = !all_ff(data + at, len - at < PAGE ? len - at : PAGE);

		runs += now && !before;
		before = now;
	}
	return runs;
}

/* What one run has to do to the chip, by the counts of its operations. */
struct work {
	uint32_t erases, programs, oob;
};

/* NOR's start is programmed in two parts, the first byte last. */
static uint32_t programs_for(struct sim_chip *c, const uint8_t *data, size_t len, bool first)
{
	if (!first || c->kind != SIM_NOR)
		return runs_in(data, len);
	return 1 + runs_in(data + 1, len - 1);
}

/* Of a first eraseblock that had something in it: when that goes, and twice when it is programmed. */
static uint32_t stamps_for(struct sim_chip *c)
{
	if (c->kind != SIM_NAND)
		return 0;
	return sim_is_blank(c, sim_good(c, 0)) ? 2 : 3;
}

static bool has_marker(struct sim_chip *c, uint32_t eb)
{
	return c->kind == SIM_NAND ? sim_oob(c, eb)[0] == 0x85 : sim_cells(c, eb)[0] == 0x85;
}

/* Of an eraseblock behind the image. */
static bool tail_differs(struct sim_chip *c, uint32_t eb, enum tail_policy tail)
{
	if (tail == TAIL_KEEP)
		return false;
	if (tail == TAIL_ERASE)
		return !sim_is_blank(c, eb);
	return !has_marker(c, eb) || !all_ff(sim_cells(c, eb) + PAGE, 1024 - PAGE);
}

/* By looking at the flash as it is, and at the image. */
static struct work expected_work(unsigned int chip)
{
	struct sim_chip *c = b.chip[chip];
	const uint8_t *data = b.new[chip];
	size_t left = b.new_len[chip];
	bool first_differs = false;
	struct work w = { 0 };

	for (uint32_t eb = 0, nth = 0; eb < c->target.blocks; eb++) {
		size_t size = target_block_size(&c->target, eb), len = left < size ? left : size;
		bool differs;

		if (c->block[eb].bad)
			continue;
		differs = len ? !sim_block_holds(c, eb, data, len)
			      : tail_differs(c, eb, b.tail[chip]);
		if (nth == 0)
			first_differs = differs;
		w.erases += differs;
		if (differs && len)
			w.programs += programs_for(c, data, len, nth == 0);
		if (differs && !len && b.tail[chip] == TAIL_JFFS2) {
			w.oob += c->kind == SIM_NAND;
			w.programs += c->kind == SIM_NOR;
		}
		nth++;
		data += len;
		left -= len;
	}
	if (w.erases && !first_differs) { /* it makes way for the others, and comes back */
		size_t size = target_block_size(&c->target, sim_good(c, 0));

		w.erases++;
		w.programs += programs_for(c, b.new[chip],
					   b.new_len[chip] < size ? b.new_len[chip] : size, true);
	}
	w.oob += w.erases ? stamps_for(c) : 0;
	return w;
}

static uint32_t count_on(unsigned int chip, enum sim_what what)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < b.board.ops; i++)
		count += b.board.log[i].chip == chip && b.board.log[i].what == what;
	return count;
}

/* A run does the work that is expected of it, and the next one does nothing. */
static void check_work(void)
{
	struct work want[BENCH_CHIPS];

	for (unsigned int i = 0; i < b.count; i++)
		want[i] = expected_work(i);
	bench_run_well(&b);
	for (unsigned int i = 0; i < b.count; i++) {
		if (count_on(i, SIM_ERASE) != want[i].erases ||
		    count_on(i, SIM_PROGRAM) != want[i].programs ||
		    count_on(i, SIM_WRITE_OOB) != want[i].oob)
			bench_fail(&b, "chip %u: wanted are %u erases, %u programs, %u OOB writes",
				   i, want[i].erases, want[i].programs, want[i].oob);
		assert_int_equal(b.counts[i].retried, 0);
	}
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	assert_false(b.begun);
	for (uint32_t i = 0; i < b.board.ops; i++)
		assert_false(sim_changes(&b.board.log[i]));
}

/* All sets of differing eraseblocks among the first so many. */
static void every_difference(unsigned int chip, uint32_t blocks)
{
	for (uint64_t differing = 0; differing < (uint64_t)1 << blocks; differing++) {
		bench_at(&b, "difference %#x", (unsigned int)differing);
		bench_old_differs_in(&b, chip, differing);
		sim_factory_fill(b.chip[chip], b.old[chip], b.old_len[chip]);
		sim_power_cycle(&b.board);
		check_work();
	}
}

static void on_nand(void **state)
{
	bench_add(&b, &nand, 5 * EB - 700);
	bench_ready(&b);
	check_work();
	every_difference(0, 8);
}

static void on_nor(void **state)
{
	bench_add(&b, &nor, 5 * EB - 700);
	bench_ready(&b);
	check_work();
	every_difference(0, 8);
}

static void on_regions(void **state)
{
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &nor_small);

	sim_add_region(c, 4, EB);
	bench_add_chip(&b, c, 4 * 1024 + 2 * EB + 5);
	bench_ready(&b);
	check_work();
	every_difference(0, 8);
}

/* The small ones at the end, as bottom-boot and top-boot chips differ. */
static void on_regions_at_the_end(void **state)
{
	static const struct sim_geometry large = { SIM_NOR, EB, 1, 3, NULL, 0 };
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &large);

	sim_add_region(c, 4, 1024);
	bench_add_chip(&b, c, 3 * EB + 1024 + 5);
	bench_ready(&b);
	check_work();
	every_difference(0, 7);
}

static void on_two_chips(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nor, 2 * EB);
	bench_ready(&b);
	check_work();
	every_difference(0, 5);
	every_difference(1, 5);
}

static void with_a_kept_tail(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	b.tail[0] = TAIL_KEEP;
	bench_ready(&b);
	check_work();
}

/* Cleanmarkers that are there, and blank, are left; what has none, or more than one, is not. */
static void with_cleanmarkers(void **state)
{
	static const uint8_t oob[] = { 0x85, 0x19, 0x03, 0x20, 8, 0, 0, 0 };

	bench_add(&b, &nand, 3 * EB);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
	check_work();
	for (uint32_t set = 0; set < 1 << 5; set++) {
		struct sim_chip *c = b.chip[0];

		bench_old_differs_in(&b, 0, 1 << 3);
		sim_factory_fill(c, b.old[0], b.old_len[0]);
		for (uint32_t n = 0; n < 5; n++)
			if (set >> n & 1)
				memcpy(sim_oob(c, sim_good(c, 3 + n)), oob, sizeof(oob));
		sim_power_cycle(&b.board);
		if (set & 1) { /* a marker and a node behind it: used, and not by us */
			sim_cells(c, sim_good(c, 3))[PAGE] = 0x19;
			c->state[target_block_offset(&c->target, sim_good(c, 3)) / PAGE + 1] = 1;
		}
		check_work();
	}
}

static void with_cleanmarkers_on_nor(void **state)
{
	bench_add(&b, &nor, 3 * EB);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
	check_work();
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(on_nand),           sim_test(on_nor),
		sim_test(on_regions),        sim_test(on_regions_at_the_end),
		sim_test(on_two_chips),      sim_test(with_a_kept_tail),
		sim_test(with_cleanmarkers), sim_test(with_cleanmarkers_on_nor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
