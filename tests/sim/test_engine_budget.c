// SPDX-License-Identifier: GPL-2.0-or-later
/* How many eraseblocks one run may mark bad, what for, and what it says when it may not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512 };

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

static void with_chip(uint32_t blocks, uint32_t needed)
{
	const struct sim_geometry g = { SIM_NAND, EB, PAGE, blocks, NULL, 0 };

	bench_add(&b, &g, (size_t)needed * EB);
	fill_random(b.new[0], b.new_len[0], 5); /* no blank ones: each is programmed */
	bench_ready(&b);
}

static void weaken(uint32_t from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		sim_weaken(b.chip[0], from + i, SIM_PROGRAM, SIM_FAIL, SIM_FOR_EVER);
}

static void expect_the_end(const char *why, uint32_t marked)
{
	assert_int_equal(bench_run(&b), -1);
	bench_check_outcome(&b, -1);
	assert_fault(&b.fault, FAULT_FLASH, why);
	assert_int_equal(b.newly_bad[0], marked);
	assert_true(sim_is_blank(b.chip[0], sim_good(b.chip[0], 0)));
}

/* As many as can be spared, wherever they are; and one more. */
static void spare_ones(void **state)
{
	for (uint32_t spare = 0; spare <= 3; spare++) {
		with_chip(5 + spare, 5);
		for (uint32_t from = 0; from < 5; from++) {
			bench_restart(&b);
			bench_at(&b, "%u spare, weak from %u on", spare, from);
			weaken(from, spare);
			bench_run_well(&b);
			assert_int_equal(b.newly_bad[0], spare);
			bench_restart(&b);
			weaken(from, spare + 1);
			if (from + spare + 1 <= 5 + spare)
				expect_the_end("ran out of good eraseblocks", spare);
		}
		bench_free(&b);
		bench_init(&b, EB);
	}
}

/* A chip that loses more than a few at once has another problem. */
static void more_than_believable(void **state)
{
	static const uint32_t blocks[] = { 20, 49, 50, 120 }, limits[] = { 4, 4, 5, 6 };

	for (size_t i = 0; i < 4; i++) {
		with_chip(blocks[i], 6);
		for (uint32_t from = 0; from < 4; from++) {
			bench_at(&b, "%u eraseblocks, weak from %u on", blocks[i], from);
			bench_restart(&b);
			weaken(from, limits[i]);
			bench_run_well(&b);
			assert_int_equal(b.newly_bad[0], limits[i]);
			bench_restart(&b);
			weaken(from, limits[i] + 1);
			expect_the_end("check the supply", limits[i]);
		}
		bench_free(&b);
		bench_init(&b, EB);
	}
}

/* Programming fails all over, as it does when the supply breaks down. */
static void every_program_fails(void **state)
{
	with_chip(20, 6);
	sim_weaken(b.chip[0], SIM_EVERY_BLOCK, SIM_PROGRAM, SIM_FAIL, SIM_FOR_EVER);
	expect_the_end("check the supply", 4);
	bench_check_mended(&b);
}

/*
 * Nothing can be erased, as behind a write-protect pin: whatever is the start then is not a
 * firmware's, and the chip does not lose one eraseblock after the other. The second time an update
 * that was cut goes on, and finds the start blank.
 */
static void every_erase_fails(void **state)
{
	with_chip(20, 6);
	for (uint32_t n = 0; n < 2 * 3; n++) {
		enum sim_how how = n % 3;

		bench_restart(&b);
		bench_at(&b, "erasing goes wrong in way %u", n);
		if (n >= 3)
			sim_factory_block(b.chip[0], 0, NULL, 0);
		sim_weaken(b.chip[0], SIM_EVERY_BLOCK, SIM_ERASE, how, SIM_FOR_EVER);
		assert_int_equal(bench_run(&b), -1);
		bench_check_outcome(&b, -1);
		assert_true(b.newly_bad[0] <= (how == SIM_GARBLE ? 4 : 1)); /* it says it can */
	}
}

/* What the driver says of its statistics says nothing of an eraseblock. */
static void ecc_statistics_that_fail(void **state)
{
	with_chip(20, 6);
	for (uint32_t times = 1; times < 40; times += times < 8 ? 1 : 8) {
		bench_restart(&b);
		bench_at(&b, "%u times", times);
		sim_weaken(b.chip[0], SIM_EVERY_BLOCK, SIM_ECC, SIM_REFUSE, times);
		bench_check_outcome(&b, bench_run(&b));
		assert_int_equal(b.newly_bad[0], 0);
	}
}

static const int not_its_own_fault[] = { ENODEV, EROFS, ENOMEM, EINTR, EBUSY, EINVAL, EPERM };

