/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer's side of docs/image-format.md: an index while it grows, and the preamble before it.
 * Used where images are made: by flashpack, and for plain partition images.
 */
#ifndef FLASH_INDEX_WRITER_H
#define FLASH_INDEX_WRITER_H

#include <stdint.h>

#include "fault.h"
#include "image.h"

struct index_writer {
	uint8_t *bytes; /* room for IMAGE_INDEX_MAX */
	uint32_t used;
	uint64_t body_size;            /* of the chunks added so far */
	uint32_t payload_at, table_at; /* of the payload that is open */
};

/* Starts an index with its identity. 0, or -1 with errno; release with index_writer_free(). */
int index_writer_init(struct index_writer *w);
void index_writer_free(struct index_writer *w);

/* Adds a board, the firmware version. */
int index_add_text(struct index_writer *w, uint16_t number, const char *text, struct fault *f);

/* Adds the anti-rollback number, if it is not 0. */
int index_add_rollback(struct index_writer *w, uint32_t rollback, struct fault *f);

/*
 * Opens a payload by p's part, kind, tail, chunk_size and volume, adds the chunks of its contents in
 * order, and closes it with the size that the contents came to.
 */
int index_open_payload(struct index_writer *w, const struct payload *p, struct fault *f);
int index_add_chunk(struct index_writer *w, const uint8_t *raw, uint32_t size,
		    enum chunk_encoding encoding, const uint8_t *stored, uint32_t stored_size,
		    struct fault *f);
void index_close_payload(struct index_writer *w, uint64_t size);

/*
 * Fills in the preamble of an image with this index, whose chunks have body_size bytes, and with
 * this signature (signature_size may be 0).
 */
void image_fill_preamble(uint8_t preamble[IMAGE_PREAMBLE_SIZE], const uint8_t *index,
			 uint32_t index_size, uint64_t body_size, const uint8_t *signature,
			 uint32_t signature_size);

#endif
