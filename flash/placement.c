// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gets an eraseblock to hold what it should: again, tortured, once more, and marked bad in the end.
 * The ladder is ubiformat's; that only EIO and wrong data climb it, too.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "cleanmarker.h"
#include "job.h"
#include "stamp.h"

enum {
	TRIES = 2,
	TORTURE_ERASES = 4,
	/* How many eraseblocks may go bad in one run: more is no worn chip, but a supply, a bus or a
	 * driver that fails, and a bad mark cannot be taken back. Chips are sold with up to 2 %. */
	BAD_IN_ANY_RUN = 4,
	BAD_ONE_IN = 50,
	BAD_AT_THE_START = 8, /* one behind the other, more than that is no firmware's start */
};

/* Whether it was the eraseblock that failed: a device that has gone fails otherwise. */
static bool is_eraseblocks_fault(const struct fault *f)
{
	return f->kind == FAULT_FLASH && (f->err == 0 || f->err == EIO);
}

static int erase(struct job *job, uint32_t eb, bool prove, struct fault *f)
{
	struct target *t = job->t;

	if (job->state[eb] & EB_ERASED)
		return 0;
	ubi_count_erases(job, eb, 1);
	if (prove)
		return block_erase(t, eb, &job->run->buffers, f);
	return t->ops->erase ? t->ops->erase(t, eb, f) : 0;
}

static int put_marker(struct job *job, uint32_t eb, struct fault *f)
{
	uint8_t marker[CLEANMARKER_OOB_SIZE], back[CLEANMARKER_OOB_SIZE];
	struct target *t = job->t;

	cleanmarker_put(marker, sizeof(marker));
	if (t->ops->write_oob(t, eb, 0, marker, sizeof(marker), f) < 0 ||
	    t->ops->read_oob(t, eb, 0, back, sizeof(back), f) < 0)
		return -1;
	if (memcmp(marker, back, sizeof(marker)) != 0)
		return fault_set(f, FAULT_FLASH,
				 "%s: eraseblock %u reads back without its cleanmarker", t->name,
				 eb);
	for (int i = 0; i < TRIES; i++)
		if (block_prove(t, eb, NULL, target_block_size(t, eb), &job->run->buffers, f) == 0)
			return 0;
	/* With an ECC that covers the OOB that is so everywhere, and no eraseblock's fault. */
	return fault_set(
		f, FAULT_FAILED,
		"%s: eraseblock %u does not read blank with a cleanmarker in its OOB: this "
		"controller cannot have them, use tail=erase",
		t->name, eb);
}

/* UBI programs the rest of the page later, where pages can be programmed in parts. */
static int put_header(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	struct target *t = job->t;
	uint32_t len = (UBI_HEADER_SIZE + t->subpage - 1) / t->subpage * t->subpage;

	if (t->ops->program(t, eb, 0, c->data, len, f) < 0)
		return -1;
	return block_prove(t, eb, c->data, c->len, &job->run->buffers, f);
}

static bool can_stamp(const struct job *job)
{
	return job->t->ops->write_oob && !job->unstamped;
}

static bool has_stamps(const struct job *job)
{
	return can_stamp(job) && !job->ubi;
}

static void write_unstamped(struct job *job, const char *why)
{
	job->unstamped = true;
	job_note(job,
		 "the start is written without stamps in OOB (%s): if its own write is cut, only a "
		 "journal tells",
		 why);
}

/* So that a start which is torn can be told from a whole one, though it may read the same. */
static int put_stamped(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	struct block_buffers *b = &job->run->buffers;
	struct target *t = job->t;

	if (stamp_put(t, eb, STAMP_PENDING, f) < 0 ||
	    block_commit(t, eb, c->data, c->len, b, f) < 0 || stamp_put(t, eb, STAMP_DONE, f) < 0)
		return -1;
	if (stamp_says_torn(t, eb, f) != 0)
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u does not keep its stamps",
				 t->name, eb);
	return block_prove(t, eb, c->data, c->len, b, f); /* ECC may not take it well */
}

