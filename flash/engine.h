/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine: brings flash targets to hold exactly an image's payloads, and proves it.
 *
 * The rules it keeps:
 * - no eraseblock is erased before all the data it will hold is in RAM and has passed its check;
 * - an eraseblock that already holds its data is left alone, so that a second run does nothing;
 * - every eraseblock that was programmed is read back and compared, and the ECC statistics asked;
 * - a target's first good eraseblock is erased before anything else in it and programmed after
 *   everything else in all targets: until then nothing can mistake it for a whole firmware.
 */
#ifndef FLASH_ENGINE_H
#define FLASH_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "image.h"
#include "source.h"
#include "target.h"

/*
 * What a run has done. newly_bad, retried and flips go on from what they are, so that several
 * attempts at the same firmware add up, and share the limits on bad marks: all 0 for the first.
 */
struct engine_counts {      /* of eraseblocks */
	uint32_t written;   /* erased, programmed and proven */
	uint32_t identical; /* held their data already */
	uint32_t cleared;   /* erased behind the image */
	uint32_t bad;       /* bad ones passed over, the new ones among them */
	uint32_t newly_bad; /* marked bad by this run */
	uint32_t retried;   /* needed a second attempt */
	uint32_t flips;     /* not eraseblocks: bits that ECC put right in what was read */
};

struct engine_events {
	void *ctx;
	/* The next operation is the first that changes flash. A return below 0 stops the run. */
	int (*begin)(void *ctx, struct fault *f);
	/* done of total bytes of the targets are proven; called once per eraseblock. */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	/* A line for people: an eraseblock that went bad, a layout that had to move. */
	void (*note)(void *ctx, const char *text);
	/* The kernel may erase so much in the call that comes next that it takes that long. */
	void (*lengthy)(void *ctx, uint64_t ms);
};

/*
 * Writes all payloads of img, whose chunks src gives next, to targets[i] for payload i. counts has
 * one entry per payload. A fault before anything was changed is of kind FAULT_IMAGE (the data),
 * FAULT_UNFIT (the target, memory) or FAULT_FAILED; afterwards it is FAULT_FLASH or FAULT_IMAGE, and *begun says so.
 */
int engine_run(const struct image *img, struct source *src, struct target *const *targets,
	       const struct engine_events *events, struct engine_counts *counts, bool *begun,
	       struct fault *f);

/*
 * Checks that the payload fits into the target's good eraseblocks, and that the target can be what
 * the payload's kind and tail ask for; if not: FAULT_UNFIT. *spare (may be NULL) becomes the number
 * of eraseblocks that may go bad and it still fits.
 */
int engine_check_fit(const struct payload *p, struct target *t, uint32_t *spare, struct fault *f);

/*
 * engine_check_data() checks all that the payloads of kind ubi have to be for their targets, if there are any, and reads
 * all payloads' chunks from src for that: so that it is known before anything is changed, where the
 * source can be read again. FAULT_IMAGE or FAULT_UNFIT. The other one tells whether there are any.
 */
bool engine_asks_for_data(const struct image *img);
int engine_check_data(const struct image *img, struct source *src, struct target *const *targets,
		      struct fault *f);

/* Bytes of memory that engine_run() takes, for targets whose largest eraseblock is of that size. */
uint64_t engine_memory(const struct image *img, uint32_t eraseblock);

#endif
