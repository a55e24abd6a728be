// SPDX-License-Identifier: GPL-2.0-or-later
#include "ubi_header.h"

#include <string.h>
#include <zlib.h>

#include "bytes.h"

enum {
	VERSION = 1,
	AT_VERSION = 4, /* in both headers, behind the magic */
	AT_EC = 8,      /* 64 bits, of which UBI uses 31 */
	AT_VID_OFFSET = 16,
	AT_DATA_OFFSET = 20,
	AT_IMAGE_SEQ = 24,
	AT_VOLUME = 8, /* in the VID header */
	AT_CRC = 60,
	RECORD_SIZE = 172, /* of the volume table */
	RECORDS_MAX = 128,
	AT_RECORD_CRC = 168,
};

#define LAYOUT_VOLUME 0x7fffefffu

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* UBI's CRC-32 is zlib's, without the inversion at the end. */
static uint32_t ubi_crc(const uint8_t *p, uint32_t len)
{
	return ~(uint32_t)crc32(0, p, len);
}

static uint32_t header_crc(const uint8_t *header)
{
	return ubi_crc(header, AT_CRC);
}

static bool is_header(const uint8_t *header, const char *magic)
{
	return memcmp(header, magic, 4) == 0 && header[AT_VERSION] == VERSION &&
	       get_be32(header + AT_CRC) == header_crc(header);
}

bool ubi_ec_read(struct ubi_ec *ec, const uint8_t *header)
{
	if (!is_header(header, "UBI#") || get_be32(header + AT_EC) != 0 ||
	    get_be32(header + AT_EC + 4) > UBI_EC_MAX)
		return false;
	ec->counter = get_be32(header + AT_EC + 4);
	ec->vid_offset = get_be32(header + AT_VID_OFFSET);
	ec->data_offset = get_be32(header + AT_DATA_OFFSET);
	ec->image_seq = get_be32(header + AT_IMAGE_SEQ);
	return true;
}

void ubi_ec_write(const struct ubi_ec *ec, uint8_t *header)
{
	memset(header, 0, UBI_HEADER_SIZE);
	put_bytes(header, "UBI#", 4);
	header[AT_VERSION] = VERSION;
	put_be32(header + AT_EC + 4, ec->counter);
	put_be32(header + AT_VID_OFFSET, ec->vid_offset);
	put_be32(header + AT_DATA_OFFSET, ec->data_offset);
	put_be32(header + AT_IMAGE_SEQ, ec->image_seq);
	put_be32(header + AT_CRC, header_crc(header));
}

bool ubi_is_layout(const uint8_t *vid_header)
{
	return is_header(vid_header, "UBI!") && get_be32(vid_header + AT_VOLUME) == LAYOUT_VOLUME;
}

uint32_t ubi_table_size(uint32_t leb_size)
{
	uint32_t records = leb_size / RECORD_SIZE;

	return (records < RECORDS_MAX ? records : RECORDS_MAX) * RECORD_SIZE;
}

bool ubi_table_is_whole(const uint8_t *table, uint32_t leb_size)
{
	const uint8_t *end = table + ubi_table_size(leb_size);

	for (; table < end; table += RECORD_SIZE)
		if (get_be32(table + AT_RECORD_CRC) != ubi_crc(table, AT_RECORD_CRC))
			return false;
	return true;
}