/* A device that has gone, or was made read-only, is no bad eraseblock; once or every time. */
static void other_errors_mark_nothing(void **state)
{
	uint32_t ops, reached = 0;

	with_chip(8, 5);
	bench_run_well(&b);
	ops = b.board.ops;
	for (size_t i = 0; i < sizeof(not_its_own_fault) / sizeof(*not_its_own_fault); i++)
		for (uint32_t op = 0; op < ops; op++) {
			enum sim_what what;
			int result;

			bench_restart(&b);
			bench_at(&b, "errno %d at operation %u", not_its_own_fault[i], op);
			sim_plan_errno(&b.board, op, op % 2 ? SIM_FAIL : SIM_REFUSE,
				       not_its_own_fault[i]);
			result = bench_run(&b);
			bench_check_outcome(&b, result);
			assert_int_equal(b.newly_bad[0], 0);
			what = b.board.log[op].what;
			if (what != SIM_ERASE && what != SIM_PROGRAM)
				continue;
			/* it ends at once, but for a start that is half written */
			assert_int_equal(result, -1);
			assert_int_equal(b.fault.err, not_its_own_fault[i]);
			for (uint32_t n = op + 1; n < b.board.ops; n++)
				if (sim_changes(&b.board.log[n]) &&
				    b.board.log[n].eb != sim_good(b.chip[0], 0))
					bench_fail(&b, "operation %u comes after it", n);
			reached++;
		}
	assert_true(reached > 50);
}

static void other_errors_for_ever(void **state)
{
	static const enum sim_what kinds[] = { SIM_ERASE, SIM_PROGRAM, SIM_READ };

	with_chip(8, 5);
	for (size_t i = 0; i < sizeof(not_its_own_fault) / sizeof(*not_its_own_fault); i++)
		for (uint32_t n = 0; n < 3 * 8; n++) {
			bench_restart(&b);
			bench_at(&b, "errno %d, kind %d, eraseblock %u", not_its_own_fault[i],
				 kinds[n % 3], n / 3);
			sim_weaken_errno(b.chip[0], n / 3, kinds[n % 3], SIM_REFUSE, SIM_FOR_EVER,
					 not_its_own_fault[i]);
			bench_check_outcome(&b, bench_run(&b));
			assert_int_equal(b.newly_bad[0], 0);
		}
}

/* NOR has no marks: two attempts, and the end. */
static void nor_has_no_spare_ones(void **state)
{
	const struct sim_geometry g = { SIM_NOR, EB, 1, 6, NULL, 0 };
	char name[32];

	bench_add(&b, &g, 4 * EB);
	fill_random(b.new[0], b.new_len[0], 5);
	bench_ready(&b);
	for (uint32_t eb = 0; eb < 4; eb++) {
		bench_restart(&b);
		weaken(eb, 1);
		assert_int_equal(bench_run(&b), -1);
		bench_check_outcome(&b, -1);
		(void)snprintf(name, sizeof(name), "eraseblock %u:", eb);
		assert_fault(&b.fault, FAULT_FLASH, name);
		assert_true(b.counts[0].retried == 1);
		assert_true(b.chip[0]->block[eb].erased <= (eb ? 2 : 3));
		bench_check_mended(&b);
	}
}

/* One that gets over it in the torture stays in use; nothing is said of it. */
static void a_bad_day(void **state)
{
	with_chip(8, 5);
	for (uint32_t eb = 0; eb < 5; eb++) {
		bench_restart(&b);
		sim_weaken(b.chip[0], eb, SIM_PROGRAM, SIM_FAIL, 2);
		bench_run_well(&b);
		assert_int_equal(b.newly_bad[0], 0);
		assert_int_equal(b.counts[0].retried, 1);
		assert_int_equal(b.notes, 0);
		/* two attempts, four times torture, and what was erased at the end of it is used */
		assert_true(b.chip[0]->block[eb].erased <= (eb ? 6 : 7));
	}
}

/* ... and one that fails in it, in any of its patterns, is given up, though it might do now. */
static void does_not_stand_the_torture(void **state)
{
	with_chip(8, 5);
	for (uint32_t eb = 0; eb < 5; eb++)
		for (uint32_t times = 3; times <= 5; times++) {
			bench_restart(&b);
			bench_at(&b, "eraseblock %u, %u times", eb, times);
			sim_weaken(b.chip[0], eb, SIM_PROGRAM, SIM_GARBLE, times);
			bench_run_well(&b);
			assert_int_equal(b.newly_bad[0], 1);
		}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(spare_ones),
		sim_test(more_than_believable),
		sim_test(every_program_fails),
		sim_test(every_erase_fails),
		sim_test(ecc_statistics_that_fail),
		sim_test(other_errors_mark_nothing),
		sim_test(other_errors_for_ever),
		sim_test(nor_has_no_spare_ones),
		sim_test(a_bad_day),
		sim_test(does_not_stand_the_torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
