/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which eraseblocks an MTD device has. A NOR chip may have small ones at an end, for a boot loader;
 * the partitions of such a chip are shown with eraseblocks of one size, the largest in them.
 */
#ifndef FLASH_MTD_REGIONS_H
#define FLASH_MTD_REGIONS_H

#include "fault.h"
#include "mtd_device.h"
#include "target.h"

/*
 * Adds to t the regions of the device open at fd; neighbours of one eraseblock size become one.
 * Regions that the kernel cannot erase block by block, or more than TARGET_REGIONS_MAX, are
 * FAULT_UNFIT.
 */
int mtd_add_regions(struct target *t, int fd, const struct mtd_device *d, struct fault *f);

#endif
