// SPDX-License-Identifier: GPL-2.0-or-later
#include "stamp.h"

#include <errno.h>
#include <stdbool.h>

#include "bytes.h"

enum {
	SIZE = 4,           /* bytes: few chips leave less */
	WRONG_BITS_MAX = 2, /* ECC does not cover free bytes everywhere */
};

/* Far from each other's, from a cleanmarker's, and from blank ones. */
static const uint8_t texts[][SIZE] = {
	[STAMP_PENDING] = { 'F', 'I', 'p', 'n' },
	[STAMP_BEGUN] = { 'F', 'I', 'b', 'g' },
	[STAMP_DONE] = { 'F', 'I', 'd', 'n' },
};

static uint32_t place(const struct target *t, uint32_t eb, enum stamp stamp)
{
	switch (stamp) {
	case STAMP_PENDING:
		return 0;
	case STAMP_BEGUN:
		return t->page;
	case STAMP_DONE:
		break;
	}
	return target_block_size(t, eb) - t->page;
}

static bool has_pages(const struct target *t, uint32_t eb)
{
	return target_block_size(t, eb) >= 3 * t->page; /* one for each stamp */
}

const char *stamp_obstacle(struct target *t, uint32_t eb)
{
	uint8_t have[SIZE];
	struct fault f;

	if (t->one_write)
		return "a chip with several bits to a cell";
	if (!has_pages(t, eb))
		return "too few pages";
	if (t->ops->read_oob(t, eb, 0, have, sizeof(have), &f) < 0)
		return "no free bytes in its OOB";
	return NULL;
}

int stamp_put(struct target *t, uint32_t eb, enum stamp stamp, struct fault *f)
{
	return t->ops->write_oob(t, eb, place(t, eb, stamp), texts[stamp], SIZE, f);
}

/* 1: it is there, 0: not. */
static int is_there(struct target *t, uint32_t eb, enum stamp stamp, struct fault *f)
{
	uint8_t have[SIZE];
	int wrong = 0;

	if (t->ops->read_oob(t, eb, place(t, eb, stamp), have, sizeof(have), f) < 0)
		return f->err == EOPNOTSUPP ? 0 : -1;
	for (int i = 0; i < SIZE; i++)
		wrong += __builtin_popcount((unsigned int)(have[i] ^ texts[stamp][i]));
	return wrong <= WRONG_BITS_MAX;
}

int stamp_says_torn(struct target *t, uint32_t eb, struct fault *f)
{
	int begun, pending, done;

	if (!t->ops->read_oob || !has_pages(t, eb))
		return 0;
	begun = is_there(t, eb, STAMP_BEGUN, f);
	if (begun)
		return begun;
	pending = is_there(t, eb, STAMP_PENDING, f);
	if (pending <= 0)
		return pending;
	done = is_there(t, eb, STAMP_DONE, f);
	return done < 0 ? -1 : !done;
}
