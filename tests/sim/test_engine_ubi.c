// SPDX-License-Identifier: GPL-2.0-or-later
/* Ubinized images: erase counters survive, and no volume table is left where data is missing. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bytes.h"
#include "helpers.h"
#include "source.h"
#include "ubi_image.h"

enum { EB = 4096, PAGE = 512, BLOCKS = 12, IMAGE = 6 };

static const uint32_t bad[] = { 0, 5 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, BLOCKS, bad, 2 };
static const struct sim_geometry tight_nand = { SIM_NAND, EB, PAGE, 9, bad, 2 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 9, NULL, 0 };
static const struct ubi_shape pages = { PAGE, 2 * PAGE }, subpages = { 128, PAGE },
			      bytes = { 64, 128 };

/* Where the old volume table is, by good eraseblocks. */
static const uint32_t at_the_start[] = { 0, 1 }, moved[] = { 3, 6 }, swapped[] = { 2, 0 },
		      at_the_end[] = { 7, 8 };

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

static void on_nand(const uint32_t *layout)
{
	bench_add(&b, &nand, IMAGE * EB);
	ubi_bench(&b, 0, &pages, IMAGE, layout);
}

static void on_nand_with_subpages(const uint32_t *layout)
{
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &nand);

	sim_set_subpage(c, 128);
	bench_add_chip(&b, c, IMAGE * EB);
	ubi_bench(&b, 0, &subpages, IMAGE, layout);
}

static void on_nor(const uint32_t *layout)
{
	bench_add(&b, &nor, IMAGE * EB);
	ubi_bench(&b, 0, &bytes, IMAGE, layout);
}

/* Nothing to spare, and nothing behind. */
static void on_tight_nand(const uint32_t *layout)
{
	bench_add(&b, &tight_nand, 7 * EB);
	ubi_bench(&b, 0, &pages, 7, layout);
}

typedef void (*board)(const uint32_t *layout);

static const board boards[] = { on_nand, on_nand_with_subpages, on_nor };
static const uint32_t *const layouts[] = { at_the_start, moved, swapped, at_the_end };

/* All boards with all layouts, or each layout on the next board. */
static void run_on_all(void (*test)(void), bool each_with_each)
{
	for (size_t i = 0; i < 3; i++)
		for (size_t n = 0; n < 4; n++) {
			uint32_t runs = b.runs;

			if (!each_with_each && n % 3 != i)
				continue;

			boards[i](layouts[n]);
			b.runs = runs;
			test();
			runs = b.runs;
			bench_free(&b);
			bench_init(&b, EB);
			b.runs = runs;
		}
}

/* Each good eraseblock is erased once and counts that; a second run has nothing to do. */
static void run_and_run_again(void)
{
	struct sim_chip *c = b.chip[0];

	bench_run_well(&b);
	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		assert_int_equal(c->block[eb].erased, !c->block[eb].bad);
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	assert_false(b.begun);
	assert_int_equal(sim_count(&b.board, SIM_ERASE) + sim_count(&b.board, SIM_PROGRAM), 0);
	assert_int_equal(b.counts[0].identical, IMAGE);
}

static void counters_survive(void **state)
{
	run_on_all(run_and_run_again, true);
}

/* The counters in numbers: what was there and one more, or the average and one more. */
static void counters_in_numbers(void **state)
{
	struct sim_chip *c;
	int64_t mean;

	on_nand(moved);
	c = b.chip[0];
	mean = ubi_mean_counter(c);
	assert_int_equal(ubi_counter(c, 1), 100);
	assert_int_equal(ubi_counter(c, sim_good(c, 4)), -1);
	assert_int_equal(ubi_counter(c, sim_good(c, 5)), -1);
	bench_run_well(&b);
	for (uint32_t n = 0; n < 10; n++)
		assert_int_equal(ubi_counter(c, sim_good(c, n)),
				 n == 4 || n == 5 ? mean + 1 : 100 + 7 * n + 1);
}

static void no_counters_at_all(void **state)
{
	struct sim_chip *c;

	on_nand(moved);
	c = b.chip[0];
	for (uint32_t n = 0; n < 10; n++)
		sim_factory_block(c, sim_good(c, n), NULL, 0);
	bench_pack(&b);
	bench_run_well(&b);
	for (uint32_t n = 0; n < 10; n++)
		assert_int_equal(ubi_counter(c, sim_good(c, n)), 1);
}