/* A start that is blank is none; and JFFS2, which would take such flash, wants its OOB blank, too. */
static int put_start(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	bool stamped = has_stamps(job) && !all_ff(c->data, c->len);
	const char *obstacle = stamped ? stamp_obstacle(job->t, eb) : NULL;

	if (obstacle)
		write_unstamped(job, obstacle);
	if (stamped && !obstacle)
		return put_stamped(job, eb, c, f);
	return block_commit(job->t, eb, c->data, c->len, &job->run->buffers, f);
}

static int put(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	struct block_buffers *b = &job->run->buffers;
	struct target *t = job->t;

	if (job->ubi)
		ubi_dress(job, eb, c->data);
	if (c->kind == CONTENT_OOB_MARKER)
		return put_marker(job, eb, f);
	if (c->kind == CONTENT_START)
		return put_start(job, eb, c, f);
	if (c->kind == CONTENT_DATA)
		return block_program(t, eb, c->data, c->len, b, f);
	return put_header(job, eb, c, f);
}

static int attempt(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	bool blank = c->kind == CONTENT_BLANK || c->kind == CONTENT_OOB_MARKER;

	if (erase(job, eb, blank, f) < 0)
		return -1;
	job->can_erase = true;
	job->state[eb] = c->kind == CONTENT_BLANK ? EB_ERASED : 0;
	return c->kind == CONTENT_BLANK ? 0 : put(job, eb, c, f);
}

static int torture(struct job *job, uint32_t eb, struct fault *f)
{
	ubi_count_erases(job, eb, TORTURE_ERASES);
	if (block_torture(job->t, eb, &job->run->buffers, f) < 0)
		return -1;
	job->state[eb] = EB_ERASED;
	return 0;
}

static int start_checksum(struct job *job, uint32_t *crc, struct fault *f)
{
	uint32_t eb = job->held[0].eb, size = target_block_size(job->t, eb);
	uint8_t *check = job->run->buffers.check;

	if (job->t->ops->read(job->t, eb, 0, check, size, f) < 0)
		return -1;
	*crc = (uint32_t)crc32(0, check, size);
	return 0;
}

/* A help where an erase is cut, and no more than that: there are chips that cannot. */
static void stamp_begun(struct job *job, uint32_t eb)
{
	struct fault f;

	if (can_stamp(job) && !stamp_obstacle(job->t, eb))
		(void)stamp_put(job->t, eb, STAMP_BEGUN, &f);
}

void job_note_start(struct job *job)
{
	struct fault f;

	/* one that cannot be read is nobody's start */
	job->has_start = start_checksum(job, &job->start_crc, &f) == 0;
	stamp_begun(job, job->held[0].eb);
}

/* Whether the old firmware's start is still there, after all that was tried. */
static bool start_is_unchanged(struct job *job)
{
	struct fault f;
	uint32_t crc;

	return job->has_start && start_checksum(job, &crc, &f) == 0 && crc == job->start_crc;
}

/* Where ECC covers the OOB, a page cannot be programmed in two parts. */
static bool does_without_stamps(struct job *job, uint32_t eb, const struct content *c)
{
	struct fault f;

	if (c->kind != CONTENT_START || !has_stamps(job))
		return false;
	job->unstamped = true;
	if (attempt(job, eb, c, &f) == 0) {
		write_unstamped(job, "it reads back only so");
		return true;
	}
	job->unstamped = false;
	job->state[eb] = 0;
	return false;
}

/* As often as it is worth while, and once more if it stands the torture. */
static int try_hard(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	for (unsigned int failed = 0; failed < TRIES; failed++) {
		if (attempt(job, eb, c, f) == 0)
			return 0;
		job->state[eb] = 0;
		if (failed == 0)
			job->counts->retried++;
		if (!is_eraseblocks_fault(f))
			return -1;
	}
	if (job->t->ops->mark_bad && torture(job, eb, f) == 0 &&
	    (attempt(job, eb, c, f) == 0 || does_without_stamps(job, eb, c)))
		return 0;
	job->state[eb] = 0;
	return -1;
}

