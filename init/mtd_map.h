/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which MTD devices are the same piece of flash, in whole or in part, by what sysfs tells.
 */
#ifndef INIT_MTD_MAP_H
#define INIT_MTD_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

enum { MTD_MAP_MAX = 64 };

struct mtd_map {
	unsigned int count;
	struct mtd_place {
		int number;     /* of mtdN */
		char name[64];  /* of the partition */
		char path[512]; /* real path in sysfs: a partition may lie below its chip */
		bool partition; /* has an offset */
		unsigned long long offset,
			size;             /* bytes; the offset counts from what it is part of */
		unsigned long long start; /* bytes from the start of the chip */
		size_t chip;              /* bytes of path that name the chip */
	} place[MTD_MAP_MAX];
};

/* Reads /class/mtd of the sysfs mounted at sys. */
int mtd_map_read(struct mtd_map *m, const char *sys, struct fault *f);

/* The N of a device's name mtdN; -1 if it is none: mtd3ro, mtdblock3, ubi0_1. */
int mtd_number(const char *device);

/*
 * The N of the mtdN that a device is, or that the UBI of ubiN or ubiN_M is attached to by the sysfs
 * mounted at sys; -1 if it is neither.
 */
int mtd_under(const char *device, const char *sys);

/* The place of mtdN, or NULL. */
const struct mtd_place *mtd_map_find(const struct mtd_map *m, int number);

/*
 * Whether two devices share flash: one and the same; a chip and a partition of it; or partitions of
 * one chip, of whatever depth, whose ranges meet. Where sysfs does not tell the chips apart (devices
 * without a bus, as simulated ones), partitions of two chips may pass for those of one. A kernel
 * that tells no offsets (before 4.1) has no partitions here, but for those that lie in each other's
 * folders.
 */
bool mtd_overlap(const struct mtd_place *a, const struct mtd_place *b);

#endif
