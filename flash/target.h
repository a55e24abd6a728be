/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flash target: what the engine programs. One struct of functions per kind of target, so that
 * the engine is the same for a chip and for the simulated flash of the tests.
 *
 * Eraseblocks are counted from 0 within the target; offsets are bytes within an eraseblock. All
 * functions return 0 or more, or -1 with a fault of kind FAULT_FLASH that names the eraseblock.
 */
#ifndef FLASH_TARGET_H
#define FLASH_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

/* Running totals that the driver keeps; only the difference between two readings says anything. */
struct ecc_counts {
	uint32_t corrected; /* bit flips that ECC put right */
	uint32_t failed;    /* pages that ECC could not put right: their data is garbage */
};

struct target;

struct target_ops {
	/* 1: bad, 0: good. */
	int (*is_bad)(struct target *t, uint32_t eb, struct fault *f);
	int (*erase)(struct target *t, uint32_t eb, struct fault *f);
	/* Programs len bytes; offset and len are multiples of the page. */
	int (*program)(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
		       uint32_t len, struct fault *f);
	/* Reads len bytes. Succeeds on uncorrectable data: ask ecc(), too. */
	int (*read)(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		    struct fault *f);
	int (*ecc)(struct target *t, struct ecc_counts *counts, struct fault *f);
	void (*close)(struct target *t);
};

struct target {
	const struct target_ops *ops;
	char name[64];       /* the partition's name */
	uint64_t size;       /* bytes, bad eraseblocks included */
	uint32_t eraseblock; /* bytes */
	uint32_t page;       /* bytes: the smallest unit that can be programmed */
	uint32_t blocks;     /* eraseblocks, bad ones included */
};

/* Counts the target's good eraseblocks. */
int target_good_blocks(struct target *t, uint32_t *good, struct fault *f);

/* Finds the first good eraseblock from *eb on. Returns 1 with it in *eb, or 0: none is left. */
int target_next_good(struct target *t, uint32_t *eb, struct fault *f);

/* Closes the target and frees it; NULL is fine. */
void target_close(struct target *t);

#endif
