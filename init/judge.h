/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_JUDGE_H
#define INIT_JUDGE_H

#include <stdbool.h>

#include "config.h"
#include "verdict.h"

struct judge {
	const struct config *config;
	struct journal_entry last; /* what the journal says; all zero if nothing */
	unsigned int patience_ms;  /* for the targets to appear */
	int reports;               /* where it tells that it lives */
	bool missing;              /* some target has not appeared */
};

/* Reads the journal. One that cannot be read is said, and counts as if it were empty. */
void judge_read_journal(struct judge *j);

/*
 * Whether what the targets hold can be booted, by the journal and by their starts. root is what the
 * root is on, which is the target where the configuration names none: "mtd3", "mtd3:rootfs",
 * "mmcblk0p2", a partition's name; or empty. A target that is not there is waited for; one that cannot
 * be looked at is said, and counts as if it were well. Needs /sys and /dev.
 */
enum verdict judge_targets(struct judge *j, const char *root, char why[VERDICT_WHY]);

/* Whether one target's start is whole, or cannot be looked at now. */
bool judge_is_whole(const char *target);

/* If this boot, which comes next, is one that the journal counts: notes it there. */
void judge_count_boot(const struct judge *j);

#endif
