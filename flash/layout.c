// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lays a payload out over the good eraseblocks of a target in their order, as nandwrite and boot
 * loaders do it: the start last, and nothing that is right already touched.
 */
#include <string.h>

#include "bytes.h"
#include "cleanmarker.h"
#include "job.h"
#include "stamp.h"

/* Passes over bad eraseblocks. Returns 1, or 0 where no good one is left. */
static int seek_good(struct job *job, struct fault *f)
{
	uint32_t from = job->next_eb;
	int found = target_next_good(job->t, &job->next_eb, f);

	for (uint32_t eb = from; found >= 0 && eb < job->next_eb; eb++) {
		job->counts->bad++;
		job_proven(job, target_block_size(job->t, eb));
	}
	return found;
}

static int take_good(struct job *job, uint32_t *eb, struct fault *f)
{
	int found = seek_good(job, f);

	if (found < 0)
		return -1;
	if (found == 0)
		return fault_set(f, FAULT_FLASH, "%s: ran out of good eraseblocks", job->t->name);
	*eb = job->next_eb++;
	return 0;
}

/* How many bytes of an eraseblock are ours: on a block device, the sectors with data in them. */
static uint32_t our_len(const struct job *job, uint32_t eb, size_t got)
{
	uint32_t page = job->t->page;

	if (job->t->medium != MEDIUM_BLOCK)
		return target_block_size(job->t, eb);
	return ((uint32_t)got + page - 1) / page * page;
}

/*
 * Whether the eraseblock holds that already. One that looks blank is not taken for blank where an
 * erase may have been torn.
 */
static bool is_right(struct job *job, uint32_t eb, const uint8_t *data, uint32_t len,
		     struct fault *f)
{
	const struct block_buffers *b = &job->run->buffers;
	uint32_t corrected = b->corrected;

	if (job->distrust_blank && !(job->state[eb] & EB_ERASED) && all_ff(data, len))
		return false;
	if (block_holds(job->t, eb, data, len, &job->run->buffers, f) != 1)
		return false;
	/* A program that was torn, too, may read right as long as ECC helps. */
	return !job->distrust_blank || b->corrected == corrected;
}

/* The volume tables of the UBI that was there, wherever it had put them, but for the start. */
static int erase_old_layout(struct job *job, struct fault *f)
{
	const struct content blank = { .kind = CONTENT_BLANK };
	bool moved = false;

	for (uint32_t eb = 0; eb < job->t->blocks; eb++) {
		int result = 0;

		if ((job->state[eb] & EB_LAYOUT) && eb != job->held[0].eb)
			result = job_place(job, eb, &blank, f);
		if (result < 0)
			return -1;
		if (result == JOB_LOST && eb < job->next_eb)
			moved = true; /* something is to go there, or is there already */
	}
	return moved ? JOB_AGAIN : 0;
}

/* Nothing must take half a start for a whole one. It can only be tried: the first fault counts. */
static void blank_start(struct job *job)
{
	uint32_t eb = 0;
	struct fault f;

	/* If it is marked, the one behind it is none of this, and may be part of a whole firmware. */
	if (target_next_good(job->t, &eb, &f) > 0 && eb == job->held[0].eb &&
	    block_erase(job->t, eb, &job->run->buffers, &f) == 0 && job->t->ops->sync)
		(void)job->t->ops->sync(job->t, &f);
}

/*
 * The target stops being a valid firmware here, and says so by its blank first eraseblock. One that
 * looks blank already says so, too, and is erased in the end, just before it is programmed: if that
 * erase were torn now, the next run would not know that others may be.
 */
static int invalidate(struct job *job, struct fault *f)
{
	const struct content blank = { .kind = CONTENT_BLANK };
	int start = 0, layout;

	if (job->invalidated)
		return 0;
	if (job_begin(job, f) < 0)
		return -1;
	job->invalidated = true;
	/* Before anything else: a UBI with its volume table and a hole would be attached. */
	layout = erase_old_layout(job, f);
	if (layout < 0)
		return -1;
	if (!job->start_blank) {
		job_note_start(job);
		start = job_place(job, job->held[0].eb, &blank, f);
		if (start < 0)
			blank_start(job);
	}
	if (start < 0 || (job->t->ops->sync && job->t->ops->sync(job->t, f) < 0))
		return -1;
	return start == JOB_LOST ? JOB_AGAIN : layout;
}

