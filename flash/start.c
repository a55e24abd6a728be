// SPDX-License-Identifier: GPL-2.0-or-later
#include "start.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "ubi_header.h"

/* One look at one target. */
struct look {
	struct target *t;
	uint8_t *buf;
	uint32_t vid_offset; /* of the UBI that is there */
};

static bool is_uniform(const uint8_t *data, uint32_t len)
{
	return memcmp(data, data + 1, len - 1) == 0;
}

/* Reads, and tells in *failed whether ECC could not put it right. */
static int read_checked(struct look *l, uint32_t eb, uint32_t offset, uint32_t len, bool *failed,
			struct fault *f)
{
	struct ecc_counts before = { .failed = 0 }, after = { .failed = 0 };
	const struct target_ops *ops = l->t->ops;

	if ((ops->ecc && ops->ecc(l->t, &before, f) < 0) ||
	    ops->read(l->t, eb, offset, l->buf, len, f) < 0 ||
	    (ops->ecc && ops->ecc(l->t, &after, f) < 0))
		return -1;
	*failed = after.failed != before.failed;
	return 0;
}

static int look_at_first(struct look *l, uint32_t eb, enum start_state *s, struct fault *f)
{
	uint32_t len = l->t->page < 512 ? 512 / l->t->page * l->t->page : l->t->page;
	bool failed;

	if (read_checked(l, eb, 0, len, &failed, f) < 0)
		return -1;
	if (failed)
		*s = START_TORN;
	else if (l->t->medium == MEDIUM_BLOCK ? all_ff(l->buf, len) : is_uniform(l->buf, len))
		*s = START_BLANK;
	return 0;
}

/* What cannot be read in an eraseblock is nothing of it. */
static void look_for_table(struct look *l, uint32_t eb, enum start_state *s)
{
	const struct target *t = l->t;
	uint32_t data_offset;
	struct ubi_ec ec;
	struct fault f;

	if (t->ops->read(l->t, eb, 0, l->buf, UBI_HEADER_SIZE, &f) == 0 &&
	    ubi_ec_read(&ec, l->buf) && ec.vid_offset <= t->eraseblock - UBI_HEADER_SIZE)
		l->vid_offset = ec.vid_offset;
	if (t->ops->read(l->t, eb, l->vid_offset, l->buf, UBI_HEADER_SIZE, &f) < 0 ||
	    !ubi_is_layout(l->buf))
		return;
	*s = START_TORN;
	data_offset = (l->vid_offset + UBI_HEADER_SIZE + t->page - 1) / t->page * t->page;
	if (data_offset < t->eraseblock &&
	    t->ops->read(l->t, eb, data_offset, l->buf, ubi_table_size(t->eraseblock - data_offset),
			 &f) == 0 &&
	    ubi_table_is_whole(l->buf, t->eraseblock - data_offset))
		*s = START_WHOLE;
}

/* As the kernel attaches a UBI: with one copy of its volume table, in whichever eraseblock. */
static int look_at_ubi(struct look *l, enum start_state *s, struct fault *f)
{
	uint32_t unit = l->t->subpage;
	int found = 1;

	l->vid_offset = (UBI_HEADER_SIZE + unit - 1) / unit * unit; /* UBI's own choice */
	*s = START_BLANK;
	for (uint32_t eb = 0; *s != START_WHOLE; eb++) {
		found = target_next_good(l->t, &eb, f);
		if (found <= 0)
			break;
		look_for_table(l, eb, s);
	}
	return found < 0 ? -1 : 0;
}

static int look(struct look *l, bool ubi, enum start_state *s, struct fault *f)
{
	uint32_t eb = 0;
	int found;

	if (ubi)
		return look_at_ubi(l, s, f);
	found = target_next_good(l->t, &eb, f);
	if (found < 0)
		return -1;
	*s = found ? START_WHOLE : START_BLANK;
	return found ? look_at_first(l, eb, s, f) : 0;
}

int start_look(struct target *t, bool ubi, enum start_state *s, struct fault *f)
{
	struct look l = { .t = t, .buf = malloc(t->eraseblock) };
	int result;

	if (!l.buf)
		return fault_errno(f, FAULT_FAILED, "no memory for an eraseblock");
	result = look(&l, ubi, s, f);
	free(l.buf);
	return result;
}
