/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UBI that is in the way of an update.
 */
#ifndef INIT_UBI_H
#define INIT_UBI_H

#include "fault.h"
#include "targets.h"

/*
 * Detaches each UBI device from MTD that shares flash with a target which is an MTD partition, and
 * removes the ubiblocks on it and on the targets which are volumes. All other UBI stays: volumes are
 * written through it. sys is where sysfs is mounted. *gone becomes the number of those that went;
 * returns that of those that hold on, the last of them in f, or -1.
 */
int ubi_let_go(const struct targets *t, const char *sys, unsigned int *gone, struct fault *f);

#endif
