// SPDX-License-Identifier: GPL-2.0-or-later
#include "image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "chunks.h"

struct chunk payload_chunk(const struct payload *p, uint32_t n)
{
	const uint8_t *line = p->table + (size_t)n * IMAGE_CHUNK_SIZE;
	uint64_t left = p->size - (uint64_t)n * p->chunk_size;

	return (struct chunk){
		.encoding = line[8],
		.stored = get_le32(line),
		.raw = left < p->chunk_size ? (uint32_t)left : p->chunk_size,
		.crc = get_le32(line + 4),
	};
}

uint64_t image_file_size(const struct image *img)
{
	return IMAGE_HEADER_SIZE + (uint64_t)img->index_size + img->body_size;
}

uint64_t image_payload_bytes(const struct image *img)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < img->payload_count; i++)
		sum += img->payload[i].size;
	return sum;
}

/* Takes a name or version: one line of printable bytes, nothing that could fool a terminal. */
static int take_text(char *to, const uint8_t *value, uint32_t len, const char *what,
		     const char *name, struct fault *f)
{
	if (len < 1 || len > IMAGE_TEXT_MAX)
		return fault_set(f, FAULT_IMAGE,
				 "%s: %s has %" PRIu32 " bytes, allowed are 1 to %d", name, what,
				 len, IMAGE_TEXT_MAX);
	for (uint32_t i = 0; i < len; i++)
		if (value[i] < 0x20 || value[i] > 0x7e)
			return fault_set(
				f, FAULT_IMAGE,
				"%s: %s holds the byte 0x%02x, only printable ASCII is allowed",
				name, what, value[i]);
	memcpy(to, value, len);
	to[len] = '\0';
	return 0;
}

static int take_board(struct image *img, const uint8_t *value, uint32_t len, const char *name,
		      struct fault *f)
{
	if (img->board_count == IMAGE_BOARDS_MAX)
		return fault_set(f, FAULT_IMAGE, "%s: more than %d board names", name,
				 IMAGE_BOARDS_MAX);
	return take_text(img->board[img->board_count++], value, len, "a board name", name, f);
}

static int check_payload(const struct payload *p, uint32_t reserved, const char *name,
			 struct fault *f)
{
	if (p->kind != PAYLOAD_MTD)
		return fault_set(f, FAULT_IMAGE, "%s: %s is of kind %u, known is 1 (mtd)", name,
				 p->part, p->kind);
	if (p->tail != TAIL_ERASE && p->tail != TAIL_KEEP)
		return fault_set(f, FAULT_IMAGE,
				 "%s: %s has tail policy %u, known are 1 (erase) and 2 (keep)",
				 name, p->part, p->tail);
	if (reserved)
		return fault_set(f, FAULT_IMAGE, "%s: %s has reserved bytes that are not zero",
				 name, p->part);
	if (p->chunk_size < IMAGE_CHUNK_MIN || p->chunk_size > IMAGE_CHUNK_MAX)
		return fault_set(f, FAULT_IMAGE,
				 "%s: %s has chunks of %" PRIu32 " bytes, allowed are %d to %d",
				 name, p->part, p->chunk_size, IMAGE_CHUNK_MIN, IMAGE_CHUNK_MAX);
	if (p->size == 0)
		return fault_set(f, FAULT_IMAGE, "%s: %s is empty", name, p->part);
	return 0;
}

static int take_payload(struct image *img, const uint8_t *value, uint32_t len, const char *name,
			struct fault *f)
{
	struct payload *p = &img->payload[img->payload_count];

	if (img->payload_count == IMAGE_PAYLOADS_MAX)
		return fault_set(f, FAULT_IMAGE, "%s: more than %d payloads", name,
				 IMAGE_PAYLOADS_MAX);
	if (len < IMAGE_PAYLOAD_SIZE)
		return fault_set(f, FAULT_IMAGE, "%s: a payload field of %" PRIu32 " bytes", name,
				 len);
	p->size = get_le64(value);
	p->chunk_size = get_le32(value + 8);
	p->kind = value[12];
	p->tail = value[13];
	if (take_text(p->part, value + IMAGE_PAYLOAD_SIZE, len - IMAGE_PAYLOAD_SIZE,
		      "a partition name", name, f) < 0 ||
	    check_payload(p, get_le16(value + 14), name, f) < 0)
		return -1;
	for (unsigned int i = 0; i < img->payload_count; i++)
		if (strcmp(img->payload[i].part, p->part) == 0)
			return fault_set(f, FAULT_IMAGE, "%s: two payloads for %s", name, p->part);
	img->payload_count++;
	return 0;
}

