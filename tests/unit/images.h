/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware images for tests: whole ones by flashpack's code, and broken ones field by field.
 */
#ifndef TESTS_IMAGES_H
#define TESTS_IMAGES_H

#include <stddef.h>
#include <stdint.h>

struct image_input {
	const char *part;
	const uint8_t *data;
	size_t len;
};

/* Packs the inputs into the file path, which lies in the test's folder. */
void make_image(const char *path, const struct image_input *in, unsigned int count,
		uint32_t chunk_size);

/* An image that grows field by field, with whatever a test wants wrong in it. */
struct forged_image {
	uint8_t index[8192];
	uint32_t used;
	uint8_t body[65536];
	uint32_t body_used;
	uint64_t body_said;    /* what the preamble says of the body */
	const char *signature; /* the text of a signature file, or NULL */
};

/* Starts anew: with the identity, or with nothing at all. */
void forge_start(struct forged_image *r);
void forge_nothing(struct forged_image *r);

void forge_field(struct forged_image *r, uint16_t number, const void *value, uint32_t len);
void forge_text(struct forged_image *r, uint16_t number, const char *text);
void forge_payload(struct forged_image *r, const char *part, uint64_t size, uint32_t chunk_size);

/*
 * One line of a chunk table, as bytes, with the checksums of the chunk's contents; tables are
 * joined by the caller.
 */
void forge_line(uint8_t *line, const void *stored, uint32_t stored_len, uint8_t encoding,
		const void *contents, size_t len);

/* A payload of one chunk stored as it is, its table and its data. */
void forge_stored(struct forged_image *r, const char *part, const uint8_t *data, uint32_t len);

/* Version, and one payload "rootfs" of 5000 bytes: an image that nothing is wrong with. */
void forge_good(struct forged_image *r);

/* Fills in a preamble with right checksums, and writes everything to a file. */
void forge_write(const struct forged_image *r, const char *path);
void forge_preamble(const struct forged_image *r, uint8_t *preamble);
/* Puts a preamble's own checksum right after it was changed. */
void forge_seal(uint8_t *preamble);
void forge_write_with(const struct forged_image *r, const uint8_t *preamble, const char *path);

#endif
