/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 1: the RAM root, a tmpfs that holds all that is needed once the old root has gone.
 */
#ifndef INIT_RAMROOT_H
#define INIT_RAMROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "mounts.h"
#include "plan.h"

#define RAMROOT_INIT "/sbin/flashinit" /* in the RAM root */
#define RAMROOT_IMAGE "/image.fwi"

struct ramroot {
	char dir[256]; /* where it is mounted, without symbolic links */
	bool made_dir; /* by us, to be removed again */
	bool bound;    /* onto itself, so that no other namespace sees what is mounted there */
	bool mounted;
	const char *made_file; /* for the outcome, on a file system of the old system; or NULL */
};

struct ramroot_contents {
	const struct plan *plan;
	const char *place;   /* the folder that it has to be on; NULL: any */
	const char *outcome; /* file that has to stay, at the plan's path; "" is none */
	uint64_t bytes;      /* of flashinit and what is copied */
	/* Makes the image appear at the new path, if the plan names one. */
	int (*place_image)(void *ctx, const char *path, struct fault *f);
	void *ctx;
};

/*
 * Finds where ramroot_make() would put it, without trying. No place, or no tmpfs in the kernel, is
 * FAULT_UNFIT.
 */
int ramroot_foresee(char *dir, size_t size, struct fault *f);

/*
 * Mounts a tmpfs and fills it: flashinit, the image, the plan, device nodes, /proc, /sys, and an
 * inittab that makes init exec flashinit. On failure everything is undone.
 */
int ramroot_make(struct ramroot *r, const struct ramroot_contents *c, struct fault *f);

/* Notes, for whoever reads the image there, what its chunks were when they passed their checks. */
int ramroot_keep_seals(const struct ramroot *r, const struct image *img, struct fault *f);

/*
 * Runs the staged copy of flashinit inside the RAM root, for its version only. If init cannot exec
 * it after the hand-over, the machine halts: better to know before.
 */
int ramroot_try(const struct ramroot *r, struct fault *f);

/*
 * Unmounts and removes what an update left that was killed while it staged. To be called while no
 * other update can run.
 */
void ramroot_tidy(const struct mount_table *mounts);

/* Unmounts and removes it. Says what could not be undone. */
void ramroot_undo(struct ramroot *r);

#endif
