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
	bool initramfs; /* that is what / is, ... */
	bool mount;     /* ... and there is a root that is to be mounted, ... */
	char init[128]; /* ... of which this is the init; or empty */
	bool broken;    /* this system must not be booted; plan.recover says why */
	struct plan plan;
};

/*
 * Finds out what this boot is to come to. What is looked at on a root that the kernel has mounted
 * is looked at from a mount namespace of its own, so that the real init gets the mounts that the
 * kernel made; an initramfs gets /proc, /sys and /dev. Fails if it cannot look; what is in *g by
 * then counts.
 */
int guard_look(struct guard *g, int reports, struct fault *f);

/*
 * From an initramfs: mounts the root as the kernel would have, checks that it has an init, and gives
 * up the initramfs. Tells that it lives for as long as it waits.
 */
int guard_mount(struct guard *g, int reports, struct fault *f);

#endif
