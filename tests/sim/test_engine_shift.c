// SPDX-License-Identifier: GPL-2.0-or-later
/* The first good eraseblocks go bad: all that follows them moves, and is written again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512, FIRST = 1 };

static const uint32_t bad[] = { 0, 4 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 10, bad, 2 };
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

/* How an eraseblock is bad: found when it is to be erased, or only when it is committed. */
struct weakness {
	enum sim_what what;
	enum sim_how how;
};

static const struct weakness weaknesses[] = {
	{ SIM_ERASE, SIM_FAIL },   { SIM_ERASE, SIM_REFUSE },   { SIM_ERASE, SIM_GARBLE },
	{ SIM_PROGRAM, SIM_FAIL }, { SIM_PROGRAM, SIM_REFUSE }, { SIM_PROGRAM, SIM_GARBLE },
	{ SIM_READ, SIM_FAIL },    { SIM_READ, SIM_FLIP },      { SIM_READ, SIM_GARBLE },
};

enum { WEAKNESSES = sizeof(weaknesses) / sizeof(*weaknesses) };

static void weaken(unsigned int chip, uint32_t nth, const struct weakness *w)
{
	sim_weaken(b.chip[chip], sim_good(b.chip[chip], nth), w->what, w->how, SIM_FOR_EVER);
}

/* The first so many good eraseblocks are weak, in all ways that there are. */
static void shift_by(uint32_t count, unsigned int chip)
{
	uint32_t ways = 1;

	for (uint32_t i = 0; i < count; i++)
		ways *= WEAKNESSES;
	for (uint32_t way = 0; way < ways; way++) {
		uint32_t left = way;

		bench_restart(&b);
		bench_at(&b, "%u eraseblocks are weak, in way %u", count, way);
		for (uint32_t i = 0; i < count; i++, left /= WEAKNESSES)
			weaken(chip, i, &weaknesses[left % WEAKNESSES]);
		bench_run_well(&b);
		assert_int_equal(b.newly_bad[chip], count);
		assert_int_equal(b.counts[chip].bad, 2 + count);
		assert_int_equal(b.counts[chip].written + b.counts[chip].identical, 4);
		assert_true(b.notes > count); /* one for each, and one that it starts again */
		/* ... and now all is as it should be. */
		sim_power_cycle(&b.board);
		bench_run_well(&b);
		assert_false(b.begun);
	}
}

static void one(void **state)
{
	bench_add(&b, &nand, 4 * EB - 1000);
	bench_ready(&b);
	shift_by(1, 0);
}

static void two(void **state)
{
	bench_add(&b, &nand, 4 * EB - 1000);
	bench_ready(&b);
	shift_by(2, 0);
}

static void three(void **state)
{
	bench_add(&b, &nand, 4 * EB - 1000);
	bench_ready(&b);
	shift_by(3, 0);
}

static void first_of_two_payloads(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_ready(&b);
	shift_by(1, 0);
	shift_by(2, 0);
}

static void second_of_two_payloads(void **state)
{
	bench_add(&b, &nor, 3 * EB);
	bench_add(&b, &nand, 4 * EB);
	bench_ready(&b);
	shift_by(1, 1);
	shift_by(2, 1);
}

/* Chunks that do not end where eraseblocks end have to be found again, too. */
static void odd_chunks(void **state)
{
	b.chunk_size = 5000;
	bench_add(&b, &nor, 2 * EB + 5);
	bench_add(&b, &nand, 4 * EB - 1);
	bench_ready(&b);
	shift_by(1, 1);
}

static void with_a_kept_tail(void **state)
{
	bench_add(&b, &nand, 4 * EB - 1000);
	b.tail[0] = TAIL_KEEP;
	bench_ready(&b);
	shift_by(1, 0);
}

static void with_cleanmarkers(void **state)
{
	bench_add(&b, &nand, 4 * EB - 1000);
	b.tail[0] = TAIL_JFFS2;
	bench_ready(&b);
	shift_by(1, 0);
	shift_by(2, 0);
}

/* Nothing but the first eraseblock differs, and that one is weak: all the others move. */
static void only_the_first_differs(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_old_differs_in(&b, 0, 1);
	bench_ready(&b);
	shift_by(1, 0);
}