/* An image that was written over itself once: what is equal stays, counters and all. */
static void small_difference(void **state)
{
	struct sim_chip *c;

	on_nand(moved);
	c = b.chip[0];
	bench_run_well(&b);
	for (uint32_t n = 0; n < 10; n++) {
		uint32_t eb = sim_good(c, n);

		bench_pack(&b);
		c->cells[target_block_offset(&c->target, eb) + 100] = 0x55;
		bench_run_well(&b);
		/* the first goes and comes back for any of them, and the second with it */
		for (uint32_t i = 0; i < 10; i++)
			assert_int_equal(c->block[sim_good(c, i)].erased, i <= 1 || i == n);
	}
}

static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT, SIM_CUT_LATE,
				     SIM_CUT_AFTER };

static void cut_everywhere(void)
{
	uint32_t ops;

	bench_run_well(&b);
	ops = b.board.ops;
	for (size_t i = 0; i < 5; i++)
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
	run_on_all(cut_everywhere, false);
}

/* The second run is cut as well, at what changes flash; the third is right. */
static void cut_twice(void **state)
{
	uint32_t ops;

	on_nand(moved);
	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t one = 0; one < ops; one += 7)
		for (uint32_t two = one % 5; two < ops; two += 5) {
			enum sim_how how = cuts[1 + (one + two) % 3];

			bench_restart(&b);
			bench_at(&b, "cut at operation %u, then %d at %u", one, how, two);
			sim_plan_fault(&b.board, one, cuts[1 + one % 3]);
			assert_int_equal(bench_run(&b), -1);
			sim_power_cycle(&b.board);
			sim_plan_fault(&b.board, two, how);
			(void)bench_run(&b); /* it may be behind the end */
			bench_check_rules(&b);
			bench_check_starts(&b);
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
}

static void fail_everywhere(void)
{
	static const uint32_t times[] = { 1, 3, SIM_FOR_EVER };
	uint32_t ops;

	bench_run_well(&b);
	ops = b.board.ops;
	for (uint32_t n = 0; n < 3 * 4 * ops; n++) {
		int result;

		bench_restart(&b);
		bench_at(&b, "operation %u goes wrong in way %u, %u times", n % ops, n / ops % 4,
			 times[n / ops / 4]);
		sim_plan_weakness(&b.board, n % ops, n / ops % 4, times[n / ops / 4]);
		result = bench_run(&b);
		bench_check_outcome(&b, result);
		if (result < 0)
			bench_check_mended(&b);
	}
}

static void failures(void **state)
{
	run_on_all(fail_everywhere, false);
}

static void failures_without_spare(void **state)
{
	on_tight_nand(moved);
	fail_everywhere();
}

/* Each eraseblock in turn goes bad in each way: data moves on, and so do not the counters. */
static void weak_blocks(void **state)
{
	static const enum sim_what kinds[] = { SIM_ERASE, SIM_PROGRAM, SIM_READ };

	for (size_t n = 0; n < 4; n++) {
		on_nand(layouts[n]);
		for (uint32_t way = 0; way < 9; way++)
			for (uint32_t nth = 0; nth < 10; nth++) {
				bench_restart(&b);
				bench_at(&b, "layout %zu, good eraseblock %u is weak in way %u", n,
					 nth, way);
				sim_weaken(b.chip[0], sim_good(b.chip[0], nth), kinds[way / 3],
					   way % 3, SIM_FOR_EVER);
				bench_run_well(&b);
				b.board.weaknesses = 0;
				sim_power_cycle(&b.board);
				bench_run_well(&b);
				assert_false(b.begun);
			}
		bench_free(&b);
		bench_init(&b, EB);
	}
}

