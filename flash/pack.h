/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making an image from the files that partitions shall hold, for flashpack.
 */
#ifndef FLASH_PACK_H
#define FLASH_PACK_H

#include <stdint.h>

#include "fault.h"
#include "image.h"

struct pack_payload {
	const char *file;  /* the contents */
	struct payload to; /* where to, and how: what index_open_payload() takes */
};

struct pack_options {
	const char *fw_version;
	const char *board[IMAGE_BOARDS_MAX];
	unsigned int board_count;
	uint32_t rollback;
	struct pack_payload payload[IMAGE_PAYLOADS_MAX];
	unsigned int payload_count;
	int level; /* of zlib: 1 to 9 */
	/* Told the bytes of a file that have been packed; NULL if nobody wants to know. */
	void (*on_progress)(const char *file, uint64_t done);
};

/*
 * Writes the image to the file out, which appears there whole or not at all. Each input is read
 * once, a chunk at a time. The same input gives the same bytes.
 */
int pack_image(const struct pack_options *o, const char *out, struct fault *f);

#endif
