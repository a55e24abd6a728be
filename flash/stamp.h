/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stamps in the free OOB bytes of a NAND target's first eraseblock, by which a torn one is told from
 * a whole one whatever its pages read like: each in the OOB of a page of its own, written once.
 * Without any, somebody else wrote it, and it is taken for whole. The kernel's JFFS2 looks at
 * these bytes where an eraseblock is blank, and else only for its own cleanmarker.
 */
#ifndef FLASH_STAMP_H
#define FLASH_STAMP_H

#include <stdint.h>

#include "fault.h"
#include "target.h"

enum stamp {
	STAMP_PENDING, /* its first page is about to be programmed */
	STAMP_BEGUN,   /* what it held is about to be erased */
	STAMP_DONE,    /* all of it is proven, since it was pending */
};

/* Why the target cannot have stamps, in words for people; NULL if it can. */
const char *stamp_obstacle(struct target *t, uint32_t eb);

/* Writes a stamp. */
int stamp_put(struct target *t, uint32_t eb, enum stamp stamp, struct fault *f);

/*
 * 1 if the stamps say that the eraseblock's erase or program was begun and not completed; 0 if not, or
 * if it cannot have stamps. -1 if its OOB cannot be read.
 */
int stamp_says_torn(struct target *t, uint32_t eb, struct fault *f);

#endif
