/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block device (eMMC, SD, disk) as a flash target: whole sectors, written and read past the page
 * cache.
 */
#ifndef FLASH_TARGET_BLOCK_H
#define FLASH_TARGET_BLOCK_H

#include "target.h"

/*
 * Opens a block device by its name (mmcblk0p2), its node (/dev/mmcblk0p2) or its partition label,
 * which counts if nothing has that name. A missing node is made in /dev. Its first eraseblock is
 * one sector, the second what is left of the first 64 KiB, the others are of 64 KiB or what is left
 * at the end. One that is missing, read-only, raw flash (mtdblock) or, for TARGET_WRITE, opened
 * exclusively by somebody else (mounted, swap, part of a RAID) is FAULT_UNFIT, the latter
 * FAULT_BUSY. Data may lie at any address and be read from any byte on; what is in whole sectors
 * moves without being copied. Needs /sys. The caller closes *t with target_close().
 */
int target_open_block(struct target **t, const char *name, enum target_mode mode, struct fault *f);

#endif