/* ... and the power goes meanwhile. */
static void weak_blocks_and_a_cut(void **state)
{
	on_nand(moved);
	for (uint32_t n = 0; n < 10 * 2; n++) {
		uint32_t ops = 1, weak;

		bench_restart(&b);
		weak = sim_good(b.chip[0], n / 2);
		for (uint32_t op = 0; op < ops; op += 1 + op % 3) {
			bench_restart(&b);
			sim_weaken(b.chip[0], weak, n % 2 ? SIM_PROGRAM : SIM_ERASE, SIM_FAIL,
				   SIM_FOR_EVER);
			bench_at(&b, "eraseblock %u is weak, cut at operation %u", weak, op);
			if (op > 0)
				sim_plan_fault(&b.board, op, cuts[op % 5]);
			assert_int_equal(bench_run(&b), op ? -1 : 0);
			if (op == 0)
				ops = b.board.ops;
			bench_check_rules(&b);
			bench_check_starts(&b);
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
	}
}

/* An EC header that a flip has damaged hides nothing from UBI: the volume table is still one. */
static void cut_with_a_damaged_header(void **state)
{
	uint32_t ops;

	on_nand(moved);
	for (int copy = 0; copy < 2; copy++) {
		ubi_damage_header(b.chip[0], sim_good(b.chip[0], moved[copy]));
		bench_pack(&b);
		bench_run_well(&b);
		ops = b.board.ops;
		for (uint32_t op = 0; op < ops; op++) {
			bench_restart(&b);
			bench_at(&b, "copy %d is damaged, cut at operation %u", copy, op);
			sim_plan_fault(&b.board, op, SIM_CUT);
			assert_int_equal(bench_run(&b), -1);
			bench_check_starts(&b);
			sim_power_cycle(&b.board);
			bench_run_well(&b);
		}
		bench_restart(&b);
		ubi_damage_header(b.chip[0], sim_good(b.chip[0], moved[copy])); /* mends it */
	}
}

static void from_a_pipe(void **state)
{
	on_nand(moved);
	b.from_pipe = true;
	run_and_run_again();
	bench_restart(&b);
	fail_everywhere();
}

static void two_payloads(void **state)
{
	bench_add(&b, &nand, IMAGE * EB);
	bench_add(&b, &nor, 2 * EB);
	sim_factory_fill(b.chip[1], b.old[1], b.old_len[1]);
	ubi_bench(&b, 0, &pages, IMAGE, moved);
	cut_everywhere();
}

/* Images that are not ubinized for this flash are refused before anything is changed. */
static void wrong_images(void **state)
{
	on_nand(moved);
	for (int i = 0; i < 4; i++) {
		uint8_t *second = b.new[0] + EB, saved[EB];

		memcpy(saved, second, EB);
		if (i == 0)
			second[EB / 4 * 0 + 11] ^= 1; /* its CRC is wrong */
		else if (i == 1)
			memset(second, 0xff, EB);
		else if (i == 2)
			second[PAGE + 11] ^= 1; /* no volume table there */
		else
			second[0] = 'X';
		bench_pack(&b);
		bench_at(&b, "wrong in way %d", i);
		assert_int_equal(bench_run(&b), -1);
		assert_true(b.fault.kind == FAULT_IMAGE || b.fault.kind == FAULT_UNFIT);
		assert_false(b.begun);
		assert_true(bench_is_old(&b, 0));
		memcpy(second, saved, EB);
	}
	bench_pack(&b);
	bench_run_well(&b);
}

/* What can be read twice is looked at to its end before anything is changed. */
static int check_beforehand(void)
{
	static const struct key_ring no_keys;
	struct target *targets[] = { &b.chip[0]->target };
	struct source src;
	struct image img;
	int result;

	assert_int_equal(source_open(&src, temp_path("%s", b.image), &b.fault), 0);
	assert_int_equal(image_read(&img, &src, &no_keys, &b.fault), 0);
	img.payload[0].kind = PAYLOAD_UBI;
	sim_power_cycle(&b.board);
	result = engine_check_data(&img, &src, targets, &b.fault);
	assert_int_equal(b.board.ops, 0);
	if (result == 0)
		assert_int_equal(source_expect_end(&src, &b.fault), 0);
	image_free(&img);
	source_close(&src);
	return result;
}

static void wrong_images_are_known_beforehand(void **state)
{
	on_nand(moved);
	bench_pack(&b);
	assert_int_equal(check_beforehand(), 0);
	for (uint32_t n = 0; n < IMAGE; n++)
		for (uint32_t at = 0; at < 4; at++) { /* magic, counter, sequence, CRC */
			b.new[0][n * EB + at * 8 + (at == 3 ? 39 : 3)] ^= 1;
			bench_pack(&b);
			bench_at(&b, "eraseblock %u, way %u", n, at);
			assert_int_equal(check_beforehand(), -1);
			assert_int_equal(b.fault.kind, FAULT_IMAGE);
			b.new[0][n * EB + at * 8 + (at == 3 ? 39 : 3)] ^= 1;
		}
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(counters_survive),
		sim_test(counters_in_numbers),
		sim_test(no_counters_at_all),
		sim_test(small_difference),
		sim_test(cut),
		sim_test(cut_twice),
		sim_test(failures),
		sim_test(failures_without_spare),
		sim_test(weak_blocks),
		sim_test(weak_blocks_and_a_cut),
		sim_test(cut_with_a_damaged_header),
		sim_test(from_a_pipe),
		sim_test(two_payloads),
		sim_test(wrong_images),
		sim_test(wrong_images_are_known_beforehand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
