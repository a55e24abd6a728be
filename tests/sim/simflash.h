/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated flash in memory behind struct target. It is as strict as a chip is forgiving: whoever
 * breaks one of flash's rules does not get an error, as real flash would not give one, but has the
 * breach recorded, and the test fails.
 *
 * A board is what hangs on one power supply: up to SIM_CHIPS_MAX chips. Every call of a chip's
 * target_ops is one operation, numbered from 0 over all chips, so that a test can let the n-th one
 * fail, lie, or be cut by the end of power, for every n in turn.
 */
#ifndef TESTS_SIMFLASH_H
#define TESTS_SIMFLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target.h"

enum { SIM_CHIPS_MAX = 4, SIM_FAULTS_MAX = 8 };

enum sim_kind {
	SIM_NAND, /* pages in order, each once per erase; ECC; bad eraseblocks */
	SIM_NOR,  /* bytes in any order, again and again, as long as bits are only cleared */
};

enum sim_what { SIM_ERASE, SIM_PROGRAM, SIM_READ, SIM_IS_BAD, SIM_ECC };

/* How an operation goes wrong. */
enum sim_how {
	SIM_FAIL,    /* it returns an error; an erase or a program has gone halfway */
	SIM_REFUSE,  /* it returns an error and has done nothing at all */
	SIM_GARBLE,  /* it returns success. Read: ECC cannot correct, the data is garbage; program:
		      * one byte is not what was meant; erase: one page is not blank */
	SIM_FLIP,    /* read: one byte is wrong and ECC has not noticed */
	SIM_CORRECT, /* read: ECC had to correct a bit; the data is right */
	SIM_CUT_BEFORE, /* the power goes just before it, ... */
	SIM_CUT,        /* ... in the middle of it, ... */
	SIM_CUT_AFTER,  /* ... or just after it: from here on everything fails */
};

struct sim_op {
	enum sim_what what;
	unsigned int chip;
	uint32_t eb, offset, len;
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
	bool happened;
};

struct sim_chip {
	struct target target; /* first, so that a struct target is one of these */
	struct sim_board *board;
	unsigned int number;
	enum sim_kind kind;
	uint8_t *cells;
	uint8_t *page_state; /* NAND: one per page */
	bool *bad;
	bool *weak;       /* eraseblocks whose every program fails, until further notice */
	bool *lied;       /* eraseblocks that are not blank though the erase said so: none of the
		     * engine's doing, if it programs them all the same */
	uint32_t *erased; /* how often each eraseblock was erased */
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
	bool off;
	unsigned int breaches;
	char breach[256]; /* the first one */
};

void sim_board_init(struct sim_board *b);
void sim_board_free(struct sim_board *b);

/* Adds a chip, blank. Its target is &chip->target; the board frees it. */
struct sim_chip *sim_add_chip(struct sim_board *b, const char *name, const struct sim_geometry *g);

/* Lets operation number op go wrong in the given way; counted from the last sim_power_cycle(). */
void sim_plan_fault(struct sim_board *b, uint32_t op, enum sim_how how);

/* Whether each planned fault has met an operation that it can happen to. */
bool sim_faults_happened(const struct sim_board *b);

/* Power on again: the cells are as they were; numbering, log and planned faults start anew. */
void sim_power_cycle(struct sim_board *b);

/* Number of operations of a kind since the last sim_power_cycle(). */
uint32_t sim_count(const struct sim_board *b, enum sim_what what);

/* Whether an operation changes flash. */
bool sim_changes(const struct sim_op *op);

/* Puts data into the good eraseblocks in order, as a factory would, and erases the rest. */
void sim_factory_fill(struct sim_chip *c, const uint8_t *data, size_t len);

/* The cells of an eraseblock, past all operations. */
uint8_t *sim_cells(struct sim_chip *c, uint32_t eb);

/* The number of the n-th good eraseblock. */
uint32_t sim_good(const struct sim_chip *c, uint32_t n);

bool sim_is_blank(struct sim_chip *c, uint32_t eb);

/* Whether the good eraseblocks hold exactly data, the rest is blank, and all of it is readable. */
bool sim_holds(struct sim_chip *c, const uint8_t *data, size_t len);

/* Number of good eraseblocks whose cells differ from what data would make of them. */
uint32_t sim_differing(struct sim_chip *c, const uint8_t *data, size_t len);

/* A copy of all cells and their state, and back, with a power cycle; for sweeps. */
struct sim_snapshot;
struct sim_snapshot *sim_save(const struct sim_board *b);
void sim_restore(struct sim_board *b, const struct sim_snapshot *s);
void sim_snapshot_free(struct sim_snapshot *s);

#endif
