// SPDX-License-Identifier: GPL-2.0-or-later
#include "journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "bytes.h"

/*
 * A record, from the start of a slot; numbers are little-endian. What follows it in the slot is 0xFF.
 * A slot is a page; on NOR, whose pages are a byte or two, what a chip programs at once.
 */
enum {
	AT_SEQUENCE = 4, /* behind the magic */
	AT_STATE = 8,
	AT_GOOD = 9, /* and two bytes of 0 */
	AT_TRIES = 12,
	AT_ID = 16,
	AT_VERSION = AT_ID + IMAGE_ID_SIZE + 3,
	AT_CRC = AT_VERSION + IMAGE_TEXT_MAX + 1, /* of all before */
	RECORD = AT_CRC + 4,

	SLOT = 256,   /* bytes, or the multiple of a page that has them */
	ATTEMPTS = 3, /* at programming, per eraseblock: so many slots in a row may stay blank */
	BLANK_SLOTS = ATTEMPTS + 1, /* so many blank ones in a row: nothing follows */
	/*
	 * A new run counts on from that much later: more than the records that an append before it may
	 * have left torn, any of which may yet come to be readable.
	 */
	SEQUENCE_STEP = ATTEMPTS * (JOURNAL_BLOCKS_MAX + 2),
};

/* More than any flash lasts for: only a forged record can have it. */
#define SEQUENCE_END (UINT32_MAX / 2)

static const uint8_t magic[AT_SEQUENCE] = { 'f', 'i', 'J', '1' };

static uint32_t slot_size(const struct target *t)
{
	return (SLOT + t->page - 1) / t->page * t->page;
}

static uint32_t slots_in(const struct target *t, uint32_t eb)
{
	return target_block_size(t, eb) / slot_size(t);
}

/* The eraseblock's fault, which leaves others to be tried, or that of all. */
static int passable(const struct fault *f)
{
	return f->err == EIO ? 0 : -1;
}

int journal_check(struct target *t, struct fault *f)
{
	uint32_t good = 0;

	if (t->medium != MEDIUM_NAND && t->medium != MEDIUM_NOR)
		return fault_set(f, FAULT_UNFIT,
				 "%s: cannot be the journal: only an MTD partition can", t->name);
	if (t->blocks > JOURNAL_BLOCKS_MAX)
		return fault_set(f, FAULT_UNFIT,
				 "%s: cannot be the journal: it has %u eraseblocks, a journal at "
				 "most %d",
				 t->name, t->blocks, JOURNAL_BLOCKS_MAX);
	if (target_good_blocks(t, &good, NULL, f) < 0)
		return -1;
	if (good == 0)
		return fault_set(f, FAULT_UNFIT,
				 "%s: cannot be the journal: it has no good eraseblock", t->name);
	return 0;
}

static bool take_text(char *to, const uint8_t *from, size_t size)
{
	size_t len = strnlen((const char *)from, size);

	for (size_t i = 0; i < len; i++)
		if (from[i] < 0x20 || from[i] > 0x7e)
			return false;
	memcpy(to, from, size);
	return len < size;
}

/* Whether it is a record, and so the entry. */
static bool parse(const uint8_t *record, struct journal_entry *e, uint32_t *sequence)
{
	memset(e, 0, sizeof(*e));
	*sequence = get_le32(record + AT_SEQUENCE);
	e->state = (enum journal_state)record[AT_STATE];
	e->good = record[AT_GOOD] != 0;
	e->tries = get_le32(record + AT_TRIES);
	return memcmp(record, magic, sizeof(magic)) == 0 &&
	       get_le32(record + AT_CRC) == (uint32_t)crc32(0, record, AT_CRC) &&
	       *sequence < SEQUENCE_END && record[AT_STATE] <= JOURNAL_DONE &&
	       take_text(e->id, record + AT_ID, sizeof(e->id)) &&
	       take_text(e->version, record + AT_VERSION, sizeof(e->version));
}

