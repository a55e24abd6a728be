/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guard makes of the journal and of the targets' starts: whether a firmware is there that
 * can be booted.
 */
#ifndef FLASH_VERDICT_H
#define FLASH_VERDICT_H

#include <stdint.h>

#include "journal.h"
#include "start.h"

enum { VERDICT_WHY = 160 }; /* bytes */

enum verdict {
	VERDICT_BOOT,
	VERDICT_CUT,          /* an update was begun and did not come to its end */
	VERDICT_FAILED_BOOTS, /* the new firmware was booted often enough, and never found good */
};

/*
 * last is what the journal says, NULL where there is none; start has the state of each of count
 * targets. tries is the number of boots in which a new firmware has to be found good, 0: it is.
 * why becomes the reason, in words for people, or empty.
 */
enum verdict verdict_of(const struct journal_entry *last, const enum start_state *start,
			unsigned int count, uint32_t tries, char why[VERDICT_WHY]);

#endif
