// SPDX-License-Identifier: GPL-2.0-or-later
#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>

/* A start that is missing counts whatever the journal says: somebody may have erased it. */
static bool is_cut(const struct journal_entry *last, const enum start_state *start,
		   unsigned int count, char why[VERDICT_WHY])
{
	if (last && last->state == JOURNAL_BEGUN) {
		(void)snprintf(why, VERDICT_WHY, "the update to version %s was cut", last->version);
		return true;
	}
	for (unsigned int i = 0; i < count; i++)
		if (start[i] != START_WHOLE) {
			(void)snprintf(why, VERDICT_WHY,
				       "an update was cut: the start of target %u is %s", i + 1,
				       start[i] == START_BLANK ? "blank" : "torn");
			return true;
		}
	return false;
}

enum verdict verdict_of(const struct journal_entry *last, const enum start_state *start,
			unsigned int count, uint32_t tries, char why[VERDICT_WHY])
{
	why[0] = '\0';
	if (is_cut(last, start, count, why))
		return VERDICT_CUT;
	if (!last || last->state != JOURNAL_DONE || last->good || tries == 0 || last->tries < tries)
		return VERDICT_BOOT;
	(void)snprintf(why, VERDICT_WHY,
		       "version %s was booted %" PRIu32 " time%s and never said to be good",
		       last->version, last->tries, last->tries == 1 ? "" : "s");
	return VERDICT_FAILED_BOOTS;
}