static int check_chunk(const struct payload *p, uint32_t n, const char *name, struct fault *f)
{
	const uint8_t *line = p->table + (size_t)n * IMAGE_CHUNK_SIZE;
	struct chunk c = payload_chunk(p, n);
	bool fits;

	switch (c.encoding) {
	case CHUNK_STORED:
		fits = c.stored == c.raw;
		break;
	case CHUNK_DEFLATE:
		fits = c.stored > 0 && c.stored < c.raw;
		break;
	case CHUNK_BLANK:
		fits = c.stored == 0;
		break;
	default:
		return fault_set(f, FAULT_IMAGE, "%s: %s chunk %" PRIu32 " has unknown encoding %u",
				 name, p->part, n, line[8]);
	}
	if (!fits || line[9] || line[10] || line[11])
		return fault_set(f, FAULT_IMAGE,
				 "%s: %s chunk %" PRIu32 " is described wrongly in the index", name,
				 p->part, n);
	return 0;
}

/* The chunk table belongs to the payload whose field came last. */
static int take_chunks(struct image *img, const uint8_t *value, uint32_t len, const char *name,
		       struct fault *f)
{
	struct payload *p = img->payload_count ? &img->payload[img->payload_count - 1] : NULL;
	uint64_t count;

	if (!p || p->table)
		return fault_set(f, FAULT_IMAGE, "%s: a chunk table without a payload", name);
	count = p->size / p->chunk_size + (p->size % p->chunk_size != 0);
	if (count > IMAGE_INDEX_MAX / IMAGE_CHUNK_SIZE || len != count * IMAGE_CHUNK_SIZE)
		return fault_set(f, FAULT_IMAGE,
				 "%s: %s needs %" PRIu64 " chunks, its table has %" PRIu32 " bytes",
				 name, p->part, count, len);
	p->table = value;
	p->chunk_count = (uint32_t)count;
	for (uint32_t n = 0; n < p->chunk_count; n++) {
		if (check_chunk(p, n, name, f) < 0)
			return -1;
		img->body_size += payload_chunk(p, n).stored;
	}
	return 0;
}

static int take_field(struct image *img, uint16_t number, const uint8_t *value, uint32_t len,
		      const char *name, struct fault *f)
{
	switch (number) {
	case FIELD_BOARD:
		return take_board(img, value, len, name, f);
	case FIELD_FW_VERSION:
		if (img->fw_version[0])
			return fault_set(f, FAULT_IMAGE, "%s: two firmware versions", name);
		return take_text(img->fw_version, value, len, "the firmware version", name, f);
	case FIELD_PAYLOAD:
		return take_payload(img, value, len, name, f);
	case FIELD_CHUNKS:
		return take_chunks(img, value, len, name, f);
	default:
		if (!(number & FIELD_CRITICAL))
			return 0;
		return fault_set(f, FAULT_IMAGE,
				 "%s: needs a newer flashinit: critical field 0x%04x is not known",
				 name, number);
	}
}

static int check_complete(const struct image *img, const char *name, struct fault *f)
{
	if (img->payload_count == 0)
		return fault_set(f, FAULT_IMAGE, "%s: has no payload", name);
	if (!img->fw_version[0])
		return fault_set(f, FAULT_IMAGE, "%s: has no firmware version", name);
	for (unsigned int i = 0; i < img->payload_count; i++)
		if (!img->payload[i].table)
			return fault_set(f, FAULT_IMAGE, "%s: %s has no chunk table", name,
					 img->payload[i].part);
	return 0;
}

int image_parse_index(struct image *img, uint8_t *index, uint32_t size, const char *name,
		      struct fault *f)
{
	uint32_t at = 0;

