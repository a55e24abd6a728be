/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain partition images, with no index of their own, made into an image while they are read: once
 * to check them and to make the index, once more to copy them, chunk by chunk held against it.
 */
#ifndef FLASH_RAW_H
#define FLASH_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "image.h"

#define RAW_VERSION "unknown" /* of the firmware in plain images */

enum { RAW_SHA256 = 1, RAW_CRC32 = 2 }; /* bits: a file may be held against both */

struct raw_input {
	const char *file;                  /* the contents; unpacked if the name ends in .gz */
	struct payload to;                 /* where to, and how: what index_open_payload() takes */
	unsigned int checks;               /* which of these are known, RAW_SHA256 and RAW_CRC32: */
	uint8_t sha256[IMAGE_SHA256_SIZE]; /* expected, of the file as it is */
	uint32_t crc;
};

struct raw_image {
	const struct raw_input *input;
	unsigned int count;
	struct image image;                       /* as if it had been read from an .fwi */
	struct source source[IMAGE_PAYLOADS_MAX]; /* kept open: it is the same file again */
};

/*
 * Takes a checksum in hexadecimal, as an option gives it or as the first word of a sidecar file, in
 * addition to one of the other kind. The length says which kind it is. FAULT_USAGE if it is none.
 */
int raw_take_checksum(struct raw_input *in, const char *hex, struct fault *f);

/*
 * Looks for FILE.sha256 beside an input, and takes it, too; FAULT_IMAGE if another SHA-256 was taken
 * before. No such file: 0.
 */
int raw_take_sidecar(struct raw_input *in, struct fault *f);

/*
 * Reads all inputs, which must outlive r, checks their checksums, and makes the index. An input
 * that cannot be read twice (a pipe), is empty, or fails its check is FAULT_IMAGE. on_progress (may
 * be NULL) is told the bytes read. Release with raw_close(), also after a failure.
 */
int raw_open(struct raw_image *r, const struct raw_input *input, unsigned int count,
	     void (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
	     struct fault *f);

/*
 * Writes the image to fd, reading the inputs again. If the CRC-32 of a chunk is not what it was,
 * FAULT_IMAGE: that is for the message. Whoever uses the image has to check its chunks, as any image's.
 * keep_going, if not NULL, is asked between chunks; a 0 ends the work.
 */
int raw_write(struct raw_image *r, int fd, int (*keep_going)(void), struct fault *f);

/* Writes the chunks alone, as they stand behind the index. */
int raw_write_chunks(struct raw_image *r, int fd, int (*keep_going)(void), struct fault *f);

void raw_close(struct raw_image *r);

#endif