/* Weak ones behind the first make no shift, but less room. */
static void one_behind_the_first(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_ready(&b);
	for (uint32_t nth = 1; nth < 8; nth++)
		for (uint32_t way = 0; way < WEAKNESSES; way++) {
			bench_restart(&b);
			bench_at(&b, "good eraseblock %u is weak in way %u", nth, way);
			weaken(0, nth, &weaknesses[way]);
			bench_run_well(&b);
			assert_int_equal(b.notes, b.newly_bad[0]);
			/* The fourth is blank, and none is programmed behind; and what an erase
			 * leaves behind may be what the data would have there. */
			if (nth < 3 ? weaknesses[way].what != SIM_ERASE
				    : weaknesses[way].what != SIM_PROGRAM)
				assert_int_equal(b.newly_bad[0], 1);
		}
}

/*
 * A pipe cannot be read again. What it gave is in flash when the first eraseblock is to be
 * committed, and moves on from there; before, the run ends, and the next one passes it over.
 */
static void from_a_pipe(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.from_pipe = true;
	bench_ready(&b);
	for (uint32_t way = 0; way < WEAKNESSES; way++) {
		bench_restart(&b);
		bench_at(&b, "way %u", way);
		weaken(0, 0, &weaknesses[way]);
		if (weaknesses[way].what == SIM_PROGRAM) {
			bench_run_well(&b);
			assert_int_equal(b.newly_bad[0], 1);
			continue;
		}
		assert_int_equal(bench_run(&b), -1);
		assert_fault(&b.fault, FAULT_FLASH, "cannot be read again");
		bench_check_outcome(&b, -1);
		assert_true(sim_is_blank(b.chip[0], sim_good(b.chip[0], 0)));
		assert_true(b.chip[0]->block[FIRST].bad);
		bench_check_mended(&b);
		assert_true(b.chip[0]->block[FIRST].bad);
	}
}

/* Two and three in a row that cannot be committed, with more data than fits into RAM at once. */
static void several_from_a_pipe(void **state)
{
	static const struct sim_geometry large = { SIM_NAND, EB, PAGE, 24, bad, 2 };

	bench_add(&b, &large, 15 * EB - 10);
	b.from_pipe = true;
	bench_ready(&b);
	for (uint32_t first = 0; first < 3; first++)
		for (uint32_t more = 0; more < 16; more++) {
			bench_restart(&b);
			bench_at(&b, "%u in a row, and %u", first + 1, more);
			for (uint32_t i = 0; i <= first; i++)
				sim_weaken(b.chip[0], sim_good(b.chip[0], i), SIM_PROGRAM, SIM_FAIL,
					   SIM_FOR_EVER);
			sim_weaken(b.chip[0], sim_good(b.chip[0], more), SIM_PROGRAM, SIM_GARBLE,
				   SIM_FOR_EVER);
			bench_run_well(&b);
			assert_true(b.newly_bad[0] > first);
		}
}

/* Without a spare one there is nowhere to go. */
static void nothing_to_spare(void **state)
{
	bench_add(&b, &nand, 8 * EB);
	bench_ready(&b);
	for (uint32_t way = 0; way < WEAKNESSES; way++) {
		bench_restart(&b);
		bench_at(&b, "way %u", way);
		weaken(0, 0, &weaknesses[way]);
		assert_int_equal(bench_run(&b), -1);
		assert_fault(&b.fault, FAULT_FLASH, "none is left to spare");
		assert_int_equal(b.newly_bad[0], 0);
		bench_check_outcome(&b, -1);
		bench_check_mended(&b);
	}
}

/* Tail eraseblocks are room to move into, for what is not to be kept there. */
static void last_of_the_room(void **state)
{
	bench_add(&b, &nand, 7 * EB);
	bench_ready(&b);
	for (uint32_t way = 0; way < WEAKNESSES; way++) {
		bench_restart(&b);
		bench_at(&b, "way %u", way);
		weaken(0, 0, &weaknesses[way]);
		bench_run_well(&b);
		assert_int_equal(b.newly_bad[0], 1);
	}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(one),
		sim_test(two),
		sim_test(three),
		sim_test(first_of_two_payloads),
		sim_test(second_of_two_payloads),
		sim_test(odd_chunks),
		sim_test(with_a_kept_tail),
		sim_test(with_cleanmarkers),
		sim_test(only_the_first_differs),
		sim_test(one_behind_the_first),
		sim_test(from_a_pipe),
		sim_test(several_from_a_pipe),
		sim_test(nothing_to_spare),
		sim_test(last_of_the_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
