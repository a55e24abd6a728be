/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulated media share: the start and the end of an operation.
 */
#ifndef TESTS_SIM_OPS_H
#define TESTS_SIM_OPS_H

#include "simflash.h"

extern const struct target_ops sim_nand_ops, sim_nor_ops, sim_block_ops, sim_volume_ops;

enum sim_state { SIM_BLANK, SIM_PROGRAMMED, SIM_TORN, SIM_FAINT, SIM_WEAK, SIM_UNSYNCED };

struct sim_chip *sim_chip_of(struct target *t);

/* Memory full of zeros; the test ends where there is none. */
void *sim_allocate(size_t count, size_t size);

/* Makes room for all that the geometry asks for, blank; and gives it back. */
void sim_make_blank(struct sim_chip *c);
void sim_free_contents(struct sim_chip *c);

/* The states of an eraseblock's units: a chip's sub-pages, which it takes at once, or sectors. */
uint8_t *sim_states(struct sim_chip *c, uint32_t eb);

/* Pages in an eraseblock, and the number of its first one. */
uint32_t sim_pages(const struct sim_chip *c, uint32_t eb);
uint32_t sim_first_page(const struct sim_chip *c, uint32_t eb);

/* Makes the OOB of an eraseblock's first pages blank. */
void sim_clear_oob(struct sim_chip *c, uint32_t eb, uint32_t pages);

/* Records that a rule of flash was broken. */
void sim_breach(struct sim_chip *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Notes an operation down and finds what goes wrong with it: *wrong, or NULL. Returns -1 if it
 * comes to nothing: there is no power, it is outside of the chip, or on a bad eraseblock, or is
 * refused, or cut before it begins.
 */
int sim_start(struct sim_chip *c, struct sim_op op, struct sim_fault **wrong, struct fault *f);

/* As sim_start() for an operation that only looks: it fails as a whole, or not at all. */
int sim_start_look(struct sim_chip *c, struct sim_op op, struct sim_fault **wrong, struct fault *f);

/* Whether the operation goes wrong in this way; if so, it happens now. */
bool sim_happens(struct sim_fault *wrong, enum sim_how how);

/* Whether it is not done in full: how far it gets is the caller's to say. */
bool sim_is_partial(const struct sim_fault *wrong);

/* The end of an operation: 0, or -1 if it fails, or the power goes. */
int sim_end(struct sim_chip *c, const struct sim_op *op, struct sim_fault *wrong, struct fault *f);

/* Garbage that is neither what was there nor 0xFF. */
void sim_garble(uint8_t *p, size_t len);

/* Finds which unsynced sectors were stored before the power went, and forgets the others. */
void sim_block_lose(struct sim_chip *c);

/* Good ones all, without bad eraseblocks or ECC. */
int sim_never_bad(struct target *t, uint32_t eb, struct fault *f);

/* The cells outlive whoever had the target open. */
void sim_close(struct target *t);

#endif
