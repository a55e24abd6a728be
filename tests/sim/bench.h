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

/* What makes an old and a new firmware of a chip's contents: it depends on the payload's kind. */
struct bench_kind {
	/* Takes note of what is there before a run; may be NULL. */
	void (*before_run)(struct bench *b, unsigned int chip);
	bool (*is_new)(struct bench *b, unsigned int chip);
	/* All of the new firmware is there but for what is written last. */
	bool (*lacks_only_start)(struct bench *b, unsigned int chip);
	/* Nothing could take it for a firmware, and it can be seen that an update was cut. */
	bool (*has_no_start)(struct bench *b, unsigned int chip);
	/* It could be taken for the old or the new firmware; and whether it is that, then. */
	bool (*starts_old)(struct bench *b, unsigned int chip);
	bool (*is_whole_old)(struct bench *b, unsigned int chip);
	bool (*starts_new)(struct bench *b, unsigned int chip);
	bool (*is_whole_new)(struct bench *b, unsigned int chip);
	/* Where neither is there, it can be seen that an update was cut; may be NULL. */
	bool (*shows_cut)(struct bench *b, unsigned int chip);
};

extern const struct bench_kind bench_raw; /* bytes in order */

struct bench {
	struct sim_board board;
	unsigned int count; /* of chips, and so of payloads */
	struct sim_chip *chip[BENCH_CHIPS];
	uint8_t *old[BENCH_CHIPS], *new[BENCH_CHIPS];
	size_t old_len[BENCH_CHIPS], new_len[BENCH_CHIPS];
	enum payload_kind kind[BENCH_CHIPS];
	enum tail_policy tail[BENCH_CHIPS];          /* TAIL_ERASE unless set */
	const struct bench_kind *judge[BENCH_CHIPS]; /* bench_raw unless set */
	uint32_t chunk_size;
	const char *image;          /* a file in the test's folder */
	bool from_pipe;             /* ... comes through a pipe: cannot be read a second time */
	struct sim_snapshot *start; /* of a run: the old firmware */
	uint32_t bad_at_start[BENCH_CHIPS];

	uint32_t runs;     /* of the engine, all together */
	char context[128]; /* what the test is at, for bench_fail() */

	/* What the last run said. */
	struct engine_counts counts[IMAGE_PAYLOADS_MAX];
	uint32_t newly_bad[BENCH_CHIPS]; /* as the simulator saw it */
	uint32_t unsaid[BENCH_CHIPS];    /* of these, marked though marking returned an error */
	bool begun;
	struct fault fault;
	unsigned int begins;
	uint32_t begin_at; /* number of the operation that came next */
	bool refuse_begin;
	int (*at_begin)(struct fault *f); /* what else is done then; may be NULL */
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

/* Says what the test is at. */
void bench_at(struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * No rule of flash was broken; what was marked bad is weak, was counted and told to people, and is
 * not more than can be spared.
 */
void bench_check_rules(struct bench *b);

/* Whether all chips hold the new firmware, bit for bit. */
bool bench_all_new(struct bench *b);
bool bench_is_new(struct bench *b, unsigned int chip);

/* Whether the chip is what it was before the run, bit for bit. */
bool bench_is_old(struct bench *b, unsigned int chip);

/*
 * After an error: each chip has a blank first eraseblock (or a volume that is known for broken), or
 * is as it was, or is the new firmware, of which nothing but first eraseblocks is missing elsewhere.
 * (A chip whose first eraseblock went bad when it was to be committed is written again from its
 * start, while others may be committed already: there it must do that it has no valid start.)
 */
void bench_check_not_bootable(struct bench *b);

/*
 * The verdict on a run in which something failed: the new firmware, or an error that leaves no
 * valid start. The one exception is a first eraseblock that is too weak to be erased and cannot be
 * marked either, or where the last attempt to erase it failed: then it must at least not be taken
 * for a firmware. Of a block device what counts is what the end of power would leave of it.
 */
void bench_check_outcome(struct bench *b, int result);

/* What a faulty run has left behind, the next one mends, on flash that is well again. */
void bench_check_mended(struct bench *b);

/*
 * After a cut: whatever start could be taken for a valid one has a whole firmware behind it: the
 * old one, or the new one in all chips, in the same sense. And where there is none, the first
 * eraseblock of NAND says so: it is blank, torn, or full of a test pattern.
 */
void bench_check_starts(struct bench *b);

/*
 * Copies the numbers of the last run's operations of a kind, which another run will write over.
 * Returns how many there are; room is for so many, and more fail the test.
 */
uint32_t bench_ops_of_kind(const struct bench *b, enum sim_what what, uint32_t *ops, uint32_t room);

/* Whether the good eraseblocks that are left have room for all that is new. */
bool bench_still_fits(struct bench *b);

#endif
