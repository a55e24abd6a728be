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
struct raw_image {
	uint8_t index[8192];
	uint32_t used;
	uint8_t body[65536];
	uint32_t body_used;
	uint64_t body_said; /* what the header says of the body */
};

/* Starts anew. */
void raw_start(struct raw_image *r);

void raw_field(struct raw_image *r, uint16_t number, const void *value, uint32_t len);
void raw_text(struct raw_image *r, uint16_t number, const char *text);
void raw_payload(struct raw_image *r, const char *part, uint64_t size, uint32_t chunk_size);

/* One line of a chunk table, as bytes; tables are joined by the caller. */
void raw_line(uint8_t *line, uint32_t stored, uint32_t crc, uint8_t encoding);

/* A payload of one chunk stored as it is, its table and its data. */
void raw_stored(struct raw_image *r, const char *part, const uint8_t *data, uint32_t len);

/* Version, and one payload "rootfs" of 5000 bytes: an image that nothing is wrong with. */
void raw_good(struct raw_image *r);

/* Fills in a header with right checksums, and writes header, index and body to a file. */
void raw_write(const struct raw_image *r, const char *path);
void raw_header(const struct raw_image *r, uint8_t *header);
/* Puts a header's own checksum right after it was changed. */
void raw_seal(uint8_t *header);
void raw_write_with(const struct raw_image *r, const uint8_t *header, const char *path);

#endif
