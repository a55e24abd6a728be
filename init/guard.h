/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's first process does with this boot: found out in a child, since it can fail or
 * hang, and told in memory that the two share.
 */
#ifndef INIT_GUARD_H
#define INIT_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "config.h"
#include "fault.h"
#include "plan.h"

struct guard {
	struct config config; /* the file's, and the kernel's words */
	dev_t dev;            /* of this program's file; 0: not known */
	ino_t ino;
	bool initramfs; /* the root is yet to be mounted */
	bool broken;    /* this system must not be booted; plan.recover says why */
	struct plan plan;
};

/*
 * The root is mounted already: looks at it from a mount namespace of its own, so that the real init
 * gets the mounts that the kernel made. Fails if it cannot look; what is in *g by then counts.
 */
int guard_look(struct guard *g, struct fault *f);

#endif
