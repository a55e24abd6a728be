/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What in the running system would make a take-over fail, or end with flash in use: found out while
 * nothing has been changed.
 */
#ifndef INIT_OBSTACLES_H
#define INIT_OBSTACLES_H

#include "fault.h"
#include "mounts.h"

/*
 * Checks that the root can be pivoted away from: pivot_root(2) refuses on a root that is the
 * initial ramfs. Else FAULT_UNFIT.
 */
int obstacles_pivot(const struct mount_table *reachable, struct fault *f);

/*
 * Checks that no mount that cannot be reached, and so cannot be unmounted by its path, is on flash,
 * and no file system that is in no mount table at all still runs its thread on MTD number or on an
 * MTD device that shares flash with it. all is from mounts_read_all(), reachable from mounts_read();
 * sys and proc are where /sys and /proc are mounted. Else FAULT_UNFIT.
 */
int obstacles_hidden(const struct mount_table *all, const struct mount_table *reachable,
		     struct fault *f);
int obstacles_lazy(const struct mount_table *all, int number, const char *sys, const char *proc,
		   struct fault *f);

#endif
