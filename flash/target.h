/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flash target: what the engine programs. One struct of functions per kind of target, so that
 * the engine is the same for a chip and for the simulated flash of the tests.
 *
 * Eraseblocks are counted from 0 within the target; offsets are bytes within an eraseblock. A
 * target's eraseblocks may differ in size: NOR chips have small ones at an end, and a block device
 * is cut up so that its first "eraseblock" is the one sector whose writing completes an update.
 * All functions return 0 or more, or -1 with a fault of kind FAULT_FLASH that names the eraseblock
 * and keeps errno in its err: EIO there is the eraseblock's fault, anything else is not.
 */
#ifndef FLASH_TARGET_H
#define FLASH_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

enum { TARGET_REGIONS_MAX = 8 };

/* Running totals that the driver keeps; only the difference between two readings says anything. */
struct ecc_counts {
	uint32_t corrected; /* bit flips that ECC put right */
	uint32_t failed;    /* pages that ECC could not put right: their data is garbage */
};

enum target_medium {
	MEDIUM_NAND, /* a page is programmed once between two erases, bad eraseblocks can be marked */
	MEDIUM_NOR,    /* no bad eraseblocks, no OOB */
	MEDIUM_BLOCK,  /* no erase: what is programmed replaces what was there */
	MEDIUM_VOLUME, /* a UBI volume: no erase; programmed in order from update() on */
};

enum target_mode {
	TARGET_READ, /* as a source: it may be write-protected */
	TARGET_LOOK, /* as what is to be written, but only to ask and to read */
	TARGET_WRITE,
};

struct target;

/* Functions that a medium has no use for are NULL, as said at each. */
struct target_ops {
	/* 1: bad, 0: good. */
	int (*is_bad)(struct target *t, uint32_t eb, struct fault *f);
	/* Marks it bad, for ever. NAND only. 1: nothing failed, but the mark is not seen on the medium.
	 * Fails with ENOTRECOVERABLE in err if the mark will last until the next reboot only: whoever
	 * goes on before that lays out what the next boot will not find. */
	int (*mark_bad)(struct target *t, uint32_t eb, struct fault *f);
	/* NAND and NOR only. */
	int (*erase)(struct target *t, uint32_t eb, struct fault *f);
	/* Programs len bytes; offset and len are multiples of the page (of the sub-page, for a first
	 * write to part of a page). A volume takes them in order only. */
	int (*program)(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
		       uint32_t len, struct fault *f);
	/* Reads len bytes from the medium, not from a cache. Succeeds on uncorrectable data: ask
	 * ecc(), too. */
	int (*read)(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		    struct fault *f);
	/* NULL where there is no ECC that tells. */
	int (*ecc)(struct target *t, struct ecc_counts *counts, struct fault *f);
	/* The first len free bytes of the OOB of the page at offset. NAND only; fails with EOPNOTSUPP
	 * in err if the driver leaves fewer than len free. */
	int (*read_oob)(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
			struct fault *f);
	int (*write_oob)(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
			 uint32_t len, struct fault *f);
	/* What was programmed so far is on the medium when it returns. Block devices only. */
	int (*sync)(struct target *t, struct fault *f);
	/* Volume only: makes or resizes the volume where that is wanted, and gives up its contents for
	 * so many new bytes. Until the last of them is programmed the kernel knows it for broken. */
	int (*update)(struct target *t, uint64_t bytes, struct fault *f);
	void (*close)(struct target *t);
};

struct target_region {
	uint64_t offset;     /* bytes from the target's start */
	uint32_t first;      /* number of its first eraseblock */
	uint32_t blocks;     /* number of eraseblocks */
	uint32_t eraseblock; /* bytes */
};

struct target {
	const struct target_ops *ops;
	enum target_medium medium;
	char name[64];       /* the partition's name */
	char device[32];     /* the kernel's name of its device: mtd3, ubi0_1, mmcblk0p2 */
	uint64_t size;       /* bytes, bad eraseblocks included */
	uint32_t blocks;     /* eraseblocks, bad ones included */
	uint32_t eraseblock; /* bytes in the largest */
	uint32_t page;       /* bytes: the smallest unit that can be programmed */
	uint32_t subpage;    /* bytes: NAND that takes a page in parts; otherwise the page */
	bool one_write;      /* NAND whose pages, OOB and all, are programmed once: MLC */
	unsigned int regions;
	struct target_region region[TARGET_REGIONS_MAX]; /* in order, without gaps */
	/* Of a UBI volume only: */
	int ubi;            /* the N of ubiN, which all volumes share that have the same */
	uint32_t available; /* eraseblocks that nobody has on ubiN, as it is now */
	int64_t takes; /* eraseblocks of them that update() takes; below 0: that it gives back */
};

/* Adds a region behind those there are; keeps size, blocks and eraseblock up to date. */
void target_add_region(struct target *t, uint32_t blocks, uint32_t eraseblock);

/* Bytes in one eraseblock. */
uint32_t target_block_size(const struct target *t, uint32_t eb);

/* Where an eraseblock starts, in bytes from the target's start. */
uint64_t target_block_offset(const struct target *t, uint32_t eb);

/* Counts the target's good eraseblocks, and (unless NULL) the bytes in them. */
int target_good_blocks(struct target *t, uint32_t *good, uint64_t *bytes, struct fault *f);

/* Finds the first good eraseblock from *eb on. Returns 1 with it in *eb, or 0: none is left. */
int target_next_good(struct target *t, uint32_t *eb, struct fault *f);

/* Closes the target and frees it; NULL is fine. */
void target_close(struct target *t);

#endif
