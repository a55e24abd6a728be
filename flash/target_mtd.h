/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A raw MTD partition (NAND or NOR) as a flash target, by the kernel's own calls: what becomes of an
 * update rests on their errno. libmtd's functions lose it where stderr is closed, take a short write
 * for a failure with an old errno, read on for ever where a device ends, and count the bytes to
 * unlock in an int.
 */
#ifndef FLASH_TARGET_MTD_H
#define FLASH_TARGET_MTD_H

#include "target.h"

/*
 * Opens an MTD partition: the one that /proc/mtd lists under this name; or, if none is, the one of
 * this number ("3" or "mtd3") or node ("/dev/mtd3"). None or more than one of that name, one that
 * cannot be written or has gone, or NOR that stays locked is FAULT_UNFIT. For TARGET_WRITE, NOR is
 * unlocked. Needs /sys and /dev/mtdN. *number (may be NULL) becomes the N of /dev/mtdN. The caller
 * closes *t with target_close().
 */
int target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
		    struct fault *f);

#endif
