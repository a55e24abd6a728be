/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulated flash in memory behind struct target. It is as strict as a chip is forgiving: whoever
 * breaks one of flash's rules does not get an error, as real flash would not give one, but has the
 * breach recorded, and the test fails.
 *
 * A board is what hangs on one power supply: up to SIM_CHIPS_MAX chips, of which one may as well be
 * a block device or a UBI volume. Every call of a chip's target_ops is one operation, numbered from
 * 0 over all chips, so that a test can let the n-th one fail, lie, or be cut by the end of power,
 * for every n in turn. What goes wrong again and again is a weakness of an eraseblock.
 */
#ifndef TESTS_SIMFLASH_H
#define TESTS_SIMFLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target.h"

enum { SIM_CHIPS_MAX = 4, SIM_FAULTS_MAX = 8, SIM_WEAKNESSES_MAX = 64 };

#define SIM_FOR_EVER UINT32_MAX
#define SIM_EVERY_BLOCK UINT32_MAX

enum sim_kind {
	SIM_NAND,   /* pages in order, each once per erase; ECC; bad eraseblocks */
	SIM_NOR,    /* bytes in any order, again and again, as long as bits are only cleared */
	SIM_BLOCK,  /* sectors, each written whole or not at all; unsynced ones may be lost */
	SIM_VOLUME, /* given up as a whole, and written in order */
};

enum sim_what {
	SIM_ERASE,
	SIM_PROGRAM,
	SIM_READ,
	SIM_IS_BAD,
	SIM_ECC,
	SIM_MARK_BAD,
	SIM_READ_OOB,
	SIM_WRITE_OOB,
	SIM_SYNC,
	SIM_UPDATE,
};

/* How an operation goes wrong. */
enum sim_how {
	SIM_FAIL,    /* it returns an error; an erase or a program has gone halfway, a bad block is
		      * marked nevertheless */
	SIM_REFUSE,  /* it returns an error and has done nothing at all */
	SIM_GARBLE,  /* it returns success. Read: ECC cannot correct, the data is garbage; program:
		      * one byte is not what was meant; erase: one page is not blank */
	SIM_FLIP,    /* read: one byte is wrong and ECC has not noticed */
	SIM_CORRECT, /* read: ECC had to correct a bit; the data is right */
	SIM_DOUBT,   /* read: ECC cannot correct; the data happens to be right */
	SIM_CUT_BEFORE, /* the power goes just before it, ... */
	SIM_CUT_EARLY,  /* ... when it has just begun: what is there still reads as it did, ... */
	SIM_CUT,        /* ... in the middle of it, ... */
	SIM_CUT_LATE, /* ... shortly before its end: what is erased reads blank and is not yet, ... */
	SIM_CUT_AFTER, /* ... or just after it: from here on everything fails */
	SIM_CUT_WEAK, /* NAND: at the very end of a program: all reads as it should be, for now, but
		        * ECC has to correct it; otherwise as SIM_CUT_LATE */
};

struct sim_op {
	enum sim_what what;
	unsigned int chip;
	uint32_t eb, offset, len;
	bool failed; /* as planned, or because of a weakness */
};

struct sim_geometry {
	enum sim_kind kind;
	uint32_t eraseblock, page; /* bytes */
	uint32_t blocks;
	const uint32_t *bad; /* bad from the factory */
	unsigned int bad_count;
};

struct sim_fault {
	uint32_t op;
	enum sim_how how;
	int err;        /* errno, where it returns an error */
	uint32_t times; /* 1, or more: the eraseblock stays weak from there on */
	bool happened;
};

struct sim_weakness {
	unsigned int chip;
	uint32_t eb; /* or SIM_EVERY_BLOCK */
	enum sim_what what;
	uint32_t left; /* times to come, or SIM_FOR_EVER */
	struct sim_fault fault;
};

struct sim_block { /* what is known of an eraseblock beside its cells */
	bool bad;
	bool bad_in_ram;  /* the mark could not be written: the next boot finds none */
	bool half_erased; /* its last erase was not completed, whatever it reads like */
	bool lied;        /* it is not blank though the erase said so: none of the engine's doing,
			    * if it programs it all the same */
	uint32_t erased;  /* how often, since the last power cycle */
};

struct sim_volume {
	bool broken, updating;
	uint64_t bytes, done; /* of the update that goes on */
};

struct sim_chip {
	struct target target; /* first, so that a struct target is one of these */
	struct sim_board *board;
	unsigned int number;
	enum sim_kind kind;
	uint8_t *cells;
	uint8_t *state; /* NAND: one per sub-page; block device: one per sector */
	struct sim_block *block;
	uint8_t *oob; /* NAND: oob_size bytes for each page, ... */
	uint32_t oob_size;
	uint8_t *oob_writes; /* ... and how often each was written since the last erase */
	bool oob_has_ecc;    /* writing a page's OOB and its data apart makes it unreadable */
	uint8_t *stable;     /* block device: what outlives the power */
	struct sim_volume volume;
	struct ecc_counts ecc;
};

