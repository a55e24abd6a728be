// SPDX-License-Identifier: GPL-2.0-or-later
#include "cleanmarker.h"

#include <string.h>
#include <zlib.h>

#define MAGIC 0x1985u
#define NODE_TYPE 0x2003u

/* JFFS2's CRC-32 neither starts nor ends with the inversion that zlib's has. */
static uint32_t jffs2_crc(const uint8_t *p, uint32_t len)
{
	return ~(uint32_t)crc32(0xffffffff, p, len);
}

void cleanmarker_put(uint8_t *p, uint32_t size)
{
	const uint16_t head[] = { MAGIC, NODE_TYPE };
	uint8_t node[CLEANMARKER_NODE_SIZE];
	uint32_t crc;

	memcpy(node, head, sizeof(head));
	memcpy(node + sizeof(head), &size, sizeof(size));
	crc = jffs2_crc(node, CLEANMARKER_OOB_SIZE);
	memcpy(node + CLEANMARKER_OOB_SIZE, &crc, sizeof(crc));
	memcpy(p, node, size);
}

bool jffs2_is_node(const uint8_t *head)
{
	uint16_t magic;
	uint32_t crc;

	memcpy(&magic, head, sizeof(magic));
	memcpy(&crc, head + CLEANMARKER_OOB_SIZE, sizeof(crc));
	return magic == MAGIC && crc == jffs2_crc(head, CLEANMARKER_OOB_SIZE);
}
