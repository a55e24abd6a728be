/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: a few eraseblocks of their own (a partition on NAND or NOR) that say whether an
 * update was begun, whether it came to its end, and how often its firmware was booted since.
 *
 * Each record holds the whole state; the last whole one counts, and what a power cut has torn is
 * none. A full eraseblock is followed by the next good one, round and round, which is erased before
 * its first record while the one before still has the last state. So it is durable at every
 * instant, as long as two eraseblocks are good. With a single one, its erasing leaves no record
 * until the next one is written; that happens while an update goes on only if there is no other way.
 *
 * A page of NAND that looks blank may have been cut short while it was programmed, which only shows
 * later. So nothing is programmed there but what the same run has erased: the first record that
 * a run appends takes a new eraseblock.
 */
#ifndef FLASH_JOURNAL_H
#define FLASH_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "image.h"
#include "target.h"

/* What has more eraseblocks is somebody's file system. */
enum { JOURNAL_BLOCKS_MAX = 16 };

enum journal_state {
	JOURNAL_EMPTY, /* no update was ever begun, or nothing is known of it */
	JOURNAL_BEGUN,
	JOURNAL_DONE, /* all was written and proven */
};

struct journal_entry {
	enum journal_state state;
	bool good;      /* with DONE: the new firmware was said to be good */
	uint32_t tries; /* with DONE: boots of it so far */
	/* The image's image_id() and firmware version: printable ASCII, or empty. */
	char id[IMAGE_ID_SIZE];
	char version[IMAGE_TEXT_MAX + 1];
};

struct journal {
	struct target *t; /* not owned */
	struct journal_entry last;
	/* Where the next record goes: nobody else's business. */
	uint32_t eb;       /* the eraseblock with the last record; t->blocks: there is none */
	uint32_t slot;     /* the first one in it that is free */
	uint32_t sequence; /* number of the next record */
	bool trusted;      /* the free slots of it can be relied on to be blank */
	uint32_t failed;   /* one bit for each eraseblock that could not be erased */
};

/*
 * Whether the target can hold a journal: flash of 1 to JOURNAL_BLOCKS_MAX eraseblocks, one of which
 * is good. What is in it does not matter: a journal formats itself. FAULT_UNFIT if not.
 */
int journal_check(struct target *t, struct fault *f);

/*
 * Finds the last record, and does not write. No record at all is JOURNAL_EMPTY. TARGET_LOOK will do.
 * Fails as journal_check() does, or with FAULT_FLASH if the device cannot be read at all; an
 * eraseblock that cannot is one without records.
 */
int journal_read(struct journal *j, struct target *t, struct fault *f);

/*
 * Appends a record, unless the last one says the same, after journal_read() with TARGET_WRITE. It is
 * on the medium and read back when this returns 0. After a fault (of kind FAULT_FLASH; FAULT_UNFIT if
 * the entry cannot be held) the last state is what it was, or this one, or (with one good eraseblock)
 * lost. On NAND, an eraseblock that cannot be erased is marked bad, once another has the record.
 */
int journal_append(struct journal *j, const struct journal_entry *e, struct fault *f);

/*
 * For a journal that takes no record any more (journal_append() failed), when what it says is not true
 * any longer: leaves no record in it. What cannot be erased is marked bad (NAND) or written over (NOR),
 * the last record's eraseblock at the end. Returns 0, or -1 with the fault if something may be left.
 */
int journal_forget(struct journal *j, struct fault *f);

#endif