/* Takes what completes the firmware into RAM, to be programmed last. */
static int hold_start(struct job *job, struct fault *f)
{
	for (unsigned int n = 0; n < job->held_count; n++) {
		struct held *h = &job->held[n];
		uint8_t *data;
		size_t got;

		if (readahead_next(&job->run->ahead, &data, &got, f) < 0 ||
		    (job->ubi && ubi_check_data(job->t, &job->ubi->image, data, n, f) < 0) ||
		    take_good(job, &h->eb, f) < 0)
			return -1;
		memcpy(h->data, data, target_block_size(job->t, h->eb));
		h->len = our_len(job, h->eb, got);
		if (job->ubi)
			ubi_dress(job, h->eb, h->data);
		h->differs = !is_right(job, h->eb, h->data, h->len, f) ||
			     (n == 0 && !job->ubi && stamp_says_torn(job->t, h->eb, f) > 0);
	}
	return 0;
}

static int write_block(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	int result;

	if (is_right(job, eb, c->data, c->len, f)) {
		job->counts->identical++;
		return 0;
	}
	result = invalidate(job, f);
	if (result == 0)
		result = job_place(job, eb, c, f);
	if (result == 0)
		job->counts->written++;
	return result;
}

/* Brings the next good eraseblocks, one if all goes well, to hold the data. */
static int write_data(struct job *job, uint8_t *data, size_t got, struct fault *f)
{
	for (;;) {
		struct content c = { .kind = CONTENT_DATA, .data = data };
		uint32_t eb = 0;
		int result;

		if (take_good(job, &eb, f) < 0)
			return -1;
		c.len = our_len(job, eb, got);
		if (job->ubi)
			ubi_dress(job, eb, data);
		result = write_block(job, eb, &c, f);
		if (result == JOB_LOST)
			continue;
		if (result == 0) {
			shift_note(job, eb, data);
			job_proven(job, target_block_size(job->t, eb));
		}
		return result;
	}
}

static int write_middle(struct job *job, struct fault *f)
{
	uint32_t n = job->held_count;

	for (;; n++) {
		uint8_t *data;
		size_t got;
		int result;

		if (readahead_next(&job->run->ahead, &data, &got, f) < 0)
			return -1;
		if (got == 0)
			return 0;
		if (job->ubi && ubi_check_data(job->t, &job->ubi->image, data, n, f) < 0)
			return -1;
		result = write_data(job, data, got, f);
		if (result != 0)
			return result;
	}
}

/* What an eraseblock behind the image is to be. */
static struct content tail_content(struct job *job, uint32_t eb)
{
	struct content c = { .data = job->run->data, .len = target_block_size(job->t, eb) };

	memset(c.data, 0xff, c.len);
	if (job->ubi) {
		c.kind = CONTENT_UBI_FREE;
		ubi_dress(job, eb, c.data);
	} else if (job->payload->tail != TAIL_JFFS2) {
		c.kind = CONTENT_BLANK;
	} else if (job->t->ops->write_oob) {
		c.kind = CONTENT_OOB_MARKER;
	} else {
		c.kind = CONTENT_DATA;
		cleanmarker_put(c.data, CLEANMARKER_NODE_SIZE);
	}
	return c;
}

/* Whether nothing is left of a cleanmarker; where the OOB cannot be read, nobody else can either. */
static bool has_blank_oob(struct job *job, uint32_t eb)
{
	uint8_t have[CLEANMARKER_OOB_SIZE];
	struct fault f;

	return !job->t->ops->read_oob ||
	       job->t->ops->read_oob(job->t, eb, 0, have, sizeof(have), &f) < 0 ||
	       all_ff(have, sizeof(have));
}

static bool has_marker(struct job *job, uint32_t eb, struct fault *f)
{
	uint8_t want[CLEANMARKER_OOB_SIZE], have[CLEANMARKER_OOB_SIZE];

	cleanmarker_put(want, sizeof(want));
	return job->t->ops->read_oob(job->t, eb, 0, have, sizeof(have), f) == 0 &&
	       memcmp(want, have, sizeof(want)) == 0 &&
	       block_holds(job->t, eb, NULL, target_block_size(job->t, eb), &job->run->buffers,
			   f) == 1;
}

/* Behind the image, a header or a marker says no more about an erase than a blank look does. */
static bool is_right_tail(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	if (job->distrust_blank && !(job->state[eb] & EB_ERASED))
		return false;
	if (c->kind == CONTENT_OOB_MARKER)
		return has_marker(job, eb, f);
	return is_right(job, eb, c->data, c->len, f) &&
	       (c->kind != CONTENT_BLANK || has_blank_oob(job, eb));
}