static void set_text(uint8_t *to, const char *from, size_t size)
{
	put_bytes(to, from, strnlen(from, size));
}

static void make_record(uint8_t *record, const struct journal_entry *e, uint32_t sequence)
{
	memset(record, 0, RECORD);
	put_bytes(record, magic, sizeof(magic));
	put_le32(record + AT_SEQUENCE, sequence);
	record[AT_STATE] = (uint8_t)e->state;
	record[AT_GOOD] = e->good;
	put_le32(record + AT_TRIES, e->tries);
	set_text(record + AT_ID, e->id, sizeof(e->id));
	set_text(record + AT_VERSION, e->version, sizeof(e->version));
	put_le32(record + AT_CRC, (uint32_t)crc32(0, record, AT_CRC));
}

static int read_slot(struct target *t, uint32_t eb, uint32_t slot, uint8_t *record, struct fault *f)
{
	return t->ops->read(t, eb, slot * slot_size(t), record, RECORD, f);
}

/* Takes the eraseblock's records, if there is one that is later than the last. */
static int read_block(struct journal *j, uint32_t eb, struct fault *f)
{
	uint32_t slots = slots_in(j->t, eb), free = 0, blank = 0;
	bool last_is_here = false, first_is_whole = false;

	for (uint32_t slot = 0; slot < slots && blank < BLANK_SLOTS; slot++) {
		struct journal_entry e;
		uint8_t record[RECORD];
		uint32_t sequence;

		if (read_slot(j->t, eb, slot, record, f) < 0) {
			if (passable(f) < 0)
				return -1;
			memset(record, 0, sizeof(record));
		}
		blank = all_ff(record, sizeof(record)) ? blank + 1 : 0;
		if (blank)
			continue;
		free = slot + 1;
		if (!parse(record, &e, &sequence))
			continue;
		first_is_whole = first_is_whole || slot == 0;
		if (j->eb < j->t->blocks && sequence < j->sequence)
			continue;
		j->last = e;
		j->sequence = sequence;
		j->eb = eb;
		last_is_here = true;
	}
	if (!last_is_here)
		return 0;
	j->slot = free;
	/*
	 * NOR is byte for byte what it reads like, but for an erase that was cut, which takes the
	 * first record with it. (A larger page on NOR is one that has ECC.)
	 */
	j->trusted = j->t->medium == MEDIUM_NOR && j->t->page == 1 && first_is_whole;
	return 0;
}

int journal_read(struct journal *j, struct target *t, struct fault *f)
{
	memset(j, 0, sizeof(*j));
	j->t = t;
	j->eb = t->blocks;
	if (journal_check(t, f) < 0)
		return -1;
	for (uint32_t eb = 0;; eb++) {
		int found = target_next_good(t, &eb, f);

		if (found < 0 || (found > 0 && read_block(j, eb, f) < 0))
			return -1;
		if (found == 0)
			break;
	}
	j->sequence += SEQUENCE_STEP;
	return 0;
}

static int uncorrectable(struct target *t, uint32_t *failed, struct fault *f)
{
	struct ecc_counts counts = { 0 };

	if (t->ops->ecc && t->ops->ecc(t, &counts, f) < 0)
		return -1;
	*failed = counts.failed;
	return 0;
}

/* 1: the slot holds the record, and it can be read; 0: it does not. */
static int prove(struct journal *j, const uint8_t *record, struct fault *f)
{
	uint8_t back[RECORD];
	uint32_t before, after;

	if (uncorrectable(j->t, &before, f) < 0)
		return -1;
	if (read_slot(j->t, j->eb, j->slot, back, f) < 0)
		return passable(f);
	if (uncorrectable(j->t, &after, f) < 0)
		return -1;
	return before == after && memcmp(back, record, RECORD) == 0;
}