struct sim_board {
	struct sim_chip *chip[SIM_CHIPS_MAX];
	unsigned int chips;
	uint32_t ops; /* done so far, and so the number of the next one */
	struct sim_op *log;
	uint32_t log_room;
	struct sim_fault fault[SIM_FAULTS_MAX];
	unsigned int faults;
	struct sim_weakness weakness[SIM_WEAKNESSES_MAX];
	unsigned int weaknesses;
	/* Which unsynced sectors are lost with the power: 0: all, 1: none, else: a subset. */
	uint32_t loss;
	bool off;
	unsigned int breaches;
	char breach[256]; /* the first one */
};

void sim_board_init(struct sim_board *b);
void sim_board_free(struct sim_board *b);

/* Adds a chip, blank. Its target is &chip->target; the board frees it. */
struct sim_chip *sim_add_chip(struct sim_board *b, const char *name, const struct sim_geometry *g);

/* What is not in struct sim_geometry; each leaves the chip blank. */
void sim_add_region(struct sim_chip *c, uint32_t blocks, uint32_t eraseblock);
void sim_set_subpage(struct sim_chip *c, uint32_t subpage);
void sim_set_oob(struct sim_chip *c, uint32_t free_bytes); /* of each page; 16 unless told */

/* Lets operation number op go wrong in the given way; counted from the last sim_power_cycle(). */
void sim_plan_fault(struct sim_board *b, uint32_t op, enum sim_how how);

/* The same with an errno of its own, where it returns an error; otherwise that is EIO. */
void sim_plan_errno(struct sim_board *b, uint32_t op, enum sim_how how, int err);

/* The same, and whatever the operation is: the next ones of its kind there go wrong as well. */
void sim_plan_weakness(struct sim_board *b, uint32_t op, enum sim_how how, uint32_t times);

/*
 * Lets the next so many operations of a kind on an eraseblock go wrong; it lasts over power cycles.
 * A fault that is planned for an operation goes before.
 */
void sim_weaken(struct sim_chip *c, uint32_t eb, enum sim_what what, enum sim_how how,
		uint32_t times);
void sim_weaken_errno(struct sim_chip *c, uint32_t eb, enum sim_what what, enum sim_how how,
		      uint32_t times, int err);

/* Whether each planned fault has met an operation that it can happen to. */
bool sim_faults_happened(const struct sim_board *b);

/* Forgets the bad marks that are in RAM only. */
void sim_forget_ram_marks(struct sim_board *b);

/* Power on again: the cells are as they were; numbering, log and planned faults start anew. */
void sim_power_cycle(struct sim_board *b);

/* What becomes of unsynced sectors when the power goes, without that it goes. */
void sim_settle(struct sim_board *b);

/* Number of operations of a kind since the last sim_power_cycle(). */
uint32_t sim_count(const struct sim_board *b, enum sim_what what);

/* Whether an operation changes flash. */
bool sim_changes(const struct sim_op *op);

/* An operation in few words: "rootfs: erase 3". */
const char *sim_op_text(const struct sim_board *b, const struct sim_op *op);

/* Puts data into the good eraseblocks in order, as a factory would, and erases the rest. */
void sim_factory_fill(struct sim_chip *c, const uint8_t *data, size_t len);

/* Puts data into one eraseblock, past all operations; what it does not fill is blank. */
void sim_factory_block(struct sim_chip *c, uint32_t eb, const uint8_t *data, size_t len);

/* The cells of an eraseblock, past all operations, and the free bytes of its pages' OOB. */
uint8_t *sim_cells(struct sim_chip *c, uint32_t eb);
uint8_t *sim_oob(struct sim_chip *c, uint32_t eb);

/* The number of the n-th good eraseblock. */
uint32_t sim_good(const struct sim_chip *c, uint32_t n);

/* Whether nothing in the eraseblock is torn or not yet stored, though it may read well now. */
bool sim_is_readable(struct sim_chip *c, uint32_t eb);

/* Whether its contents can be relied on: readable, its erase was complete, no update goes on. */
bool sim_is_sound(struct sim_chip *c, uint32_t eb);

/* Whether its cells are all blank, and none of them torn while it was programmed. */
bool sim_is_blank(struct sim_chip *c, uint32_t eb);

/* Whether the eraseblock holds exactly data, is blank behind it, and all of it is readable. */
bool sim_block_holds(struct sim_chip *c, uint32_t eb, const uint8_t *data, size_t len);

/* The same of all good eraseblocks in order; and the number of those that do not. */
bool sim_holds(struct sim_chip *c, const uint8_t *data, size_t len);
uint32_t sim_differing(struct sim_chip *c, const uint8_t *data, size_t len);

/*
 * A copy of all that lasts, and back, with a power cycle; for sweeps. Whether a chip's contents and
 * marks, or one eraseblock's, are what they were; or one's but for its OOB, and what that was.
 */
struct sim_snapshot;
struct sim_snapshot *sim_save(const struct sim_board *b);
void sim_restore(struct sim_board *b, const struct sim_snapshot *s);
bool sim_unchanged(const struct sim_chip *c, const struct sim_snapshot *s);
bool sim_block_unchanged(const struct sim_chip *c, const struct sim_snapshot *s, uint32_t eb);
const uint8_t *sim_saved_oob(const struct sim_chip *c, const struct sim_snapshot *s, uint32_t eb);
bool sim_data_unchanged(const struct sim_chip *c, const struct sim_snapshot *s, uint32_t eb);
void sim_snapshot_free(struct sim_snapshot *s);

#endif
