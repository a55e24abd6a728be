/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A raw MTD partition (NAND or NOR) as a flash target, through libmtd.
 */
#ifndef FLASH_TARGET_MTD_H
#define FLASH_TARGET_MTD_H

#include <stdbool.h>

#include "target.h"

/*
 * Opens the partition that /proc/mtd lists under this name. None or more than one of that name, or
 * one that cannot be written, is FAULT_UNFIT. For TARGET_WRITE, NOR is unlocked. Needs /sys and /dev/mtdN. *number (may be NULL)
 * becomes the N of /dev/mtdN. The caller closes *t with target_close().
 */
int target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
		    struct fault *f);

#endif
