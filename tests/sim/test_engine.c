// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine on flash that does what it should: bytes, counts, order, and images that are wrong. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512, BLOCKS = 10 };

static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, BLOCKS, NULL, 0 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, BLOCKS, NULL, 0 };

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

static void update_one(const struct sim_geometry *g, size_t new_len, uint32_t chunk_size)
{
	b.chunk_size = chunk_size;
	bench_add(&b, g, new_len);
	bench_ready(&b);
	bench_run_well(&b);
	assert_true(b.begun);
	/* ... and a second time there is nothing to do. */
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	assert_false(b.begun);
	assert_int_equal(sim_count(&b.board, SIM_ERASE), 0);
	assert_int_equal(sim_count(&b.board, SIM_PROGRAM), 0);
	assert_int_equal(b.counts[0].identical, (new_len + g->eraseblock - 1) / g->eraseblock);
	assert_int_equal(b.counts[0].written + b.counts[0].cleared + b.counts[0].retried, 0);
	bench_free(&b);
	bench_init(&b, EB);
}

static void geometries(void **state)
{
	static const struct sim_geometry g[] = {
		{ SIM_NAND, 4096, 512, 10, NULL, 0 },   { SIM_NAND, 16384, 512, 8, NULL, 0 },
		{ SIM_NAND, 131072, 2048, 5, NULL, 0 }, { SIM_NAND, 4096, 4096, 10, NULL, 0 },
		{ SIM_NOR, 4096, 1, 10, NULL, 0 },      { SIM_NOR, 65536, 2, 4, NULL, 0 },
		{ SIM_NOR, 8192, 64, 6, NULL, 0 },
	};
	static const uint32_t chunks[] = { 4096, 5000, 65536 };

	for (size_t i = 0; i < sizeof(g) / sizeof(*g); i++)
		for (size_t c = 0; c < 3; c++) {
			size_t eb = g[i].eraseblock;

			update_one(&g[i], g[i].blocks * eb, chunks[c]);
			update_one(&g[i], (g[i].blocks - 1) * eb, chunks[c]);
			update_one(&g[i], 2 * eb + 1, chunks[c]);
			update_one(&g[i], 3 * eb - 1, chunks[c]);
			update_one(&g[i], eb, chunks[c]);
			update_one(&g[i], 1, chunks[c]);
		}
}

static void bad_blocks(void **state)
{
	static const uint32_t bad[][5] = { { 0 },       { 0, 1, 2 },       { 4 },
					   { 9 },       { 7, 8, 9 },       { 0, 3, 4, 9 },
					   { 1, 3, 5 }, { 0, 2, 4, 6, 8 }, { 5, 6 } };
	static const unsigned int counts[] = { 1, 3, 1, 1, 3, 4, 3, 5, 2 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct sim_geometry g = nand;

		g.bad = bad[i];
		g.bad_count = counts[i];
		update_one(&g, (size_t)(BLOCKS - g.bad_count) * EB, EB);
		update_one(&g, 3 * EB + 100, EB);
		update_one(&g, 100, EB);
	}
}

static void counts_bad_blocks(void **state)
{
	static const uint32_t bad[] = { 0, 4, 9 };
	struct sim_geometry g = nand;

	g.bad = bad;
	g.bad_count = 3;
	bench_add(&b, &g, 4 * EB);
	bench_ready(&b);
	bench_run_well(&b);
	assert_int_equal(b.counts[0].bad, 3);
	assert_int_equal(b.counts[0].written, 4);
	assert_int_equal(b.counts[0].cleared, 3);
	assert_int_equal(b.counts[0].identical, 0);
	assert_int_equal(b.counts[0].retried, 0);
	assert_int_equal(b.total, BLOCKS * EB);
}

