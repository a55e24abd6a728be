/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the root file system is on, and how the system that runs from it was started.
 */
#ifndef INIT_ROOT_H
#define INIT_ROOT_H

#include <stddef.h>

#include "fault.h"
#include "mounts.h"

/* Copies of PID 1's files of these names, in the RAM root. */
#define ROOT_MOUNTS "/etc/flashinit.mountinfo"
#define ROOT_ENVIRON "/etc/flashinit.environ"

/*
 * Finds out what / is on, by a mount table and the sysfs mounted at sys, and writes it to text:
 * "mtd3"; "mtd3:rootfs" for a UBI volume; else a block device, "mmcblk0p2". None of these (an overlay, a
 * network file system) is FAULT_UNFIT.
 */
int root_find(char *text, size_t size, const struct mount_table *mounts, const char *sys,
	      struct fault *f);

/* The device in such a text, without the volume. */
void root_device(char device[32], const char *text);

/* Copies both files of /proc/1 into the RAM root that lies in dir. */
int root_keep_start(const char *dir, struct fault *f);

#endif
