/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device of the root that is yet to be mounted, by what the kernel was told.
 */
#ifndef INIT_ROOT_WANTED_H
#define INIT_ROOT_WANTED_H

#include <stdbool.h>
#include <stddef.h>

#include "cmdline.h"
#include "fault.h"

/*
 * The name in /sys/class/block of the block device that a root= means: /dev/NAME,
 * PARTLABEL=, PARTUUID= (where the uevent in sysfs tells it, as late kernels do). Returns 1, 0: it is not there, or
 * -1: it is none that is understood, FAULT_UNFIT.
 */
int root_wanted_disk(char name[64], const char *root, struct fault *f);

/* How long a device may take to appear where rootwait is not said: milliseconds. */
unsigned int root_wanted_patience(const struct cmdline *c);

/*
 * Waits for the root's device to appear, as rootwait and rootdelay= say; below: what it is on is enough,
 * the partition that is under a UBI. Attaches UBI where the kernel has not. FAULT_UNFIT if it is none that is
 * understood, or has not appeared.
 */
int root_wanted_await(const struct cmdline *c, bool below, int reports, struct fault *f);

/*
 * What an update of the root would write, as judge() takes it: a partition of MTD, and a volume on it; or
 * a block device. Empty if it is none of these.
 */
void root_wanted_target(char *text, size_t size, const struct cmdline *c);

#endif
