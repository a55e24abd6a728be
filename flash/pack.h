/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making an image: the writing side of docs/image-format.md, for flashpack.
 */
#ifndef FLASH_PACK_H
#define FLASH_PACK_H

#include <stdint.h>
#include <stdio.h>

#include "fault.h"
#include "image.h"

struct pack_payload {
	const char *part; /* partition name */
	const char *file; /* its new contents */
};

struct pack_options {
	const char *fw_version;
	const char *board[IMAGE_BOARDS_MAX];
	unsigned int board_count;
	struct pack_payload payload[IMAGE_PAYLOADS_MAX];
	unsigned int payload_count;
	uint32_t chunk_size; /* bytes */
	int level;           /* of zlib: 1 to 9 */
};

/*
 * Writes the image to the file out, which appears there whole or not at all. Each input is read
 * once, a chunk at a time. The same input gives the same bytes.
 */
int pack_image(const struct pack_options *o, const char *out, struct fault *f);

#endif
