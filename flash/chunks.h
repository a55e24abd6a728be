/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload's chunks, read in order: each is unpacked whole in RAM and checked before any byte
 * of it is handed on. Nothing that has not passed its check leaves this file.
 */
#ifndef FLASH_CHUNKS_H
#define FLASH_CHUNKS_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "fault.h"
#include "image.h"
#include "source.h"

struct chunk_reader {
	struct source *src;
	const struct payload *payload;
	uint32_t next;      /* number of the chunk that comes next */
	uint8_t *raw;       /* the present chunk, unpacked and checked */
	uint32_t have;      /* bytes in raw */
	uint32_t taken;     /* bytes of raw handed on already */
	struct chunk blank; /* the latest one that was blank, and checked out */
	uint8_t *packed;
	z_stream z;
};

/*
 * Takes the memory for chunks of up to chunk_size bytes, and about 56 KiB, until
 * chunk_reader_close(). Returns 0, or -1 with errno.
 */
int chunk_reader_init(struct chunk_reader *r, uint32_t chunk_size);

/*
 * Starts on a payload whose first chunk is what src gives next. The source and the payload must
 * stay as long as it is read.
 */
void chunk_reader_start(struct chunk_reader *r, struct source *src, const struct payload *p);

/* Both of them. */
int chunk_reader_open(struct chunk_reader *r, struct source *src, const struct payload *p,
		      struct fault *f);

/*
 * Loads and checks the next chunk into r->raw, and seals it. A chunk that fails its check is FAULT_IMAGE.
 * One that has a seal has passed its check before, and has to be what it was then.
 */
int chunk_reader_next(struct chunk_reader *r, struct fault *f);

/*
 * The same for who does not want its bytes, but how many there are: what has a seal is not even
 * unpacked.
 */
int chunk_reader_check(struct chunk_reader *r, uint32_t *bytes, struct fault *f);

/* Fills buf with the payload's next len checked bytes; fewer, in *got, only at its end. */
int chunk_reader_read(struct chunk_reader *r, void *buf, size_t len, size_t *got, struct fault *f);

void chunk_reader_close(struct chunk_reader *r);

#endif
