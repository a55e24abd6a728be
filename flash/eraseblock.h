/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to a single eraseblock: compare, erase, program, prove.
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
 * 1 if the eraseblock holds exactly data and reads without uncorrectable errors; 0 if not. Stops
 * at the first difference. A read that fails counts as a difference.
 */
int block_holds(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		struct fault *f);

/* Erases the eraseblock and proves that it is blank. */
int block_erase(struct target *t, uint32_t eb, struct block_buffers *b, struct fault *f);

/* Programs data into an erased eraseblock, but no page that is all 0xFF, and proves it. */
int block_program(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		  struct fault *f);

/* block_erase()'s erase, then block_program(). */
int block_write(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		struct fault *f);

#endif
