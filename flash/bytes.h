/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte strings: numbers in them, little-endian, whatever the CPU's byte order and alignment rules
 * are; and whether they are blank.
 */
#ifndef FLASH_BYTES_H
#define FLASH_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Whether all bytes are 0xFF, as erased flash has them; of none that is true. */
static inline bool all_ff(const uint8_t *data, size_t len)
{
	size_t n = 0;

	/* Then the bytes against those before them: by words, where memcmp() can. */
	while (n < len && n < sizeof(uint64_t))
		if (data[n++] != 0xff)
			return false;
	return memcmp(data, data + n, len - n) == 0;
}

static inline void put_bytes(uint8_t *to, const void *from, size_t len)
{
	memcpy(to, from, len);
}

static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return (uint64_t)get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static inline void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	put_le16(p, (uint16_t)v);
	put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

#endif