/* 1: the record is in the slot, for sure; 0: the slot does not take it. data is one slot. */
static int program(struct journal *j, const uint8_t *data, struct fault *f)
{
	uint32_t size = slot_size(j->t);
	uint8_t before[RECORD];

	if (read_slot(j->t, j->eb, j->slot, before, f) < 0)
		return passable(f);
	if (!all_ff(before, sizeof(before)))
		return 0;
	if (j->t->ops->program(j->t, j->eb, j->slot * size, data, size, f) < 0)
		return passable(f);
	return prove(j, data, f);
}

/* Tries some of the eraseblock's slots. 1: one has the record; 0: none does. */
static int program_one(struct journal *j, const struct journal_entry *e, uint8_t *data,
		       struct fault *f)
{
	int done = 0;

	for (int n = 0; n < ATTEMPTS && done == 0 && j->slot < slots_in(j->t, j->eb); n++) {
		make_record(data, e, j->sequence++);
		done = program(j, data, f);
		j->slot++;
	}
	if (done <= 0)
		j->slot = slots_in(j->t, j->eb);
	return done;
}

/* 1: the eraseblock is the journal's new one, and blank; 0: it cannot be erased. */
static int erase(struct journal *j, uint32_t eb, struct fault *f)
{
	int bad = j->t->ops->is_bad(j->t, eb, f);

	if (bad != 0)
		return bad < 0 ? -1 : 0;
	j->trusted = false;
	if (j->t->ops->erase(j->t, eb, f) < 0 &&
	    (passable(f) < 0 || j->t->ops->erase(j->t, eb, f) < 0)) {
		j->failed |= 1U << eb;
		return passable(f);
	}
	j->eb = eb;
	j->slot = 0;
	j->trusted = true;
	return 1;
}

/* 1: the eraseblock, erased, has the record; 0: it does not take it. */
static int renew(struct journal *j, uint32_t eb, const struct journal_entry *e, uint8_t *data,
		 struct fault *f)
{
	int done = erase(j, eb, f);

	return done > 0 ? program_one(j, e, data, f) : done;
}

/*
 * The last resort: to erase even the eraseblock with the last record. Before an update there is
 * nothing to lose, and after it all is whole. But while it goes on, slots are better that may not be
 * blank; the first of them may be torn, unseen.
 */
static int renew_home(struct journal *j, uint32_t free, const struct journal_entry *e,
		      uint8_t *data, struct fault *f)
{
	uint32_t home = j->eb;
	int done = 0;

	if (j->last.state == JOURNAL_BEGUN && e->state == JOURNAL_BEGUN) {
		j->slot = free + 1;
		done = program_one(j, e, data, f);
	}
	if (done == 0)
		done = renew(j, home, e, data, f);
	if (done <= 0)
		j->eb = j->t->blocks; /* the last record may be gone */
	return done;
}

/* All other eraseblocks in turn, from the one behind the last record on; then that one. */
static int append_elsewhere(struct journal *j, const struct journal_entry *e, uint8_t *data,
			    struct fault *f)
{
	uint32_t blocks = j->t->blocks, home = j->eb, free = j->slot;
	int done = 0;

	if (home == blocks) { /* no records yet */
		for (uint32_t eb = 0; eb < blocks && done == 0; eb++)
			done = renew(j, eb, e, data, f);
		if (done <= 0)
			j->eb = blocks;
		return done;
	}
	for (uint32_t n = 1; n < blocks && done == 0; n++)
		done = renew(j, (home + n) % blocks, e, data, f);
	if (done > 0)
		return done;
	j->eb = home;
	j->trusted = false;
	return done < 0 ? -1 : renew_home(j, free, e, data, f);
}

/*
 * Whether all of the eraseblock's free slots are. What an earlier run has left is taken on trust only
 * so far: a later record behind blank slots, by whatever accident, would hide the one to come.
 */
