/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to a single eraseblock: compare, erase, program, prove, torture.
 *
 * Where data goes with a len, that is the eraseblock's size on flash, which reads back as 0xFF
 * wherever it was not programmed. On a block device it may be less, in whole sectors: what is
 * behind it is somebody else's.
 */
#ifndef FLASH_ERASEBLOCK_H
#define FLASH_ERASEBLOCK_H

#include <stdint.h>

#include "fault.h"
#include "target.h"

struct block_buffers {
	uint8_t *check;     /* what was read back */
	uint32_t corrected; /* bit flips that ECC put right in all that was read, so far */
};

/* Makes room for one eraseblock of size bytes. Returns 0, or -1 with errno. */
int block_buffers_init(struct block_buffers *b, uint32_t size);
void block_buffers_free(struct block_buffers *b);

/*
 * 1 if the eraseblock holds exactly data (NULL: if it is blank) and reads without uncorrectable
 * errors; 0 if not. Stops at the first difference. A read that fails counts as a difference.
 */
int block_holds(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		struct block_buffers *b, struct fault *f);

/* Reads the eraseblock back and compares it with data (NULL: 0xFF); any difference is a fault. */
int block_prove(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		struct block_buffers *b, struct fault *f);

/* Erases the eraseblock and proves that it is blank. A medium without erase has 0xFF written. */
int block_erase(struct target *t, uint32_t eb, struct block_buffers *b, struct fault *f);

/* Programs data into an erased eraseblock, but no page that is all 0xFF, and proves it. */
int block_program(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		  struct block_buffers *b, struct fault *f);

/*
 * As block_program(), for the eraseblock that makes a firmware of what is in flash. On NOR, where
 * the order is free, its first byte (or the least that can be programmed at once) comes after
 * everything else in it is proven: a power cut in the middle leaves a blank start.
 */
int block_commit(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		 struct block_buffers *b, struct fault *f);

/*
 * Finds out whether an eraseblock that has failed can still be relied on: several patterns are
 * programmed and must read back. Leaves it erased. -1 with a fault if it cannot.
 */
int block_torture(struct target *t, uint32_t eb, struct block_buffers *b, struct fault *f);

#endif
