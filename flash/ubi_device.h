/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UBI devices and their volumes, as /sys/class/ubi describes them.
 *
 * Read here and not by libubi, which tells stderr instead of its caller and loses errno there if
 * stderr is dead, and which is 5 KiB of a static program.
 */
#ifndef FLASH_UBI_DEVICE_H
#define FLASH_UBI_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault.h"

/* The numbers of eraseblocks are of logical ones. */
struct ubi_device {
	int number;          /* of ubiN */
	dev_t node;          /* of /dev/ubiN */
	uint32_t total;      /* eraseblocks */
	uint32_t available;  /* ... that no volume has */
	uint32_t eraseblock; /* bytes */
	uint32_t page;       /* bytes: the smallest unit that can be programmed */
	uint32_t volumes;    /* that there are, ... */
	uint32_t volumes_max;
};

struct ubi_volume {
	int id;
	dev_t node; /* of /dev/ubiN_ID */
	bool is_static;
	bool corrupted;      /* static: a checksum is wrong */
	bool updating;       /* an update has begun, and is under way or was cut off */
	uint32_t alignment;  /* bytes */
	uint32_t blocks;     /* eraseblocks that it has */
	uint32_t eraseblock; /* bytes that can be used of each */
	uint64_t data_bytes; /* static: what was written to it; dynamic: all it has */
};

/* Finds the UBI device that is attached to mtdN. Returns 1, 0: there is none, or -1: FAULT_UNFIT. */
int ubi_device_find(struct ubi_device *d, int mtd, struct fault *f);

/* Finds a volume by its name. Returns 1, 0: there is none, or -1: FAULT_UNFIT. */
int ubi_volume_find(struct ubi_volume *v, const struct ubi_device *d, const char *name,
		    struct fault *f);

#endif
