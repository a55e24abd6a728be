/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the engine: one payload on its way to one target. Only engine.c and its neighbours
 * (layout.c, placement.c, shift.c, ubi_format.c, volume.c) include this.
 */
#ifndef FLASH_JOB_H
#define FLASH_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "eraseblock.h"
#include "readahead.h"
#include "ubi_header.h"

/* What steps return besides -1 for a fault and 0 for done. */
enum {
	JOB_LOST = 1,  /* the eraseblock has gone bad, and is marked: on with the next good one */
	JOB_AGAIN = 2, /* the layout has moved: the payload once more from its start, please */
};

enum {
	HELD_MAX = 2,
	SHIFT_BUFFERS = READAHEAD_SLOTS + 1,
};

/* What is known of an eraseblock; job.state has one byte of these for each. */
enum {
	EB_ERASED = 1, /* by this run, and nothing was programmed since */
	EB_LAYOUT = 2, /* it holds the volume table of the UBI that was there before */
};

/* What makes a whole firmware of all the rest: held back in RAM, and programmed last. */
struct held {
	uint8_t *data;
	uint32_t len;
	uint32_t eb;
	bool differs; /* from what was in flash */
};

struct ubi_format {
	struct ubi_ec image; /* what the image's headers say, but for the counter */
	uint32_t *counter;   /* per eraseblock: how often it was erased */
};

struct run;

struct job {
	struct run *run;
	const struct payload *payload;
	struct target *t;
	struct engine_counts *counts;
	uint8_t *state;         /* per eraseblock */
	struct ubi_format *ubi; /* for kind ubi, else NULL */
	uint32_t marked_before; /* eraseblocks, by earlier attempts */
	uint32_t spare;         /* eraseblocks that may go bad: good ones less those needed */
	uint64_t source_pos;    /* where the payload starts in its source */
	uint32_t *crc;     /* per eraseblock, of its data; NULL if the source can be read again */
	uint32_t data_end; /* the first eraseblock behind all data */
	bool shifting;     /* what a new first eraseblock holds has to be kept */
	bool can_erase;    /* an erase has succeeded in this run */
	bool has_start;    /* what start_crc is the checksum of: the first eraseblock as it was */
	uint32_t start_crc;
	bool invalidated;    /* the old firmware's start is erased */
	bool unstamped;      /* the start is written without stamps: this chip cannot have them */
	bool start_blank;    /* when the run began */
	bool distrust_blank; /* an erase may have been torn here: what looks blank may not be */
	unsigned int held_count;
	struct held held[HELD_MAX]; /* [0] is what goes into the first good eraseblock */
	uint32_t next_eb;           /* the first eraseblock not yet dealt with */
	uint64_t done;              /* bytes of total that are proven */
	uint64_t total;
	unsigned int attempts; /* a volume's */
	bool identical;        /* a volume holds it all already */
};

struct run {
	const struct engine_events *events;
	unsigned int jobs;
	struct job job[IMAGE_PAYLOADS_MAX];
	struct readahead ahead;
	struct block_buffers buffers;         /* as large as the largest eraseblock */
	uint8_t *data;                        /* likewise: what goes behind the image */
	uint64_t shown;                       /* bytes that were reported as proven */
	unsigned int shift_head, shift_count; /* of the buffers with data that is on the move */
	bool *begun;
};

/* What an eraseblock is to become. */
enum content_kind {
	CONTENT_BLANK,     /* erased, and nothing else */
	CONTENT_DATA,      /* data, len bytes of it */
	CONTENT_START,     /* the same, and it completes a firmware */
	CONTENT_UBI_FREE,  /* data is blank but for UBI's EC header */
	CONTENT_OOB_MARKER /* erased, with a cleanmarker in its OOB */
};

struct content {
	enum content_kind kind;
	uint8_t *data; /* with kind ubi, the EC header in it is set right for the eraseblock */
	uint32_t len;
};

/* engine.c: must come before every operation that changes flash. */
int job_begin(struct job *job, struct fault *f);
/* engine.c: so many more bytes are proven. */
void job_proven(struct job *job, uint64_t bytes);
/* engine.c: a line for people, with the target's name before it. */
void job_note(const struct job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * placement.c: gets the eraseblock to hold the content, in a second attempt if need be, and proves
 * it. JOB_LOST: it cannot, and is marked bad now; if it was the first of the target, the next good
 * one is erased instead.
 */
int job_place(struct job *job, uint32_t eb, const struct content *c, struct fault *f);
/* placement.c: remembers what the first eraseblock holds, and stamps it, before it is erased. */
void job_note_start(struct job *job);

/* layout.c: everything but what is held back; then nothing is left of an old start; then what is. */
int layout_write_most(struct job *job, struct source *src, struct fault *f);
int layout_invalidate(struct job *job, struct fault *f);
int layout_commit(struct job *job, struct fault *f);

/* shift.c: remembers that the eraseblock holds this data now. */
void shift_note(struct job *job, uint32_t eb, const uint8_t *data);
/* shift.c: takes into RAM what the eraseblock holds, if that is on the move. */
int shift_take(struct job *job, uint32_t eb, struct fault *f);
/* shift.c: moves all data behind the new first eraseblock, which is blank. */
int shift_from_flash(struct job *job, struct fault *f);

/* volume.c: the same for a UBI volume. */
int volume_write_most(struct job *job, struct source *src, struct fault *f);
int volume_commit(struct job *job, struct fault *f);

/* ubi_format.c: finds erase counters and the old volume table in flash. */
int ubi_scan(struct job *job, struct fault *f);
void ubi_free(struct job *job);
/*
 * ubi_format.c: for a payload of another kind: finds the volume tables of the UBI that was there. While
 * its first eraseblocks are still its own, a guard would take it for whole by such a table.
 */
int ubi_find_tables(struct job *job, struct fault *f);
/*
 * ubi_format.c: checks that data, the image's n-th eraseblock, is UBI's and fits the target. *image is
 * filled from the first one, and the others must agree with it.
 */
int ubi_check_data(const struct target *t, struct ubi_ec *image, const uint8_t *data, uint32_t n,
		   struct fault *f);
/* ubi_format.c: writes the eraseblock's EC header at data. */
void ubi_dress(const struct job *job, uint32_t eb, uint8_t *data);
/* ubi_format.c: the eraseblock was erased n times more. */
void ubi_count_erases(struct job *job, uint32_t eb, uint32_t n);

#endif
