/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MTD devices in memory, behind the system calls that flash/ makes: a sysfs in the test's folder in
 * place of /sys/class/mtd, and /dev/mtdN that behave as the kernel's mtdchar does. For a test that
 * wraps opendir readdir open close fcntl fstat read pread pwrite ioctl calloc.
 */
#ifndef TESTS_FAKE_MTD_H
#define TESTS_FAKE_MTD_H

#include <stdbool.h>
#include <stdint.h>

#include <mtd/mtd-user.h>

enum { FAKE_REGIONS = 16, FAKE_OOB = 256 };

struct fake_block {
	uint8_t *cells;        /* NULL: all 0xFF */
	uint8_t oob[FAKE_OOB]; /* of its first page, inverted */
	bool bad, locked;
};

struct fake_mtd {
	/* set by the test */
	const char *name, *type; /* the latter as in sysfs */
	uint64_t size;
	uint32_t eraseblock, page, subpage;
	unsigned int regions;
	struct region_info_user region[FAKE_REGIONS];
	struct nand_ecclayout_user layout;
	struct mtd_ecc_stats ecc;
	uint32_t mark_page; /* which page of an eraseblock gets the bad mark */
	bool mark_hidden;   /* marks go into a table, not into the OOB */
	bool read_only, locked, stays_locked;
	/* how calls go wrong */
	unsigned long missing; /* an ioctl that fails, ... */
	int missing_errno;     /* ... and how */
	uint32_t transfer_max; /* most bytes in one read or write; 0: any */
	bool ended;            /* reads give no bytes */
	bool oob_short;        /* less OOB is transferred than asked for */
	int open_errno;
	bool is_file, is_other; /* what /dev/mtdN is instead */
	/* what came of it */
	int number;
	unsigned int breaches; /* calls that flash or kernel do not allow */
	unsigned int unlocks, lock_questions;
	struct erase_info_user unlocked; /* by the last call */
	uint64_t last_offset;            /* of the last call that had one */
	struct fake_block *block;
	uint32_t blocks;
};

/* Starts with none; the folder of temp_dir_make() must be there. */
void fake_mtd_init(void);
void fake_mtd_free(void);

/* Adds mtdN as described; *d must stay. Sets up whatever of the description is 0. */
void fake_mtd_add(struct fake_mtd *d, int number);

/* Which eraseblock is at this offset; the test fails if none starts there. */
struct fake_block *fake_mtd_block(struct fake_mtd *d, uint64_t offset);

/* The n-th of the calls from now on fails with err. n < 0: none does. */
void fake_mtd_fail(int n, int err);

/* Name of the call that failed since then, of an ioctl its request's; or NULL. */
const char *fake_mtd_failed(void);

#endif