/* Every set of differing eraseblocks costs as many erases, and one more if the first must go. */
static void erases_what_differs_and_no_more(void **state)
{
	const size_t len = 6 * EB - 700;

	for (uint64_t differing = 0; differing < 1u << 8; differing++) {
		struct sim_geometry g = differing & 1 ? nor : nand;
		uint32_t want = (uint32_t)__builtin_popcountll(differing);

		g.blocks = 8;
		bench_add(&b, &g, len);
		bench_old_differs_in(&b, 0, differing);
		bench_ready(&b);
		assert_int_equal(sim_differing(b.chip[0], b.new[0], len), want);
		bench_run_well(&b);
		if (differing && !(differing & 1))
			want++;
		assert_int_equal(sim_count(&b.board, SIM_ERASE), want);
		for (uint32_t eb = 0; eb < g.blocks; eb++)
			assert_true(b.chip[0]->block[eb].erased <= 1);
		bench_free(&b);
		bench_init(&b, EB);
	}
}

static void erases_the_tail(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	bench_ready(&b);
	bench_run_well(&b);
	for (uint32_t eb = 2; eb < BLOCKS; eb++)
		assert_true(sim_is_blank(b.chip[0], eb));
	assert_int_equal(b.counts[0].cleared, BLOCKS - 2);
}

static void keeps_the_tail(void **state)
{
	static const uint32_t bad[] = { 1, 5 };
	struct sim_geometry g = nand;

	g.bad = bad;
	g.bad_count = 2;
	bench_add(&b, &g, 2 * EB + 10);
	bench_ready(&b);
	b.tail[0] = TAIL_KEEP;
	assert_int_equal(bench_run(&b), 0);
	bench_check_rules(&b);
	assert_true(b.progress_fits);
	assert_int_equal(b.done, b.total);
	assert_memory_equal(sim_cells(b.chip[0], 0), b.new[0], EB);
	assert_memory_equal(sim_cells(b.chip[0], 2), b.new[0] + EB, EB);
	assert_memory_equal(sim_cells(b.chip[0], 3), b.new[0] + 2 * EB, 10);
	for (uint32_t nth = 3; nth < BLOCKS - 2; nth++)
		assert_memory_equal(sim_cells(b.chip[0], sim_good(b.chip[0], nth)),
				    b.old[0] + (size_t)nth * EB, EB);
	assert_int_equal(b.counts[0].cleared, 0);
}

/* First of a chip's changes: its first eraseblock erased. Last of all: that one programmed. */
static void check_order(void)
{
	uint32_t changes[BENCH_CHIPS] = { 0 }, last_other = 0;

	for (uint32_t i = 0; i < b.board.ops; i++) {
		const struct sim_op *op = &b.board.log[i];
		bool first = op->eb == sim_good(b.chip[op->chip], 0);

		if (!sim_changes(op))
			continue;
		assert_true(b.begun && i >= b.begin_at);
		if (first && op->what == SIM_WRITE_OOB)
			continue; /* a stamp */
		if (changes[op->chip]++ == 0) {
			assert_true(first);
			assert_int_equal(op->what, SIM_ERASE);
		}
		if (!(first && op->what == SIM_PROGRAM) && !(first && changes[op->chip] == 1))
			last_other = i;
	}
	for (uint32_t i = 0; i < last_other; i++) {
		const struct sim_op *op = &b.board.log[i];

		if (op->what == SIM_PROGRAM && op->eb == sim_good(b.chip[op->chip], 0))
			fail_msg("operation %u programs the first eraseblock, %u is yet to come", i,
				 last_other);
	}
}

static void first_block_is_last(void **state)
{
	static const uint32_t bad[] = { 0, 3 };
	struct sim_geometry g = nand;

	g.bad = bad;
	g.bad_count = 2;
	bench_add(&b, &g, 6 * EB);
	bench_ready(&b);
	bench_run_well(&b);
	check_order();
}

static void first_block_is_last_though_it_is_the_same(void **state)
{
	bench_add(&b, &nand, 6 * EB);
	bench_old_differs_in(&b, 0, 1 << 3);
	bench_ready(&b);
	bench_run_well(&b);
	check_order();
	assert_int_equal(b.chip[0]->block[0].erased, 1);
}

static void two_payloads(void **state)
{
	bench_add(&b, &nand, 6 * EB);
	bench_add(&b, &nor, 4 * EB - 5);
	bench_ready(&b);
	bench_run_well(&b);
	check_order();
	assert_int_equal(b.total, 2 * BLOCKS * EB);
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	assert_false(b.begun);
	assert_int_equal(sim_count(&b.board, SIM_ERASE), 0);
}