static int write_tail_block(struct job *job, uint32_t eb, struct fault *f)
{
	struct content c = tail_content(job, eb);
	int result;

	if (!is_right_tail(job, eb, &c, f)) {
		result = invalidate(job, f);
		if (result == 0)
			result = job_place(job, eb, &c, f);
		if (result < 0 || result == JOB_AGAIN)
			return result;
		if (result == JOB_LOST)
			return 0; /* nothing was to be kept there */
		job->counts->cleared++;
	}
	job_proven(job, target_block_size(job->t, eb));
	return 0;
}

/* What a previous firmware left behind the image would come back to life in a JFFS2. */
static int write_tail(struct job *job, struct fault *f)
{
	for (;;) {
		int result = seek_good(job, f);

		if (result <= 0)
			return result;
		result = write_tail_block(job, job->next_eb++, f);
		if (result != 0)
			return result;
	}
}

/*
 * An eraseblock that was tortured when the power went may hold any of the patterns, or nothing that
 * can be read.
 */
static bool was_left_behind(struct job *job, uint32_t eb)
{
	uint32_t size = target_block_size(job->t, eb);
	uint8_t *check = job->run->buffers.check;
	struct fault f;

	if (job->t->ops->read(job->t, eb, 0, check, size, &f) < 0)
		return true;
	return memcmp(check, check + 1, size - 1) == 0;
}

/* A cut update, or a chip from the factory: in both, a look says nothing about being erased. */
static int look_at_start(struct job *job, struct fault *f)
{
	uint32_t eb = 0;
	int found;

	if (!job->t->ops->erase)
		return 0;
	found = target_next_good(job->t, &eb, f);
	if (found <= 0)
		return found;
	/* One that JFFS2 has free, with its marker, is a start like any other. */
	job->start_blank = block_holds(job->t, eb, NULL, target_block_size(job->t, eb),
				       &job->run->buffers, f) == 1 &&
			   has_blank_oob(job, eb);
	job->distrust_blank = job->start_blank || was_left_behind(job, eb);
	return 0;
}

static void start_pass(struct job *job, struct source *src)
{
	struct engine_counts *c = job->counts;

	job->next_eb = 0;
	job->data_end = 0;
	job->done = 0;
	c->written = c->identical = c->cleared = c->bad = 0;
	readahead_start(&job->run->ahead, src, job->payload, job->t);
}

int layout_write_most(struct job *job, struct source *src, struct fault *f)
{
	int result;

	if (!job->invalidated && look_at_start(job, f) < 0)
		return -1;
	start_pass(job, src);
	result = hold_start(job, f);
	if (result == 0)
		result = write_middle(job, f);
	readahead_stop(&job->run->ahead);
	if (result == 0 &&
	    (job->ubi || job->payload->tail == TAIL_ERASE || job->payload->tail == TAIL_JFFS2))
		result = write_tail(job, f);
	if (result == 0 && job->t->ops->sync)
		result = job->t->ops->sync(job->t, f);
	return result;
}

static bool is_missing(const struct job *job, unsigned int n)
{
	const struct held *h = &job->held[n];

	return h->differs || (job->state[h->eb] & EB_ERASED);
}

static int commit_held(struct job *job, unsigned int n, struct fault *f)
{
	struct held *h = &job->held[n];
	const struct content c = { n ? CONTENT_DATA : CONTENT_START, h->data, h->len };

	if (is_missing(job, n)) {
		int result = job_place(job, h->eb, &c, f);

		if (result != 0)
			return result < 0 ? -1 : JOB_AGAIN;
		job->counts->written++;
	} else {
		job->counts->identical++;
	}
	job_proven(job, target_block_size(job->t, h->eb));
	return 0;
}

/*
 * Where only the start differs, this is the first that changes: before any other target's start is
 * there, since an old one would go well with it.
 */
int layout_invalidate(struct job *job, struct fault *f)
{
	bool missing = false;

	for (unsigned int i = 0; i < job->held_count; i++)
		missing = missing || is_missing(job, i);
	return missing ? invalidate(job, f) : 0; /* may erase what was right, too */
}

int layout_commit(struct job *job, struct fault *f)
{
	unsigned int n = job->held_count;
	int result = layout_invalidate(job, f);

	while (result == 0 && n-- > 0)
		result = commit_held(job, n, f);
	if (result == 0 && job->t->ops->sync)
		result = job->t->ops->sync(job->t, f);
	if (result < 0 && job->invalidated)
		blank_start(job);
	return result;
}
