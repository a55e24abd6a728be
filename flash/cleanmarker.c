// SPDX-License-Identifier: GPL-2.0-or-later
#include "cleanmarker.h"

#include <string.h>
#include <zlib.h>

#define MAGIC 0x1985u
#define NODE_TYPE 0x2003u

void cleanmarker_put(uint8_t *p, uint32_t size)
{
	const uint16_t head[] = { MAGIC, NODE_TYPE };
	uint8_t node[CLEANMARKER_NODE_SIZE];
	uint32_t crc;

	memcpy(node, head, sizeof(head));
	memcpy(node + sizeof(head), &size, sizeof(size));
	/* JFFS2's CRC-32 neither starts nor ends with the inversion that zlib's has. */
	crc = ~(uint32_t)crc32(0xffffffff, node, CLEANMARKER_OOB_SIZE);
	memcpy(node + CLEANMARKER_OOB_SIZE, &crc, sizeof(crc));
	memcpy(p, node, size);
}
