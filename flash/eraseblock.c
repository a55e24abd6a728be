// SPDX-License-Identifier: GPL-2.0-or-later
#include "eraseblock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

enum {
	HOLE = 512, /* bytes: the least that is worth leaving out of a program run */
};

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

/* The unit that is left out or programmed as a whole. On NOR a "page" is but a byte or two. */
static uint32_t unit_of(const struct target *t)
{
	return t->page < HOLE ? HOLE / t->page * t->page : t->page;
}

/*
 * Compares flash with data (NULL: with 0xFF), in pieces that grow from one page, so that a
 * difference costs little and a match few calls. *where becomes the offset of the piece that
 * differs, or len if none does.
 */
static int first_difference(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
			    struct block_buffers *b, uint32_t *where, struct fault *f)
{
	uint32_t piece = unit_of(t);

	for (; *where < len; piece *= 2) {
		uint32_t left = len - *where;
		uint32_t now = piece < left ? piece : left;

		if (t->ops->read(t, eb, *where, b->check, now, f) < 0)
			return -1;
		if (data ? memcmp(b->check, data + *where, now) != 0 : !all_ff(b->check, now))
			return 0;
		*where += now;
	}
	return 0;
}

static int read_ecc(struct target *t, struct ecc_counts *counts, struct fault *f)
{
	memset(counts, 0, sizeof(*counts));
	if (!t->ops->ecc || t->ops->ecc(t, counts, f) == 0)
		return 0;
	f->kind = FAULT_FAILED; /* this says nothing of the eraseblock */
	return -1;
}

/*
 * As first_difference(), and looks at the driver's ECC statistics around it: a read of pages that
 * ECC could not correct succeeds, with whatever bytes came. *failed is the number of such pages.
 */
static int compare(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		   struct block_buffers *b, uint32_t *where, uint32_t *failed, struct fault *f)
{
	struct ecc_counts before, after;

	if (read_ecc(t, &before, f) < 0 || first_difference(t, eb, data, len, b, where, f) < 0 ||
	    read_ecc(t, &after, f) < 0)
		return -1;
	*failed = after.failed - before.failed;
	b->corrected += after.corrected - before.corrected;
	return 0;
}

int block_holds(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		struct block_buffers *b, struct fault *f)
{
	uint32_t where = 0, failed;

	if (compare(t, eb, data, len, b, &where, &failed, f) < 0)
		return 0; /* unreadable: whatever it holds, it is not the data */
	return where == len && failed == 0;
}

/* The read-back that every success rests on, from byte from on. */
static int prove(struct target *t, uint32_t eb, const uint8_t *data, uint32_t from, uint32_t len,
		 struct block_buffers *b, struct fault *f)
{
	uint32_t where = from, failed;

	if (compare(t, eb, data, len, b, &where, &failed, f) < 0)
		return -1;
	if (failed)
		return fault_set(f, FAULT_FLASH,
				 "%s: eraseblock %u reads back with %u uncorrectable page%s",
				 t->name, eb, failed, failed == 1 ? "" : "s");
	if (where < len)
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u reads back wrong near byte %u",
				 t->name, eb, where);
	return 0;
}

int block_prove(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		struct block_buffers *b, struct fault *f)
{
	return prove(t, eb, data, 0, len, b, f);
}

int block_erase(struct target *t, uint32_t eb, struct block_buffers *b, struct fault *f)
{
	uint32_t size = target_block_size(t, eb);

	if (t->ops->erase) {
		if (t->ops->erase(t, eb, f) < 0)
			return -1;
	} else {
		memset(b->check, 0xff, size);
		if (t->ops->program(t, eb, 0, b->check, size, f) < 0)
			return -1;
	}
	return block_prove(t, eb, NULL, size, b, f);
}

/*
 * Programs what is not 0xFF, in runs as long as possible. A page of 0xFF that was programmed is
 * not a blank one any more (some ECC engines write their bytes), and UBIFS would write to it.
 */
static int program_runs(struct target *t, uint32_t eb, const uint8_t *data, uint32_t from,
			uint32_t to, struct fault *f)
{
	uint32_t unit = unit_of(t);
	uint32_t start = from, at = from;

	if (!t->ops->erase) /* there, 0xFF is data like any other */
		return t->ops->program(t, eb, from, data + from, to - from, f);
	while (at < to) {
		uint32_t len = to - at < unit ? to - at : unit;
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

int block_program(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		  struct block_buffers *b, struct fault *f)
{
	if (program_runs(t, eb, data, 0, len, f) < 0)
		return -1;
	return block_prove(t, eb, data, len, b, f);
}

int block_commit(struct target *t, uint32_t eb, const uint8_t *data, uint32_t len,
		 struct block_buffers *b, struct fault *f)
{
	uint32_t start = t->medium == MEDIUM_NOR ? t->page : 0;

	if (program_runs(t, eb, data, start, len, f) < 0 ||
	    prove(t, eb, data, start, len, b, f) < 0)
		return -1;
	if (start == 0)
		return 0;
	/* no more than the chip programs at once, which leaves nothing that could be torn */
	if (program_runs(t, eb, data, 0, start, f) < 0)
		return -1;
	return prove(t, eb, data, 0, start, b, f);
}

/* Erased, programmed with one pattern all over, and read back. */
static int torture_with(struct target *t, uint32_t eb, uint8_t pattern, struct block_buffers *b,
			struct fault *f)
{
	uint32_t size = target_block_size(t, eb);
	struct ecc_counts before, after;

	if (block_erase(t, eb, b, f) < 0)
		return -1;
	memset(b->check, pattern, size);
	if (t->ops->program(t, eb, 0, b->check, size, f) < 0)
		return -1;
	memset(b->check, ~pattern, size);
	if (read_ecc(t, &before, f) < 0 || t->ops->read(t, eb, 0, b->check, size, f) < 0 ||
	    read_ecc(t, &after, f) < 0)
		return -1;
	if (after.failed != before.failed || b->check[0] != pattern ||
	    memcmp(b->check, b->check + 1, size - 1) != 0)
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u does not keep the pattern %#x",
				 t->name, eb, pattern);
	return 0;
}

int block_torture(struct target *t, uint32_t eb, struct block_buffers *b, struct fault *f)
{
	/* As UBI's own torture test in the kernel (drivers/mtd/ubi/io.c). */
	static const uint8_t patterns[] = { 0xa5, 0x5a, 0x00 };

	for (size_t i = 0; i < sizeof(patterns); i++)
		if (torture_with(t, eb, patterns[i], b, f) < 0)
			return -1;
	return block_erase(t, eb, b, f);
}
