/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JFFS2's cleanmarker: the node by which it knows an eraseblock that was erased to the end from one
 * that only looks blank. On NOR it is the eraseblock's first node, on NAND it is in the OOB.
 */
#ifndef FLASH_CLEANMARKER_H
#define FLASH_CLEANMARKER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CLEANMARKER_OOB_SIZE = 8,   /* bytes of it in OOB, without the CRC */
	CLEANMARKER_NODE_SIZE = 12, /* bytes of it as a node */
	JFFS2_NODE_HEAD = 12,       /* bytes that all of JFFS2's nodes begin with */
};

/*
 * Puts size bytes of a cleanmarker at p, for one of the sizes above. In this machine's byte order,
 * as JFFS2 has all its numbers.
 */
void cleanmarker_put(uint8_t *p, uint32_t size);

/* Whether these are the first len bytes of a cleanmarker in OOB, but for a bit or two. */
bool cleanmarker_fits(const uint8_t *oob, uint32_t len);

/* Whether any of JFFS2's nodes begins with these JFFS2_NODE_HEAD bytes. */
bool jffs2_is_node(const uint8_t *head);

#endif
