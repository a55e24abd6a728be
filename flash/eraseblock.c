// SPDX-License-Identifier: GPL-2.0-or-later
#include "eraseblock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

int block_buffers_init(struct block_buffers *b, uint32_t size)
{
	memset(b, 0, sizeof(*b));
	b->check = malloc(size);
	return b->check ? 0 : -1;
}

void block_buffers_free(struct block_buffers *b)
{
	free(b->check);
	b->check = NULL;
}

/*
 * Compares flash with data (NULL: with 0xFF), in pieces that grow from one page, so that a
 * difference costs little and a match few calls. Returns the offset of the piece that differs, or
 * the eraseblock's size if none does.
 */
static int first_difference(struct target *t, uint32_t eb, const uint8_t *data,
			    struct block_buffers *b, uint32_t *where, struct fault *f)
{
	uint32_t piece = t->page < 512 ? 512 : t->page;

	for (*where = 0; *where < t->eraseblock; piece *= 2) {
		uint32_t left = t->eraseblock - *where;
		uint32_t len = piece < left ? piece : left;

		if (t->ops->read(t, eb, *where, b->check, len, f) < 0)
			return -1;
		if (data ? memcmp(b->check, data + *where, len) != 0 : !all_ff(b->check, len))
			return 0;
		*where += len;
	}
	return 0;
}

/*
 * As first_difference(), and looks at the driver's ECC statistics around it: a read of pages that
 * ECC could not correct succeeds, with whatever bytes came. *failed is the number of such pages.
 */
static int compare(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		   uint32_t *where, uint32_t *failed, struct fault *f)
{
	struct ecc_counts before, after;

	if (t->ops->ecc(t, &before, f) < 0 || first_difference(t, eb, data, b, where, f) < 0 ||
	    t->ops->ecc(t, &after, f) < 0)
		return -1;
	*failed = after.failed - before.failed;
	b->corrected += after.corrected - before.corrected;
	return 0;
}

int block_holds(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		struct fault *f)
{
	uint32_t where, failed;

	if (compare(t, eb, data, b, &where, &failed, f) < 0)
		return 0; /* unreadable: whatever it holds, it is not the data */
	return where == t->eraseblock && failed == 0;
}

/* The read-back that every success rests on. */
static int prove(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		 struct fault *f)
{
	uint32_t where, failed;

	if (compare(t, eb, data, b, &where, &failed, f) < 0)
		return -1;
	if (failed)
		return fault_set(f, FAULT_FLASH,
				 "%s: eraseblock %u reads back with %u uncorrectable pages",
				 t->name, eb, failed);
	if (where < t->eraseblock)
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u reads back wrong near byte %u",
				 t->name, eb, where);
	return 0;
}

int block_erase(struct target *t, uint32_t eb, struct block_buffers *b, struct fault *f)
{
	if (t->ops->erase(t, eb, f) < 0)
		return -1;
	return prove(t, eb, NULL, b, f);
}

/*
 * Programs what is not 0xFF, in runs as long as possible. A page of 0xFF that was programmed is
 * not a blank one any more (some ECC engines write their bytes), and UBIFS would write to it.
 */
static int program_runs(struct target *t, uint32_t eb, const uint8_t *data, struct fault *f)
{
	/* On NOR a "page" is a byte or two: look for holes of at least 512 bytes there. */
	uint32_t unit = t->page < 512 ? 512 / t->page * t->page : t->page;
	uint32_t start = 0, at = 0;

	while (at < t->eraseblock) {
		uint32_t len = t->eraseblock - at < unit ? t->eraseblock - at : unit;
		bool blank = all_ff(data + at, len);

		if (blank && start < at &&
		    t->ops->program(t, eb, start, data + start, at - start, f) < 0)
			return -1;
		at += len;
		if (blank)
			start = at;
	}
	if (start < at)
		return t->ops->program(t, eb, start, data + start, at - start, f);
	return 0;
}

int block_program(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		  struct fault *f)
{
	if (program_runs(t, eb, data, f) < 0)
		return -1;
	return prove(t, eb, data, b, f);
}

int block_write(struct target *t, uint32_t eb, const uint8_t *data, struct block_buffers *b,
		struct fault *f)
{
	if (t->ops->erase(t, eb, f) < 0)
		return -1;
	return block_program(t, eb, data, b, f);
}
