/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes flash UBI's, and a volume a block device, and undoing it.
 */
#ifndef FLASH_UBI_ATTACH_H
#define FLASH_UBI_ATTACH_H

#include "fault.h"

/*
 * Attaches UBI to mtdN, as the kernel does by ubi.mtd= without more; it becomes the first UBI device
 * that is not there. What UBI cannot make sense of is FAULT_UNFIT. Needs /dev/ubi_ctrl.
 */
int ubi_attach(int mtd, struct fault *f);

/*
 * Has the block device ubiblockN_ID on the volume ubiN_ID, if it is not there. Needs the volume's node
 * in /dev.
 */
int ubi_block_create(const char *volume, struct fault *f);

/*
 * Detaches the UBI device of this number, and with it its volumes and their block devices; UBI's
 * thread has ended when it returns. One that somebody has a volume of open is FAULT_BUSY. Needs
 * /dev/ubi_ctrl.
 */
int ubi_detach(int number, struct fault *f);

/*
 * Removes the block device ubiblockN_ID that is on the volume ubiN_ID; FAULT_BUSY if somebody has it
 * open. Needs the volume's node in /dev.
 */
int ubi_block_remove(const char *volume, struct fault *f);

#endif
