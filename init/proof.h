/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proof that nothing in the running system uses a piece of flash.
 */
#ifndef INIT_PROOF_H
#define INIT_PROOF_H

#include <stdbool.h>

#include "fault.h"
#include "mounts.h"

/* Where the proof looks; the tests point it at trees of their own. */
struct proof_view {
	const struct mount_table *mounts; /* all of them: mounts_read_all() */
	const char *swaps;                /* /proc/swaps */
	const char *sys;                  /* /sys */
	const char *dev;  /* /dev, to try whether a block device is taken; or NULL */
	const char *proc; /* /proc, to look for processes that have a node open; or NULL */
	/* For a look ahead: the mounts that a take-over will end, as it will swap, loop devices, UBI
	 * and ubiblock, all of which do not count then; or NULL. */
	const struct mount_table *will_go;
};

/*
 * Checks that the flash of /dev/mtdNUMBER, and of every MTD device that shares some of it, is in use
 * by no swap, no loop device, no UBI device, no process, and by no mount of the MTD device (as JFFS2
 * and CRAMFS do it) or of its block device. The first use found is FAULT_BUSY.
 */
int proof_target_free(const struct proof_view *view, int number, struct fault *f);

/*
 * The same for a UBI volume, by the name of its device (ubi0_1), and also that no ubiblock is on it.
 * That UBI is attached is right here. A device without a volume (ubi0: it is yet to be made) is
 * free.
 */
int proof_volume_free(const struct proof_view *view, const char *device, struct fault *f);

/*
 * The same for a block device by its name (mmcblk0p2), the partitions that it has, and the disk that
 * it is a partition of; and also that no device mapper or RAID holds any of them.
 */
int proof_disk_free(const struct proof_view *view, const char *device, struct fault *f);

/* Checks that nothing at all is mounted at or below dir; else FAULT_BUSY with the first mount. */
int proof_nothing_below(const struct mount_table *mounts, const char *dir, struct fault *f);

#endif
