/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board with an old firmware, an image with the new one, the engine between them, and verdicts on
 * what it has made of the one and the other.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "simflash.h"

enum { BENCH_CHIPS = 2 };

struct bench;

/* A payload whose flash is not simply its bytes in order has a verdict of its own. */
typedef bool (*bench_verdict)(struct bench *b, unsigned int chip);

struct bench {
	struct sim_board board;
	unsigned int count; /* of chips, and so of payloads */
	struct sim_chip *chip[BENCH_CHIPS];
	uint8_t *old[BENCH_CHIPS], *new[BENCH_CHIPS];
	size_t old_len[BENCH_CHIPS], new_len[BENCH_CHIPS];
	enum payload_kind kind[BENCH_CHIPS];
	enum tail_policy tail[BENCH_CHIPS]; /* TAIL_ERASE unless set */
	bench_verdict is_new[BENCH_CHIPS];
	uint32_t chunk_size;
	const char *image;          /* a file in the test's folder */
	bool from_pipe;             /* ... comes through a pipe: cannot be read a second time */
	struct sim_snapshot *start; /* of a run: the old firmware */

	/* What the last run said. */
	struct engine_counts counts[IMAGE_PAYLOADS_MAX];
	uint32_t newly_bad[BENCH_CHIPS]; /* as the simulator saw it */
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

/* The same with a chip that is on the board already. */
void bench_add_chip(struct bench *b, struct sim_chip *c, size_t new_len);

/* As new is now: the same firmware, but for the eraseblocks whose bits are set in differing. */
void bench_old_differs_in(struct bench *b, unsigned int chip, uint64_t differing);

/* Puts the old firmware into the chips and packs the new one. */
void bench_ready(struct bench *b);

/* Packs the new one; what is in the chips now is what bench_restart() goes back to. */
void bench_pack(struct bench *b);

/* Back to the old firmware, with power and without weaknesses. */
void bench_restart(struct bench *b);

/* Runs the engine with the image. 0, or -1 with b->fault. */
int bench_run(struct bench *b);

/* As bench_run(), and everything of it must be fine: result, bytes, rules, progress. */
void bench_run_well(struct bench *b);

/* Fails the test and shows what was planned, what was done to flash, and what the engine said. */
void bench_fail(struct bench *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* No rule of flash was broken. */
void bench_check_rules(struct bench *b);

/* Whether all chips hold the new firmware, bit for bit. */
bool bench_all_new(struct bench *b);
bool bench_is_new(struct bench *b, unsigned int chip);

/* Whether the chip is what it was before the run, bit for bit. */
bool bench_is_old(struct bench *b, unsigned int chip);

/*
 * After an error: each chip has a blank first eraseblock (or a volume that is known for broken), or
 * is as it was, or is the new firmware while nothing but first eraseblocks is missing elsewhere.
 */
void bench_check_not_bootable(struct bench *b);
bool bench_is_not_bootable(struct bench *b);

/*
 * After a cut: whatever start could be taken for a valid one has a whole firmware behind it: the
 * old one, or the new one in all chips.
 */
void bench_check_starts(struct bench *b);

/* Whether the good eraseblocks that are left have room for all that is new. */
bool bench_still_fits(struct bench *b);

#endif
