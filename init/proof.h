/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proof that nothing in the running system uses a piece of flash.
 */
#ifndef INIT_PROOF_H
#define INIT_PROOF_H

#include "fault.h"

/* Where the proof looks; the tests point it at trees of their own. */
struct proof_view {
	const char *mountinfo; /* /proc/self/mountinfo */
	const char *swaps;     /* /proc/swaps */
	const char *sys;       /* /sys */
};

extern const struct proof_view proof_live;

/*
 * Checks that /dev/mtdNUMBER, whose partition is called name, is in use by no mount (of the MTD
 * device itself, as JFFS2 and CRAMFS do it, or of its block device), no swap, no loop device and no
 * UBI device. The first use found is FAULT_BUSY.
 */
int proof_target_free(const struct proof_view *view, int number, const char *name, struct fault *f);

/* Checks that nothing at all is mounted at or below dir; else FAULT_BUSY with the first mount. */
int proof_nothing_below(const struct proof_view *view, const char *dir, struct fault *f);

#endif