/* Whether count more eraseblocks may be marked, of which eb is the last. */
static int check_limits(const struct job *job, uint32_t count, uint32_t eb, struct fault *f)
{
	const struct target *t = job->t;
	const struct fault why = *f;

	count += job->counts->newly_bad;
	if (count - job->marked_before > job->spare)
		return fault_set(f, FAULT_FLASH,
				 "%s: ran out of good eraseblocks: eraseblock %u has gone bad, "
				 "and none is left to spare (%.120s)",
				 t->name, eb, why.text);
	if (count > BAD_IN_ANY_RUN + t->blocks / BAD_ONE_IN)
		return fault_set(f, FAULT_FLASH,
				 "%s: %u eraseblocks went bad in one run, the last is %u: check "
				 "the supply and the chip; no more are marked (%.120s)",
				 t->name, count, eb, why.text);
	return 0;
}

static int mark(struct job *job, uint32_t eb, const struct fault *why, struct fault *f)
{
	int seen;

	/* A chip behind a write-protect pin fails every erase, too, with EIO. */
	if (!job->can_erase && job->counts->newly_bad > 0)
		return fault_set(f, FAULT_FLASH,
				 "%s: none of the eraseblocks tried can be erased, so no more are "
				 "marked bad: is the chip write-protected? (%.120s)",
				 job->t->name, why->text);
	seen = job->t->ops->mark_bad(job->t, eb, f);
	if (seen < 0)
		return -1;
	job->counts->newly_bad++;
	job->state[eb] = 0;
	job_note(job, "eraseblock %u is marked bad now (%.160s)", eb, why->text);
	if (seen == 1)
		job_note(job,
			 "the mark of eraseblock %u is not seen in its OOB: it lasts only if the "
			 "chip has a bad-block table on flash",
			 eb);
	if (eb < job->next_eb) { /* otherwise it will be passed over in its turn */
		job->counts->bad++;
		job_proven(job, target_block_size(job->t, eb));
	}
	return 0;
}

/*
 * Makes the first good eraseblock behind eb that can be erased blank, and marks those before it
 * that cannot.
 */
static int blank_successor(struct job *job, uint32_t eb, struct fault *f)
{
	const struct content blank = { .kind = CONTENT_BLANK };
	uint32_t lost[BAD_AT_THE_START];
	struct fault why = { .err = 0 };
	unsigned int n = 0;

	for (;;) {
		int found;

		eb++;
		found = target_next_good(job->t, &eb, f);
		if (found == 0)
			return fault_set(f, FAULT_FLASH, "%s: ran out of good eraseblocks",
					 job->t->name);
		if (found < 0 || shift_take(job, eb, f) < 0)
			return -1;
		if (try_hard(job, eb, &blank, f) == 0)
			break;
		if (!is_eraseblocks_fault(f) || n == BAD_AT_THE_START ||
		    check_limits(job, n + 2, eb, f) < 0) /* with the one they follow */
			return -1;
		lost[n++] = eb;
		why = *f;
	}
	for (unsigned int i = 0; i < n; i++)
		if (mark(job, lost[i], &why, f) < 0)
			return -1;
	return 0;
}

/*
 * The first good eraseblock has gone bad. Until all is written, whatever is the first has to be
 * blank, and the one that will be is made so before the mark is set. But where the old start has
 * refused to go, it would still be valid then, with a hole behind it: there the mark comes first,
 * and what is the start then, for a moment, has a stamp.
 */
static int mark_start(struct job *job, uint32_t eb, const struct fault *why, struct fault *f)
{
	bool unchanged = start_is_unchanged(job);
	uint32_t next = eb + 1;

	if (unchanged && target_next_good(job->t, &next, f) > 0)
		stamp_begun(job, next);
	if (unchanged && mark(job, eb, why, f) < 0)
		return -1;
	if (blank_successor(job, eb, f) < 0)
		return -1;
	return unchanged ? 0 : mark(job, eb, why, f);
}

int job_place(struct job *job, uint32_t eb, const struct content *c, struct fault *f)
{
	bool start = eb == job->held[0].eb;
	struct fault why;

	if (try_hard(job, eb, c, f) == 0)
		return 0;
	if (!job->t->ops->mark_bad || !is_eraseblocks_fault(f) || check_limits(job, 1, eb, f) < 0)
		return -1;
	why = *f;
	if ((start ? mark_start(job, eb, &why, f) : mark(job, eb, &why, f)) < 0)
		return -1;
	return JOB_LOST;
}