static void one_of_two_payloads_differs(void **state)
{
	bench_add(&b, &nand, 6 * EB);
	bench_add(&b, &nor, 4 * EB);
	bench_old_differs_in(&b, 0, 0);
	bench_old_differs_in(&b, 1, 1 << 2);
	bench_ready(&b);
	bench_run_well(&b);
	check_order();
	assert_int_equal(sim_count(&b.board, SIM_ERASE), 2);
	for (uint32_t eb = 0; eb < BLOCKS; eb++)
		assert_int_equal(b.chip[0]->block[eb].erased, 0);
}

/* All-0xFF pages are never programmed: the simulated flash takes it for a breach. */
static void blank_payload(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	memset(b.new[0], 0xff, b.new_len[0]);
	bench_ready(&b);
	bench_run_well(&b);
	assert_int_equal(sim_count(&b.board, SIM_PROGRAM), 0);
}

static void programs_in_long_runs(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	fill_random(b.new[0], b.new_len[0], 9);
	memset(b.new[0] + EB + 2 * PAGE, 0xff, 3 * PAGE);
	bench_ready(&b);
	bench_run_well(&b);
	assert_int_equal(sim_count(&b.board, SIM_PROGRAM), 5);
}

static void refused_begin_changes_nothing(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_ready(&b);
	b.refuse_begin = true;
	assert_int_equal(bench_run(&b), -1);
	assert_fault(&b.fault, FAULT_FAILED, "nobody can be told");
	assert_false(b.begun);
	assert_int_equal(sim_count(&b.board, SIM_ERASE) + sim_count(&b.board, SIM_PROGRAM), 0);
	assert_true(bench_is_old(&b, 0));
}

static void too_large(void **state)
{
	static const uint32_t bad[] = { 0, 5 };
	struct sim_geometry g = nand;

	g.bad = bad;
	g.bad_count = 2;
	bench_add(&b, &nor, 2 * EB); /* which would fit */
	bench_add(&b, &g, (size_t)(BLOCKS - 2) * EB + 1);
	bench_ready(&b);
	assert_int_equal(bench_run(&b), -1);
	assert_fault(&b.fault, FAULT_UNFIT, "kernel: too small");
	assert_fault(&b.fault, FAULT_UNFIT, "needs 9 eraseblocks of 4096 bytes, 8 of 10 are good");
	assert_false(b.begun);
	assert_int_equal(b.begins, 0);
	assert_int_equal(b.board.ops,
			 sim_count(&b.board, SIM_IS_BAD) + sim_count(&b.board, SIM_READ));
}

static void no_good_block_at_all(void **state)
{
	static const uint32_t bad[] = { 0, 1, 2 };
	struct sim_geometry g = { SIM_NAND, EB, PAGE, 3, bad, 3 };
	struct payload p = { .part = "rootfs", .size = 1 };
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &g);
	struct fault f;

	assert_int_equal(engine_check_fit(&p, &c->target, NULL, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "0 of 3 are good");
}

/* Where chunk n of the only payload lies in the image file. */
static size_t chunk_offset(const uint8_t *image, uint32_t n, uint32_t *stored)
{
	uint32_t index = image[12] | (uint32_t)image[13] << 8;
	size_t at = IMAGE_PREAMBLE_SIZE + index;
	const uint8_t *table = image + at - (size_t)(b.new_len[0] + EB - 1) / EB * IMAGE_CHUNK_SIZE;

	for (uint32_t i = 0;; i++) {
		const uint8_t *line = table + (size_t)i * IMAGE_CHUNK_SIZE;

		*stored = line[0] | (uint32_t)line[1] << 8;
		if (i == n)
			return at;
		at += *stored;
	}
}

static uint8_t *image_bytes(size_t *len)
{
	return read_file(temp_path("new.fwi"), len);
}

/* After data that failed its check for eraseblock n and all that follow. */
static void check_stopped_before(uint32_t n)
{
	bench_check_rules(&b);
	bench_check_not_bootable(&b);
	assert_int_equal(b.chip[0]->block[n].erased, n == 0 ? b.begun : 0);
	for (uint32_t eb = n + 1; eb < BLOCKS; eb++)
		assert_int_equal(b.chip[0]->block[eb].erased, 0);
	for (uint32_t eb = n; eb < BLOCKS; eb++)
		if (eb > 0)
			assert_memory_equal(sim_cells(b.chip[0], eb), b.old[0] + (size_t)eb * EB,
					    EB);
}

