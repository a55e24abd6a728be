// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is a journal's partition: a byte that says what kind of flash it is on, then what is in
 * that. What is read must be in there, with the right checksum; and whatever is in there, a record
 * can be appended and is read back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "bytes.h"
#include "fuzz.h"
#include "journal.h"

/* A record, as flash/journal.c has it. */
enum {
	AT_SEQUENCE = 4,
	AT_STATE = 8,
	AT_TRIES = 12,
	AT_ID = 16,
	AT_VERSION = 84,
	AT_CRC = 148,
	RECORD = 152,

	EB = 2048,
	BLOCKS = 4,
	NOR = 1 << 0, /* in the first byte: otherwise NAND */
	COUNT = 3,    /* its two bits: eraseblocks but one */
	BAD = 4,      /* its four bits: which ones are bad */
};

#define SEQUENCE_MOST (UINT32_MAX / 2)

static uint8_t cells[BLOCKS * EB];
static uint8_t bad;

static int is_bad(struct target *t, uint32_t eb, struct fault *f)
{
	(void)f;
	require(eb < t->blocks);
	return bad >> eb & 1;
}

static uint8_t *at(const struct target *t, uint32_t eb, uint32_t offset, uint32_t len)
{
	require(eb < t->blocks && !(bad >> eb & 1));
	require(len > 0 && len <= EB && offset <= EB - len);
	return cells + (size_t)eb * EB + offset;
}

static int erase(struct target *t, uint32_t eb, struct fault *f)
{
	(void)f;
	memset(at(t, eb, 0, EB), 0xff, EB);
	return 0;
}

static int program(struct target *t, uint32_t eb, uint32_t offset, const void *buf, uint32_t len,
		   struct fault *f)
{
	uint8_t *to = at(t, eb, offset, len);
	const uint8_t *from = buf;

	(void)f;
	require(offset % t->page == 0 && len % t->page == 0);
	for (uint32_t i = 0; i < len; i++)
		to[i] &= from[i];
	return 0;
}

static int read_cells(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		      struct fault *f)
{
	(void)f;
	memcpy(buf, at(t, eb, offset, len), len);
	return 0;
}

static const struct target_ops ops = {
	.is_bad = is_bad,
	.erase = erase,
	.program = program,
	.read = read_cells,
};

static void make_target(struct target *t, uint8_t kind)
{
	*t = (struct target){ .ops = &ops, .name = "journal", .medium = MEDIUM_NAND, .page = 512 };
	if (kind & NOR) {
		t->medium = MEDIUM_NOR;
		t->page = 1;
	}
	t->subpage = t->page;
	target_add_region(t, 1 + (kind >> 1 & COUNT), EB);
	bad = kind >> BAD;
}

static uint32_t slot_size(const struct target *t)
{
	return t->page > 1 ? t->page : 256;
}

static int is_record(const uint8_t *p)
{
	return get_le32(p + AT_CRC) == (uint32_t)crc32(0, p, AT_CRC);
}

static int says(const uint8_t *p, const struct journal_entry *e)
{
	return p[AT_STATE] == (uint8_t)e->state && get_le32(p + AT_TRIES) == e->tries &&
	       strcmp((const char *)p + AT_ID, e->id) == 0 &&
	       strcmp((const char *)p + AT_VERSION, e->version) == 0;
}

/* That the last entry is in the flash; and whether a record's number leaves no room for a next. */
static int check_last(const struct target *t, const struct journal *j)
{
	int found = j->eb == t->blocks, full = 0;

	if (found)
		require(j->last.state == JOURNAL_EMPTY && !j->last.tries && !j->last.id[0]);
	else
		require(j->eb < t->blocks && !(bad >> j->eb & 1));
	for (uint32_t i = 0; i + RECORD <= t->size; i += slot_size(t)) {
		if ((bad >> i / EB & 1) || !is_record(cells + i))
			continue;
		found = found || says(cells + i, &j->last);
		full = full || get_le32(cells + i + AT_SEQUENCE) > SEQUENCE_MOST - 1000;
	}
	require(found);
	require(!j->last.id[0] || is_text(j->last.id, sizeof(j->last.id) - 1));
	require(!j->last.version[0] || is_text(j->last.version, sizeof(j->last.version) - 1));
	return full;
}

static void check_append(struct target *t, struct journal *j, uint32_t tries, int full)
{
	struct journal_entry e = {
		.state = JOURNAL_DONE, .tries = tries, .id = "i", .version = "v"
	};
	struct journal again;
	struct fault f = { .kind = 0 };

	if (journal_append(j, &e, &f) < 0) {
		check_refusal(&f, FAULT_UNFIT);
		require(full);
		return;
	}
	require(journal_read(&again, t, &f) == 0);
	require(again.last.state == e.state && !again.last.good && again.last.tries == e.tries);
	require(strcmp(again.last.id, e.id) == 0 && strcmp(again.last.version, e.version) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { .kind = 0 };
	struct journal j;
	struct target t;
	int full;

	if (size == 0)
		return 0;
	make_target(&t, data[0]);
	memset(cells, 0xff, sizeof(cells));
	memcpy(cells, data + 1, size - 1 < sizeof(cells) ? size - 1 : sizeof(cells));
	if (journal_read(&j, &t, &f) < 0) {
		check_refusal(&f, FAULT_UNFIT);
		require((bad & ((1U << t.blocks) - 1)) == (1U << t.blocks) - 1);
		return 0;
	}
	require(memcmp(cells, data + 1, size - 1 < sizeof(cells) ? size - 1 : sizeof(cells)) == 0);
	full = check_last(&t, &j);
	for (uint32_t n = 0; n < 5; n++) { /* more than the slots of an eraseblock of NAND */
		check_append(&t, &j, 7 + n, full);
		if (n == 1 && journal_read(&j, &t, &f) < 0)
			broken("a second run", __FILE__, __LINE__);
	}
	return 0;
}

/* Puts a record's checksum right, or makes a slot a record altogether. */
static void mend_slot(uint8_t *slot, unsigned int *seed)
{
	if (random_below(seed, 2)) {
		memset(slot + AT_TRIES, 0, AT_CRC - AT_TRIES);
		slot[AT_STATE] = (uint8_t)random_below(seed, 4);
		slot[AT_ID + random_below(seed, 66)] = (uint8_t)random_below(seed, 256);
	}
	if (random_below(seed, 4))
		memcpy(slot, "fiJ1", AT_SEQUENCE);
	if (random_below(seed, 4))
		put_le32(slot + AT_SEQUENCE, random_below(seed, 5000));
	put_le32(slot + AT_CRC, (uint32_t)crc32(0, slot, AT_CRC));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	uint32_t step;

	size = LLVMFuzzerMutate(data, size, max);
	step = size && (data[0] & NOR) ? 256 : 512;
	for (uint32_t n = random_below(&seed, 4); n > 0; n--) {
		size_t from = 1 + (size_t)random_below(&seed, 8) * step;

		if (from + RECORD <= max && from + RECORD > size && random_below(&seed, 2)) {
			memset(data + size, 0xff, from + RECORD - size);
			size = from + RECORD;
		}
		if (from + RECORD <= size)
			mend_slot(data + from, &seed);
	}
	return size;
}
