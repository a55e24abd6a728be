/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many NOR chips come up locked.
 */
#ifndef FLASH_MTD_UNLOCK_H
#define FLASH_MTD_UNLOCK_H

#include "fault.h"
#include "target.h"

/*
 * Unlocks the whole of the device open at fd for writing, and asks whether each eraseblock is. One
 * that stays locked, or cannot be asked though the driver knows locks, is FAULT_UNFIT.
 */
int mtd_unlock(const struct target *t, int fd, struct fault *f);

#endif
