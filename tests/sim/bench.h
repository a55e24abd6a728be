/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board with an old firmware, an image with the new one, and the engine between them.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "simflash.h"

enum { BENCH_CHIPS = 2 };

struct bench {
	struct sim_board board;
	unsigned int count; /* of chips, and so of payloads */
	struct sim_chip *chip[BENCH_CHIPS];
	uint8_t *old[BENCH_CHIPS], *new[BENCH_CHIPS];
	size_t old_len[BENCH_CHIPS], new_len[BENCH_CHIPS];
	uint32_t chunk_size;
	const char *image;          /* a file in the test's folder */
	struct sim_snapshot *start; /* of a run: the old firmware */
	enum tail_policy tail;

	/* What the last run said. */
	struct engine_counts counts[IMAGE_PAYLOADS_MAX];
	bool begun;
	struct fault fault;
	unsigned int begins;
	uint32_t begin_at; /* number of the operation that came next */
	bool refuse_begin;
	unsigned int notes;
	char note[256]; /* the last one */
	uint64_t done, total;
	bool progress_fits; /* never went back, nor beyond the total */
};

/* Puts nothing on the board yet. */
void bench_init(struct bench *b, uint32_t chunk_size);
void bench_free(struct bench *b);

/* Adds a chip, whose new firmware has so many bytes; the old one fills all good eraseblocks. */
void bench_add(struct bench *b, const struct sim_geometry *g, size_t new_len);

/* As new is now: the same firmware, but for the eraseblocks whose bits are set in differing. */
void bench_old_differs_in(struct bench *b, unsigned int chip, uint64_t differing);

/* Puts the old firmware into the chips and packs the new one. */
void bench_ready(struct bench *b);

/* Back to the old firmware, with power. */
void bench_restart(struct bench *b);

/* Runs the engine with the image. 0, or -1 with b->fault. */
int bench_run(struct bench *b);

/* As bench_run(), and everything of it must be fine: result, bytes, rules, progress. */
void bench_run_well(struct bench *b);

/* No rule of flash was broken. */
void bench_check_rules(const struct bench *b);

/* Whether all chips hold the new firmware, bit for bit. */
bool bench_all_new(struct bench *b);

/* Whether the chip is what it was before the run, bit for bit. */
bool bench_is_old(struct bench *b, unsigned int chip);

/* After an error: each chip has a blank first eraseblock, or is as it was. */
void bench_check_not_bootable(struct bench *b);

/*
 * Whatever first eraseblock could be taken for a valid one has a whole firmware behind it: the old
 * one, or the new one in all chips.
 */
void bench_check_starts(struct bench *b);

#endif
