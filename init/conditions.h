/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conditions of phase 0, for preflight.c.
 */
#ifndef INIT_CONDITIONS_H
#define INIT_CONDITIONS_H

#include <stdint.h>

#include "fault.h"
#include "finding.h"
#include "preflight.h"

enum {
	ALWAYS_TOLD = 1, /* not only where every condition is asked for */
	OF_IMAGE = 4,    /* not where nothing but a program is asked for */
	PER_PAYLOAD = 2, /* once for each payload of the image: the one of p->payload */
};

struct condition {
	const char *name;
	/* Looks whether it is met, and fills in *found, as far as it can; a fault says why not. */
	int (*check)(struct preflight *p, struct finding *found, struct fault *f);
	uint8_t needs; /* bits: what must be known, ... */
	uint8_t gives; /* ... and what is not known unless it is met */
	uint8_t how;
};

extern const struct condition conditions[];
extern const unsigned int conditions_count;

#endif
