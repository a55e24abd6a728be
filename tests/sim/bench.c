// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "images.h"
#include "source.h"

static const struct key_ring no_keys;
static const char *const names[BENCH_CHIPS] = { "rootfs", "kernel" };

void bench_init(struct bench *b, uint32_t chunk_size)
{
	memset(b, 0, sizeof(*b));
	sim_board_init(&b->board);
	b->chunk_size = chunk_size;
	b->tail = TAIL_ERASE;
}

void bench_free(struct bench *b)
{
	sim_board_free(&b->board);
	for (unsigned int i = 0; i < b->count; i++) {
		free(b->old[i]);
		free(b->new[i]);
	}
	if (b->start)
		sim_snapshot_free(b->start);
}

/* Data with what the engine treats apart: blank pages, a blank eraseblock, what compresses. */
static void fill_firmware(uint8_t *p, size_t len, uint32_t eraseblock, uint32_t seed)
{
	uint32_t page = eraseblock / 8;

	fill_random(p, len, seed);
	for (size_t at = 0, n = 0; at + eraseblock <= len; at += eraseblock, n++) {
		if (n % 4 == 1) { /* a hole in the middle, and a blank end */
			memset(p + at + 2 * page, 0xff, 2 * page);
			memset(p + at + 7 * page, 0xff, page);
		} else if (n % 4 == 2) {
			memset(p + at, 0xff, page);
			memset(p + at + 3 * page, 0x11, 2 * page);
		} else if (n % 4 == 3) {
			memset(p + at, 0xff, eraseblock);
		}
	}
}

void bench_add(struct bench *b, const struct sim_geometry *g, size_t new_len)
{
	unsigned int n = b->count++;
	uint32_t good = g->blocks - g->bad_count;

	b->chip[n] = sim_add_chip(&b->board, names[n], g);
	b->old_len[n] = (size_t)good * g->eraseblock;
	b->new_len[n] = new_len;
	b->old[n] = malloc(b->old_len[n]);
	b->new[n] = malloc(new_len);
	assert_true(b->old[n] && b->new[n]);
	fill_random(b->old[n], b->old_len[n], 100 + n);
	fill_firmware(b->new[n], new_len, g->eraseblock, 200 + n);
}

void bench_old_differs_in(struct bench *b, unsigned int chip, uint64_t differing)
{
	uint32_t size = b->chip[chip]->target.eraseblock;

	assert_true(b->new_len[chip] <= b->old_len[chip]);
	memset(b->old[chip], 0xff, b->old_len[chip]);
	memcpy(b->old[chip], b->new[chip], b->new_len[chip]);
	for (uint32_t n = 0; n < b->old_len[chip] / size; n++)
		if (differing >> n & 1)
			b->old[chip][(size_t)n * size + (n * 37) % size] ^= 0x81;
}

void bench_ready(struct bench *b)
{
	struct image_input in[BENCH_CHIPS];

	for (unsigned int i = 0; i < b->count; i++) {
		sim_factory_fill(b->chip[i], b->old[i], b->old_len[i]);
		in[i] = (struct image_input){ names[i], b->new[i], b->new_len[i] };
	}
	b->image = "new.fwi";
	make_image(temp_path("%s", b->image), in, b->count, b->chunk_size);
	if (b->start)
		sim_snapshot_free(b->start);
	b->start = sim_save(&b->board);
	bench_restart(b);
}

void bench_restart(struct bench *b)
{
	sim_restore(&b->board, b->start);
}

static int on_begin(void *ctx, struct fault *f)
{
	struct bench *b = ctx;

	b->begins++;
	b->begin_at = b->board.ops;
	return b->refuse_begin ? fault_set(f, FAULT_FAILED, "nobody can be told") : 0;
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct bench *b = ctx;

	if (done < b->done || done > total || (b->total && total != b->total))
		b->progress_fits = false;
	b->done = done;
	b->total = total;
}

static void on_note(void *ctx, const char *text)
{
	struct bench *b = ctx;

	b->notes++;
	(void)snprintf(b->note, sizeof(b->note), "%s", text);
}

static void forget_last_run(struct bench *b)
{
	memset(b->counts, 0, sizeof(b->counts));
	memset(&b->fault, 0, sizeof(b->fault));
	b->begun = false;
	b->begins = 0;
	b->notes = 0;
	b->done = b->total = 0;
	b->progress_fits = true;
}

int bench_run(struct bench *b)
{
	struct engine_events events = { b, on_begin, on_progress, on_note };
	struct target *targets[BENCH_CHIPS] = { NULL };
	struct source src;
	struct image img;
	int result;

	forget_last_run(b);
	for (unsigned int i = 0; i < b->count; i++)
		targets[i] = &b->chip[i]->target;
	if (source_open(&src, temp_path("%s", b->image), &b->fault) < 0 ||
	    image_read(&img, &src, &no_keys, &b->fault) < 0)
		fail_msg("%s", b->fault.text);
	for (unsigned int i = 0; i < b->count; i++)
		img.payload[i].tail = b->tail;
	result = engine_run(&img, &src, targets, &events, b->counts, &b->begun, &b->fault);
	image_free(&img);
	source_close(&src);
	return result;
}

void bench_check_rules(const struct bench *b)
{
	if (b->board.breaches)
		fail_msg("%u breaches, the first: %s", b->board.breaches, b->board.breach);
}

bool bench_all_new(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		if (!sim_holds(b->chip[i], b->new[i], b->new_len[i]))
			return false;
	return true;
}

bool bench_is_old(struct bench *b, unsigned int chip)
{
	return sim_holds(b->chip[chip], b->old[chip], b->old_len[chip]);
}

void bench_run_well(struct bench *b)
{
	if (bench_run(b) < 0)
		fail_msg("%s", b->fault.text);
	bench_check_rules(b);
	assert_true(bench_all_new(b));
	assert_true(b->progress_fits);
	assert_int_equal(b->done, b->total);
	assert_int_equal(b->begins, b->begun);
}

void bench_check_not_bootable(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		if (!sim_is_blank(b->chip[i], sim_good(b->chip[i], 0)) && !bench_is_old(b, i))
			fail_msg("%s: after \"%s\" the first eraseblock is not blank, nor is the "
				 "old firmware whole",
				 names[i], b->fault.text);
}

/* All but the first good eraseblocks of all chips. */
static bool rest_is_new(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++) {
		struct sim_chip *c = b->chip[i];
		uint32_t first = sim_good(c, 0);
		bool fits;

		c->bad[first] = true;
		fits = b->new_len[i] <= c->target.eraseblock
			       ? sim_holds(c, NULL, 0)
			       : sim_holds(c, b->new[i] + c->target.eraseblock,
					   b->new_len[i] - c->target.eraseblock);
		c->bad[first] = false;
		if (!fits)
			return false;
	}
	return true;
}

static bool starts_with(struct sim_chip *c, const uint8_t *data, size_t len)
{
	const uint8_t *cells = sim_cells(c, sim_good(c, 0));

	if (len > c->target.eraseblock)
		len = c->target.eraseblock;
	return memcmp(cells, data, len) == 0;
}

void bench_check_starts(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++) {
		struct sim_chip *c = b->chip[i];
		bool old_start = starts_with(c, b->old[i], b->old_len[i]);
		bool new_start = starts_with(c, b->new[i], b->new_len[i]);

		if (old_start && bench_is_old(b, i))
			continue;
		if (new_start && rest_is_new(b))
			continue;
		if (old_start || new_start)
			fail_msg("%s: a valid start without a whole firmware behind it", names[i]);
	}
}
