/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers at the start of each eraseblock that UBI owns: the erase counter (EC) header, and the
 * volume identifier (VID) header of those that are in use. The kernel's drivers/mtd/ubi/ubi-media.h
 * is their specification; all numbers are big-endian.
 */
#ifndef FLASH_UBI_HEADER_H
#define FLASH_UBI_HEADER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	UBI_HEADER_SIZE = 64,
	UBI_EC_MAX = 0x7fffffff, /* more than this the kernel takes for damage */
};

struct ubi_ec {
	uint32_t counter;     /* how often the eraseblock was erased */
	uint32_t vid_offset;  /* bytes from the eraseblock's start to the VID header */
	uint32_t data_offset; /* and to the data */
	uint32_t image_seq;   /* the same in all eraseblocks of one UBI */
};

/* Reads an EC header from UBI_HEADER_SIZE bytes. False if that is not one, or a damaged one. */
bool ubi_ec_read(struct ubi_ec *ec, const uint8_t *header);

/* Writes the EC header's UBI_HEADER_SIZE bytes. */
void ubi_ec_write(const struct ubi_ec *ec, uint8_t *header);

/* Whether a whole VID header stands there that belongs to the layout volume, UBI's volume table. */
bool ubi_is_layout(const uint8_t *vid_header);

/* Bytes in the volume table of a UBI whose eraseblocks have room for leb_size bytes of data. */
uint32_t ubi_table_size(uint32_t leb_size);

/* Whether every record of the volume table is whole. A UBI without volumes has one, too. */
bool ubi_table_is_whole(const uint8_t *table, uint32_t leb_size);

#endif
