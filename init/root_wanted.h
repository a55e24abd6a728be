/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device of the root that is yet to be mounted, by what the kernel was told.
 */
#ifndef INIT_ROOT_WANTED_H
#define INIT_ROOT_WANTED_H

#include <stddef.h>

#include "cmdline.h"
#include "fault.h"

/*
 * The name in /sys/class/block of the block device that a root= means: /dev/NAME,
 * PARTLABEL=, PARTUUID= (where the kernel tells them, since 6.10). Returns 1, 0: it is not there, or
 * -1: it is none that is understood, FAULT_UNFIT.
 */
int root_wanted_disk(char name[64], const char *root, struct fault *f);

/*
 * What an update of it would write, as judge() takes it: the partition of MTD, also below a UBI, or
 * the block device. Waits for that to appear, as rootwait and rootdelay= say. Empty if it is none of these.
 */
int root_wanted_target(char *text, size_t size, const struct cmdline *c, int reports,
		       struct fault *f);

/* Waits for the device itself, and attaches UBI where the kernel has not. */
int root_wanted_await(const struct cmdline *c, int reports, struct fault *f);

#endif
