// SPDX-License-Identifier: GPL-2.0-or-later
#include "cleanmarker.h"

#include <string.h>
#include <zlib.h>

#define MAGIC 0x1985u
#define NODE_TYPE 0x2003u
#define NODE_ACCURATE 0x2000u

enum { WRONG_BITS_MAX = 2 }; /* ECC does not cover free bytes of OOB everywhere */

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

bool cleanmarker_fits(const uint8_t *oob, uint32_t len)
{
	uint8_t want[CLEANMARKER_OOB_SIZE];
	int wrong = 0;

	cleanmarker_put(want, sizeof(want));
	for (uint32_t i = 0; i < len; i++)
		wrong += __builtin_popcount((unsigned int)(oob[i] ^ want[i]));
	return wrong <= WRONG_BITS_MAX;
}

/* On NOR a node that no longer counts has a bit of its type cleared, in place (fs/jffs2/nodemgmt.c). */
bool jffs2_is_node(const uint8_t *head)
{
	uint8_t node[JFFS2_NODE_HEAD];
	uint16_t magic, type;
	uint32_t crc;

	memcpy(node, head, sizeof(node));
	memcpy(&magic, node, sizeof(magic));
	memcpy(&type, node + sizeof(magic), sizeof(type));
	type |= NODE_ACCURATE;
	memcpy(node + sizeof(magic), &type, sizeof(type));
	memcpy(&crc, node + CLEANMARKER_OOB_SIZE, sizeof(crc));
	return magic == MAGIC && crc == jffs2_crc(node, CLEANMARKER_OOB_SIZE);
}
