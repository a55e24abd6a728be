// SPDX-License-Identifier: GPL-2.0-or-later
#include "start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cleanmarker.h"
#include "stamp.h"
#include "ubi_header.h"

enum {
	MARKER_MIN = 4, /* bytes of a cleanmarker that say enough */
	UBI_LOOKS =
		4, /* eraseblocks: one of a UBI may just have been erased when the power was cut */
};

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

static uint32_t count_of(const uint8_t *data, uint32_t len, uint8_t value)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < len; i++)
		count += data[i] == value;
	return count;
}

/*
 * Whether it was tortured when the power went, so that its first page has one of the patterns, though
 * perhaps not everywhere. Zeros are no more than that if the next page has nothing else.
 */
static int is_pattern(struct look *l, uint32_t eb, bool *pattern, struct fault *f)
{
	uint32_t page = l->t->page, most = page - page / 4;
	bool failed = false;

	*pattern = count_of(l->buf, page, 0xa5) >= most || count_of(l->buf, page, 0x5a) >= most;
	if (count_of(l->buf, page, 0) < page)
		return 0;
	if (target_block_size(l->t, eb) > page && read_checked(l, eb, page, page, &failed, f) < 0)
		return -1;
	*pattern = failed || (is_uniform(l->buf, page) && (l->buf[0] == 0 || l->buf[0] == 0xff));
	return 0;
}

/* A first eraseblock that JFFS2 has free is blank, too, but has as much of its marker as there is room for. */
static bool has_cleanmarker(struct look *l, uint32_t eb)
{
	uint8_t have[CLEANMARKER_OOB_SIZE];

	for (uint32_t len = sizeof(have); len >= MARKER_MIN; len--) {
		struct fault f;

		if (l->t->ops->read_oob(l->t, eb, 0, have, len, &f) == 0)
			return cleanmarker_fits(have, len);
		if (f.err != EOPNOTSUPP)
			return false;
	}
	return false;
}

static int look_at_nand(struct look *l, uint32_t eb, enum start_state *s, struct fault *f)
{
	int torn = stamp_says_torn(l->t, eb, f);
	bool failed, missing;

	if (torn < 0 || read_checked(l, eb, 0, l->t->page, &failed, f) < 0)
		return -1;
	if (torn || failed) {
		*s = START_TORN;
		return 0;
	}
	missing = all_ff(l->buf, l->t->page);
	if (missing)
		missing = !has_cleanmarker(l, eb);
	else if (is_pattern(l, eb, &missing, f) < 0)
		return -1;
	if (missing)
		*s = START_BLANK;
	return 0;
}

/* Whether a JFFS2 node is at the start of the eraseblock, as in all that JFFS2 has. */
static int has_node(struct look *l, uint32_t eb, bool *node, struct fault *f)
{
	if (l->t->ops->read(l->t, eb, 0, l->buf, JFFS2_NODE_HEAD, f) < 0)
		return -1;
	*node = jffs2_is_node(l->buf);
	return 0;
}

/*
 * Its first byte is written last. What a torn erase leaves may be anything; in a JFFS2, which would
 * be mounted without what was there, that is no node.
 */
static int look_at_nor(struct look *l, uint32_t eb, enum start_state *s, struct fault *f)
{
	uint32_t page = l->t->page;
	bool first, second = false;

	if (l->t->ops->read(l->t, eb, 0, l->buf, page, f) < 0)
		return -1;
	if (all_ff(l->buf, page))
		*s = START_BLANK;
	else if (has_node(l, eb, &first, f) < 0 ||
		 (eb + 1 < l->t->blocks && has_node(l, eb + 1, &second, f) < 0))
		return -1;
	else if (second && !first)
		*s = START_TORN;
	return 0;
}

/* A sector is written whole or not at all. One full of zeros is what many file systems begin with. */
static int look_at_sector(struct look *l, enum start_state *s, struct fault *f)
{
	if (l->t->ops->read(l->t, 0, 0, l->buf, l->t->page, f) < 0)
		return -1;
	if (all_ff(l->buf, l->t->page))
		*s = START_BLANK;
	return 0;
}

static int look_at_first(struct look *l, uint32_t eb, enum start_state *s, struct fault *f)
{
	switch (l->t->medium) {
	case MEDIUM_NAND:
		return look_at_nand(l, eb, s, f);
	case MEDIUM_NOR:
		return look_at_nor(l, eb, s, f);
	case MEDIUM_BLOCK:
		return look_at_sector(l, s, f);
	case MEDIUM_VOLUME:
		break;
	}
	return fault_set(f, FAULT_FAILED, "%s: its UBI knows whether it is whole", l->t->name);
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

bool start_holds_ubi(struct target *t)
{
	uint32_t eb = 0;
	char magic[4];
	struct fault f;

	for (int i = 0; i < UBI_LOOKS && target_next_good(t, &eb, &f) > 0; i++, eb++)
		if (t->ops->read(t, eb, 0, magic, sizeof(magic), &f) == 0 &&
		    memcmp(magic, "UBI#", sizeof(magic)) == 0)
			return true;
	return false;
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
