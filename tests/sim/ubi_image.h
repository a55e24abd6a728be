/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UBI in flash, for tests: what ubinize makes, what a UBI that was in use has become, and whether
 * an update has made the one of the other. The on-flash format is that of the kernel's
 * drivers/mtd/ubi/ubi-media.h.
 */
#ifndef TESTS_UBI_IMAGE_H
#define TESTS_UBI_IMAGE_H

#include "bench.h"

struct ubi_shape {
	uint32_t vid_offset, data_offset;
};

extern const struct bench_kind bench_ubi;

/*
 * Makes the chip's payload a ubinized image of so many eraseblocks, the volume table's two first,
 * and puts a UBI that was in use into the chip: another image sequence number, erase counters all
 * different, the volume table in the given good eraseblocks, data in most of the others, some free,
 * one blank, one with a damaged header. Then packs the image.
 */
void ubi_bench(struct bench *b, unsigned int chip, const struct ubi_shape *shape, uint32_t blocks,
	       const uint32_t layout[2]);

/* The erase counter of an eraseblock, or -1 if its header is damaged, torn or missing. */
int64_t ubi_counter(struct sim_chip *c, uint32_t eb);

/* The average of those there are, as UBI takes it for those it has lost. */
int64_t ubi_mean_counter(struct sim_chip *c);

/* Damages the EC header, which flips in flash can do. */
void ubi_damage_header(struct sim_chip *c, uint32_t eb);

#endif
