/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a target's start says of an update: the first good eraseblock is made blank before anything
 * else is touched and written when all else is proven, so that it tells one that was cut.
 */
#ifndef FLASH_START_H
#define FLASH_START_H

#include <stdbool.h>

#include "fault.h"
#include "target.h"

enum start_state {
	START_WHOLE, /* a firmware's, or whatever somebody else wrote there */
	START_BLANK, /* erased, or full of a test pattern; of a UBI: it has no volume table */
	START_TORN,  /* neither that nor whole: its erase or its program was cut */
};

/* Whether one of the first eraseblocks has UBI's header. */
bool start_holds_ubi(struct target *t);

/*
 * Looks at a target, which TARGET_LOOK is enough for, and changes nothing. ubi: the partition holds
 * a UBI, whose start is its volume table, wherever that is. A volume's start is for its UBI to
 * tell: ask for the partition below it. Reads a few pages where all is well; a UBI that has no
 * volume table is read in full, but only its headers. Returns 0, or -1 if the target cannot be read.
 */
int start_look(struct target *t, bool ubi, enum start_state *s, struct fault *f);

#endif
