/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image's payloads are to be written to, looked at before anything is changed.
 */
#ifndef INIT_TARGETS_H
#define INIT_TARGETS_H

#include <stdint.h>

#include "fault.h"
#include "finding.h"
#include "image.h"
#include "proof.h"

enum {
	TARGETS_MAX =
		IMAGE_PAYLOADS_MAX + 1,   /* what the root is on may be one that no image names */
	TARGETS_NAMES = TARGETS_MAX * 32, /* bytes that all names of devices take */
};

struct targets {
	unsigned int count;
	char device[TARGETS_MAX][32]; /* as in struct target */
	uint32_t eraseblock;          /* bytes in the largest one */
};

/*
 * Looks at one payload's target, and adds it to *all: it is there and can be written, and the payload
 * fits. For targets_look() and for who wants to know of each.
 */
int targets_look_at(struct targets *all, const struct payload *p, struct finding *found,
		    struct fault *f);

/* Checks that no two of an image's targets, which are all in *t, share flash. */
int targets_apart(const struct targets *t, const struct image *img, struct fault *f);

/* Does both for all of them, and tells what it finds, a line each. */
int targets_look(struct targets *t, const struct image *img, struct fault *f);

/* Writes the names of their devices, with blanks between them, and reads them back. */
void targets_to_names(char names[TARGETS_NAMES], const struct targets *t);
void targets_from_names(struct targets *t, const char *names);

/*
 * Checks that nothing that the view shows uses the device of a target, whatever kind it is. The
 * first use found is FAULT_BUSY and names it. Of volumes and block devices a view without dev shows
 * nothing, but for a look ahead.
 */
int target_unused(const struct proof_view *view, const char *device, struct fault *f);

/*
 * Checks that nothing in the running system uses them. The first use found is FAULT_BUSY and names
 * it. Needs root and /proc and /sys, and to see all processes: in a container it is FAULT_UNFIT.
 */
int targets_unused(const struct targets *t, struct fault *f);

/*
 * The same for those that are MTD partitions, when they are open for writing here, so that what is
 * known only by trying to open them cannot be asked.
 */
int targets_still_unused(const struct targets *t, struct fault *f);

#endif