	memset(img, 0, sizeof(*img));
	img->index = index;
	img->index_size = size;
	while (at < size) {
		const uint8_t *field = index + at;
		uint32_t len;

		if (size - at < IMAGE_FIELD_SIZE)
			return fault_set(f, FAULT_IMAGE, "%s: the index ends inside a field", name);
		len = get_le32(field + 4);
		at += IMAGE_FIELD_SIZE;
		if (get_le16(field + 2) || len > size - at)
			return fault_set(f, FAULT_IMAGE,
					 "%s: field 0x%04x at byte %" PRIu32
					 " of the index is malformed",
					 name, get_le16(field), at - IMAGE_FIELD_SIZE);
		if (take_field(img, get_le16(field), field + IMAGE_FIELD_SIZE, len, name, f) < 0)
			return -1;
		at += len;
	}
	return check_complete(img, name, f);
}

/* Checks the header and returns the size and the CRC of the index and the size of the body. */
static int parse_header(const uint8_t *header, const char *name, uint32_t *index_size,
			uint32_t *index_crc, uint64_t *body_size, struct fault *f)
{
	if (memcmp(header, IMAGE_MAGIC, IMAGE_MAGIC_SIZE) != 0)
		return fault_set(
			f, FAULT_IMAGE,
			"%s: not a firmware image (no FWI signature); make one with flashpack",
			name);
	if (get_le32(header + 28) != crc32(0, header, 28))
		return fault_set(f, FAULT_IMAGE, "%s: damaged: header checksum does not match",
				 name);
	if (get_le16(header + 8) != IMAGE_FORMAT)
		return fault_set(f, FAULT_IMAGE, "%s: format version %u, known is %u", name,
				 get_le16(header + 8), IMAGE_FORMAT);
	*index_size = get_le32(header + 12);
	*body_size = get_le64(header + 16);
	*index_crc = get_le32(header + 24);
	if (get_le16(header + 10) != IMAGE_HEADER_SIZE)
		return fault_set(f, FAULT_IMAGE, "%s: a header of %u bytes, known is %d", name,
				 get_le16(header + 10), IMAGE_HEADER_SIZE);
	if (*index_size > IMAGE_INDEX_MAX)
		return fault_set(f, FAULT_IMAGE,
				 "%s: an index of %" PRIu32 " bytes, allowed are %d", name,
				 *index_size, IMAGE_INDEX_MAX);
	return 0;
}

int image_read(struct image *img, struct source *src, struct fault *f)
{
	uint8_t header[IMAGE_HEADER_SIZE];
	uint32_t index_size = 0, index_crc = 0;
	uint64_t body_size = 0;
	uint8_t *index;

	memset(img, 0, sizeof(*img));
	if (source_read(src, header, sizeof(header), f) < 0 ||
	    parse_header(header, src->name, &index_size, &index_crc, &body_size, f) < 0)
		return -1;
	index = malloc(index_size ? index_size : 1);
	if (!index)
		return fault_errno(f, FAULT_UNFIT,
				   "%s: no memory for an index of %" PRIu32 " bytes", src->name,
				   index_size);
	img->index = index; /* from here on image_free() has it */
	if (source_read(src, index, index_size, f) < 0)
		return -1;
	if (crc32(0, index, index_size) != index_crc)
		return fault_set(f, FAULT_IMAGE, "%s: damaged: index checksum does not match",
				 src->name);
	if (image_parse_index(img, index, index_size, src->name, f) < 0)
		return -1;
	if (img->body_size != body_size)
		return fault_set(f, FAULT_IMAGE,
				 "%s: header says %" PRIu64 " bytes of chunks, index says %" PRIu64,
				 src->name, body_size, img->body_size);
	return 0;
}

void image_free(struct image *img)
{
	free(img->index);
	memset(img, 0, sizeof(*img));
}

int image_verify(const struct image *img, struct source *src,
		 void (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		 struct fault *f)
{
	uint64_t done = 0, total = image_payload_bytes(img);

	for (unsigned int i = 0; i < img->payload_count; i++) {
		struct chunk_reader r;

		if (chunk_reader_open(&r, src, &img->payload[i], f) < 0)
			return -1;
		while (r.next < r.payload->chunk_count) {
			if (chunk_reader_next(&r, f) < 0) {
				chunk_reader_close(&r);
				return -1;
			}
			done += r.have;
			if (on_progress)
				on_progress(ctx, done, total);
		}
		chunk_reader_close(&r);
	}
	return source_expect_end(src, f);
}