static bool rest_is_blank(struct journal *j, struct fault *f)
{
	uint8_t record[RECORD];

	for (uint32_t slot = j->slot; slot < slots_in(j->t, j->eb); slot++)
		if (read_slot(j->t, j->eb, slot, record, f) < 0 || !all_ff(record, sizeof(record)))
			return false;
	return true;
}

static void mark_bad_ones(struct journal *j)
{
	struct fault f;

	for (uint32_t eb = 0; eb < j->t->blocks && j->t->ops->mark_bad; eb++)
		if (j->failed & 1U << eb)
			(void)j->t->ops->mark_bad(j->t, eb,
						  &f); /* it is passed over next time, too */
	j->failed = 0;
}

static bool says_the_same(const struct journal *j, const struct journal_entry *e)
{
	const struct journal_entry *last = &j->last;

	return j->eb < j->t->blocks && last->state == e->state && last->good == e->good &&
	       last->tries == e->tries && strcmp(last->id, e->id) == 0 &&
	       strcmp(last->version, e->version) == 0;
}

static int append(struct journal *j, const struct journal_entry *e, uint8_t *data, struct fault *f)
{
	int done = 0;

	if (j->trusted && (j->t->medium == MEDIUM_NAND || rest_is_blank(j, f)))
		done = program_one(j, e, data, f);
	if (done == 0)
		done = append_elsewhere(j, e, data, f);
	if (done < 0)
		return -1;
	if (done == 0)
		return fault_set(f, FAULT_FLASH, "%s: no eraseblock takes a record of the journal",
				 j->t->name);
	j->last = *e;
	mark_bad_ones(j);
	return 0;
}

int journal_append(struct journal *j, const struct journal_entry *e, struct fault *f)
{
	uint32_t size = slot_size(j->t), sequence;
	struct journal_entry same;
	uint8_t *data;
	int result;

	if (says_the_same(j, e))
		return 0;
	data = malloc(size);
	if (!data)
		return fault_errno(f, FAULT_UNFIT, "%s: no memory", j->t->name);
	memset(data, 0xff, size);
	make_record(data, e, j->sequence + SEQUENCE_STEP); /* all attempts */
	if (parse(data, &same, &sequence))
		result = append(j, e, data, f);
	else
		result = fault_set(f, FAULT_UNFIT, "%s: cannot hold this record", j->t->name);
	free(data);
	return result;
}

/* NOR can be programmed again, towards 0. */
static int write_over(struct target *t, uint32_t eb, struct fault *f)
{
	uint32_t size = slot_size(t);
	uint8_t *zeros = calloc(1, size);
	int result = zeros ? 0 : fault_errno(f, FAULT_UNFIT, "%s: no memory", t->name);

	for (uint32_t slot = 0; result == 0 && slot < slots_in(t, eb); slot++)
		result = t->ops->program(t, eb, slot * size, zeros, size, f);
	free(zeros);
	return result;
}

static int forget_block(struct journal *j, uint32_t eb, struct fault *f)
{
	int bad = j->t->ops->is_bad(j->t, eb, f);

	if (bad != 0)
		return bad < 0 ? -1 : 0;
	if (j->t->ops->erase(j->t, eb, f) == 0)
		return 0;
	if (passable(f) < 0)
		return -1;
	if (!j->t->ops->mark_bad)
		return write_over(j->t, eb, f);
	return j->t->ops->mark_bad(j->t, eb, f) < 0 ? -1 : 0;
}

int journal_forget(struct journal *j, struct fault *f)
{
	struct journal left;

	/* the last records are in the last eraseblock that was erased; cut here, one like them counts */
	if (journal_read(&left, j->t, f) < 0)
		return -1;
	for (uint32_t n = 1; n <= j->t->blocks; n++)
		if (forget_block(j, (left.eb + n) % j->t->blocks, f) < 0)
			return -1;
	memset(&j->last, 0, sizeof(j->last));
	j->eb = j->t->blocks;
	j->trusted = false;
	j->failed = 0;
	return 0;
}
