/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_JUDGE_H
#define INIT_JUDGE_H

#include "config.h"
#include "verdict.h"

/*
 * Whether what the targets hold can be booted, by the journal and by their starts. root is what the
 * root is on, which is the target where the configuration names none: "mtd3", "mtd3:rootfs",
 * "mmcblk0p2", a partition's name; or empty. *last becomes what the journal says, or is all zero. A
 * journal or a target that cannot be looked at is said, and counts as if it were well. If this boot
 * is one that the journal counts, it is noted there. Needs /sys and /dev.
 */
enum verdict judge(const struct config *config, const char *root, struct journal_entry *last,
		   char why[VERDICT_WHY]);

#endif
