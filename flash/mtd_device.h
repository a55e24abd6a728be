/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MTD devices of this machine, as /sys/class/mtd describes them.
 *
 * Read here and not by libmtd, which ends the process when memory is short, divides by an eraseblock
 * size of 0, and loses errno where stderr is closed.
 */
#ifndef FLASH_MTD_DEVICE_H
#define FLASH_MTD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

enum { MTD_DEVICE_NAME = 128 }; /* bytes for a name; no longer one can be asked for */

struct mtd_device {
	int number; /* of mtdN */
	char name[MTD_DEVICE_NAME];
	bool nand; /* may have bad eraseblocks */
	bool mlc;  /* NAND, several bits to a cell */
	bool nor;  /* may be locked */
	bool other; /* neither of these, nor dataflash or RAM: ROM, or a UBI volume as gluebi shows it */
	bool writable;
	uint64_t size;       /* bytes */
	uint32_t eraseblock; /* bytes; in the largest, where they differ */
	uint32_t page;       /* bytes */
	uint32_t subpage;    /* bytes */
};

/*
 * Finds the device that is meant: by its name first, as a partition may be named "3" or even
 * "mtd3"; else by its number (3 or mtd3) or its node (/dev/mtd3). None, two of that name, or the
 * node of something else is FAULT_UNFIT.
 */
int mtd_device_find(const char *wanted, int *number, struct fault *f);

/* Reads what sysfs tells about mtdN. It has gone, or its numbers make no sense: FAULT_UNFIT. */
int mtd_device_read(struct mtd_device *d, int number, struct fault *f);

#endif
