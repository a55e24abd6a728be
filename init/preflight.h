/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 0: everything that can be found out before anything is changed.
 */
#ifndef INIT_PREFLIGHT_H
#define INIT_PREFLIGHT_H

#include <stdint.h>

#include "fault.h"
#include "image.h"
#include "source.h"

struct preflight {
	struct source source;
	struct image image;
	uint64_t staged; /* bytes that the RAM root will hold */
	int lock;
	char busybox[32]; /* version of the init that hands over */
};

/*
 * Opens and verifies the image in full, and checks that this system can be taken over and that
 * the image fits its flash, telling each finding. Keeps the image open and the lock; release with
 * preflight_end(), also after a failure.
 */
int preflight_run(struct preflight *p, const char *image, struct fault *f);
void preflight_end(struct preflight *p);

/* For a preflight of preflight_verify_image() alone; preflight_run() does it itself. */
void preflight_init(struct preflight *p);

/* Opens the image, reads its index and checks all of its chunks, showing progress. Changes nothing. */
int preflight_verify_image(struct preflight *p, const char *image, struct fault *f);

#endif