static void damaged_chunk(void **state)
{
	uint8_t *image;
	size_t len;

	bench_add(&b, &nand, 8 * EB);
	bench_ready(&b);
	image = image_bytes(&len);
	for (uint32_t n = 0; n < 8; n++) {
		uint32_t stored;
		size_t at = chunk_offset(image, n, &stored);

		if (stored == 0)
			continue; /* blank: nothing of it is in the file */
		image[at + stored / 2] ^= 0x40;
		write_file(temp_path("damaged.fwi"), image, len);
		image[at + stored / 2] ^= 0x40;
		b.image = "damaged.fwi";
		bench_restart(&b);
		assert_int_equal(bench_run(&b), -1);
		assert_fault(&b.fault, FAULT_IMAGE, "damaged");
		assert_int_equal(b.begun, n > 1);
		check_stopped_before(n);
		/* The whole image mends it. */
		b.image = "new.fwi";
		bench_run_well(&b);
	}
	free(image);
}

static void image_cut_short(void **state)
{
	uint8_t *image;
	size_t len;

	bench_add(&b, &nand, 8 * EB);
	bench_ready(&b);
	image = image_bytes(&len);
	b.image = "short.fwi";
	for (uint32_t n = 0; n < 8; n++) {
		uint32_t stored;
		size_t at = chunk_offset(image, n, &stored);

		if (stored == 0)
			continue;
		write_file(temp_path("short.fwi"), image, at + (n % 2 ? 0 : stored - 1));
		bench_restart(&b);
		assert_int_equal(bench_run(&b), -1);
		assert_fault(&b.fault, FAULT_IMAGE, "cut short");
		check_stopped_before(n);
	}
	free(image);
}

static void image_with_trailing_bytes(void **state)
{
	uint8_t *image;
	size_t len;

	bench_add(&b, &nand, 8 * EB);
	bench_ready(&b);
	image = image_bytes(&len);
	write_file(temp_path("long.fwi"), image, len + 1); /* read_file() has put a NUL there */
	free(image);
	b.image = "long.fwi";
	assert_int_equal(bench_run(&b), -1);
	assert_fault(&b.fault, FAULT_IMAGE, "goes on after");
	assert_true(b.begun);
	assert_true(sim_is_blank(b.chip[0], 0));
	bench_check_rules(&b);
}

/* The second payload's data is wrong: the first one's chip is not committed either. */
static void second_payload_damaged(void **state)
{
	uint8_t *image;
	size_t len;

	bench_add(&b, &nand, 3 * EB);
	bench_add(&b, &nor, 3 * EB);
	fill_random(b.new[1], b.new_len[1], 11);
	bench_ready(&b);
	image = image_bytes(&len);
	image[len - 10] ^= 1;
	write_file(temp_path("damaged.fwi"), image, len);
	free(image);
	b.image = "damaged.fwi";
	assert_int_equal(bench_run(&b), -1);
	assert_fault(&b.fault, FAULT_IMAGE, "kernel chunk 2 of 3");
	assert_true(sim_is_blank(b.chip[0], 0));
	assert_true(sim_is_blank(b.chip[1], 0));
	assert_int_equal(b.chip[1]->block[2].erased, 0);
	bench_check_rules(&b);
	b.image = "new.fwi";
	bench_run_well(&b);
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(geometries),
		sim_test(bad_blocks),
		sim_test(counts_bad_blocks),
		sim_test(erases_what_differs_and_no_more),
		sim_test(erases_the_tail),
		sim_test(keeps_the_tail),
		sim_test(first_block_is_last),
		sim_test(first_block_is_last_though_it_is_the_same),
		sim_test(two_payloads),
		sim_test(one_of_two_payloads_differs),
		sim_test(blank_payload),
		sim_test(programs_in_long_runs),
		sim_test(refused_begin_changes_nothing),
		sim_test(too_large),
		sim_test(no_good_block_at_all),
		sim_test(damaged_chunk),
		sim_test(image_cut_short),
		sim_test(image_with_trailing_bytes),
		sim_test(second_payload_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
