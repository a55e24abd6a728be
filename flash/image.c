// SPDX-License-Identifier: GPL-2.0-or-later
#include "image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <sodium/crypto_hash_sha256.h>
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
		.sha256 = line + 12,
	};
}

uint64_t image_file_size(const struct image *img)
{
	return IMAGE_PREAMBLE_SIZE + (uint64_t)img->index_size + img->signature_size +
	       img->body_size;
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

int image_take_name(char *to, const uint8_t *value, uint32_t len, const char *what,
		    const char *name, struct fault *f)
{
	if (take_text(to, value, len, what, name, f) < 0)
		return -1;
	if (strchr(to, '/') || strcmp(to, ".") == 0 || strcmp(to, "..") == 0)
		return fault_set(f, FAULT_IMAGE, "%s: %s is \"%s\", which looks like a path", name,
				 what, to);
	return 0;
}

static int take_identity(const uint8_t *value, uint32_t len, const char *name, struct fault *f)
{
	if (len != IMAGE_IDENTITY_SIZE || memcmp(value, IMAGE_MAGIC, IMAGE_MAGIC_SIZE) != 0 ||
	    get_le16(value + IMAGE_MAGIC_SIZE) != IMAGE_FORMAT)
		return fault_set(f, FAULT_IMAGE, "%s: the index is not one of format version %u",
				 name, IMAGE_FORMAT);
	return 0;
}

static int take_board(struct image *img, const uint8_t *value, uint32_t len, const char *name,
		      struct fault *f)
{
	char *board;

	if (img->board_count == IMAGE_BOARDS_MAX)
		return fault_set(f, FAULT_IMAGE, "%s: more than %d board names", name,
				 IMAGE_BOARDS_MAX);
	board = img->board[img->board_count];
	if (take_text(board, value, len, "a board name", name, f) < 0)
		return -1;
	for (unsigned int i = 0; i < img->board_count; i++)
		if (strcmp(img->board[i], board) == 0)
			return fault_set(f, FAULT_IMAGE, "%s: board %s is named twice", name,
					 board);
	img->board_count++;
	return 0;
}

static int check_payload(const struct payload *p, uint32_t reserved, const char *name,
			 struct fault *f)
{
	bool mtd = p->kind == PAYLOAD_MTD;

	if (p->kind < PAYLOAD_MTD || p->kind > PAYLOAD_BLOCK)
		return fault_set(f, FAULT_IMAGE, "%s: %s is of the unknown kind %u", name, p->part,
				 p->kind);
	if (mtd ? p->tail < TAIL_ERASE || p->tail > TAIL_JFFS2 : p->tail != TAIL_NONE)
		return fault_set(f, FAULT_IMAGE,
				 "%s: %s has a tail policy, %u, unknown for its kind", name,
				 p->part, p->tail);
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
	if (image_take_name(p->part, value + IMAGE_PAYLOAD_SIZE, len - IMAGE_PAYLOAD_SIZE,
			    "a partition name", name, f) < 0 ||
	    check_payload(p, get_le16(value + 14), name, f) < 0)
		return -1;
	img->payload_count++;
	return 0;
}

static struct payload *latest_payload(struct image *img)
{
	return img->payload_count ? &img->payload[img->payload_count - 1] : NULL;
}

static int take_volume(struct image *img, const uint8_t *value, uint32_t len, const char *name,
		       struct fault *f)
{
	struct payload *p = latest_payload(img);

	if (!p || p->kind != PAYLOAD_UBIVOL || p->volume[0])
		return fault_set(f, FAULT_IMAGE, "%s: a UBI volume without a payload for it", name);
	if (len < IMAGE_VOLUME_SIZE || value[9] || value[10] || value[11])
		return fault_set(f, FAULT_IMAGE, "%s: %s has a malformed UBI volume", name,
				 p->part);
	p->volume_size = get_le64(value);
	p->volume_type = value[8];
	if (p->volume_size && p->volume_size < p->size)
		return fault_set(f, FAULT_IMAGE,
				 "%s: %s has a UBI volume smaller than its contents", name,
				 p->part);
	if (p->volume_type != VOLUME_DYNAMIC && p->volume_type != VOLUME_STATIC)
		return fault_set(f, FAULT_IMAGE, "%s: %s has a UBI volume of the unknown type %u",
				 name, p->part, value[8]);
	return image_take_name(p->volume, value + IMAGE_VOLUME_SIZE, len - IMAGE_VOLUME_SIZE,
			       "a volume name", name, f);
}

static int take_rollback(struct image *img, const uint8_t *value, uint32_t len, bool *seen,
			 const char *name, struct fault *f)
{
	if (*seen || len != 4)
		return fault_set(f, FAULT_IMAGE, "%s: a second or malformed anti-rollback number",
				 name);
	*seen = true;
	img->rollback = get_le32(value);
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
	struct payload *p = latest_payload(img);
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
	p->first_chunk = img->chunk_count;
	img->chunk_count += p->chunk_count;
	for (uint32_t n = 0; n < p->chunk_count; n++) {
		if (check_chunk(p, n, name, f) < 0)
			return -1;
		img->body_size += payload_chunk(p, n).stored;
	}
	return 0;
}

struct index_reader {
	struct image *img;
	const char *name;
	bool rollback_seen;
};

static int take_field(struct index_reader *r, uint16_t number, const uint8_t *value, uint32_t len,
		      struct fault *f)
{
	switch (number) {
	case FIELD_IDENTITY:
		return fault_set(f, FAULT_IMAGE, "%s: a second identity in the index", r->name);
	case FIELD_BOARD:
		return take_board(r->img, value, len, r->name, f);
	case FIELD_FW_VERSION:
		if (r->img->fw_version[0])
			return fault_set(f, FAULT_IMAGE, "%s: two firmware versions", r->name);
		return take_text(r->img->fw_version, value, len, "the firmware version", r->name,
				 f);
	case FIELD_PAYLOAD:
		return take_payload(r->img, value, len, r->name, f);
	case FIELD_CHUNKS:
		return take_chunks(r->img, value, len, r->name, f);
	case FIELD_ROLLBACK:
		return take_rollback(r->img, value, len, &r->rollback_seen, r->name, f);
	case FIELD_VOLUME:
		return take_volume(r->img, value, len, r->name, f);
	default:
		if (!(number & FIELD_CRITICAL))
			return 0;
		return fault_set(f, FAULT_IMAGE,
				 "%s: needs a newer flashinit: critical field 0x%04x is not known",
				 r->name, number);
	}
}

bool payload_same_place(const struct payload *a, const struct payload *b)
{
	if (strcmp(a->part, b->part) != 0)
		return false;
	return a->kind != PAYLOAD_UBIVOL || b->kind != PAYLOAD_UBIVOL ||
	       strcmp(a->volume, b->volume) == 0;
}

static int check_complete(const struct image *img, const char *name, struct fault *f)
{
	if (img->payload_count == 0)
		return fault_set(f, FAULT_IMAGE, "%s: has no payload", name);
	if (!img->fw_version[0])
		return fault_set(f, FAULT_IMAGE, "%s: has no firmware version", name);
	for (unsigned int i = 0; i < img->payload_count; i++) {
		const struct payload *p = &img->payload[i];

		if (!p->table)
			return fault_set(f, FAULT_IMAGE, "%s: %s has no chunk table", name,
					 p->part);
		if (p->kind == PAYLOAD_UBIVOL && !p->volume[0])
			return fault_set(f, FAULT_IMAGE, "%s: %s names no UBI volume", name,
					 p->part);
		for (unsigned int k = 0; k < i; k++)
			if (payload_same_place(p, &img->payload[k]))
				return fault_set(f, FAULT_IMAGE, "%s: two payloads for %s%s%s",
						 name, p->part, p->volume[0] ? ":" : "", p->volume);
	}
	return 0;
}

/* The first field must be the identity; it can come nowhere else. */
static int take_any_field(struct index_reader *r, uint32_t at, uint16_t number,
			  const uint8_t *value, uint32_t len, struct fault *f)
{
	if (at > 0)
		return take_field(r, number, value, len, f);
	if (number == FIELD_IDENTITY)
		return take_identity(value, len, r->name, f);
	return fault_set(f, FAULT_IMAGE, "%s: the index does not start with its identity", r->name);
}

static int make_seals(struct image *img, struct fault *f)
{
	img->seals = seals_new(img->chunk_count);
	if (!img->seals)
		return fault_errno(f, FAULT_UNFIT, "cannot make the seals of %" PRIu32 " chunks",
				   img->chunk_count);
	for (unsigned int i = 0; i < img->payload_count; i++)
		img->payload[i].seals = img->seals;
	return 0;
}

static int parse_index(struct image *img, const char *name, struct fault *f)
{
	struct index_reader r = { .img = img, .name = name };
	uint32_t at = 0, size = img->index_size;

	while (at < size) {
		const uint8_t *field = img->index + at;
		uint32_t len;

		if (size - at < IMAGE_FIELD_SIZE)
			return fault_set(f, FAULT_IMAGE, "%s: the index ends inside a field", name);
		len = get_le32(field + 4);
		if (get_le16(field + 2) || len > size - at - IMAGE_FIELD_SIZE)
			return fault_set(f, FAULT_IMAGE,
					 "%s: field 0x%04x at byte %" PRIu32
					 " of the index is malformed",
					 name, get_le16(field), at);
		if (take_any_field(&r, at, get_le16(field), field + IMAGE_FIELD_SIZE, len, f) < 0)
			return -1;
		at += IMAGE_FIELD_SIZE + len;
	}
	return check_complete(img, name, f) < 0 ? -1 : make_seals(img, f);
}

int image_parse_index(struct image *img, uint8_t *index, uint32_t size, const char *name,
		      struct fault *f)
{
	memset(img, 0, sizeof(*img));
	img->index = index;
	img->index_size = size;
	return parse_index(img, name, f);
}

struct preamble {
	uint32_t index_size, signature_size;
	uint64_t body_size;
	uint32_t index_crc, signature_crc;
};

static int parse_preamble(struct preamble *p, const uint8_t *bytes, const char *name,
			  struct fault *f)
{
	if (memcmp(bytes, IMAGE_MAGIC, IMAGE_MAGIC_SIZE) != 0)
		return fault_set(
			f, FAULT_IMAGE,
			"%s: not a firmware image (it does not start as one); make one with "
			"flashpack",
			name);
	if (get_le32(bytes + 36) != crc32(0, bytes, 36))
		return fault_set(f, FAULT_IMAGE, "%s: damaged: preamble checksum does not match",
				 name);
	if (get_le16(bytes + 8) != IMAGE_FORMAT || get_le16(bytes + 10) != IMAGE_PREAMBLE_SIZE)
		return fault_set(f, FAULT_IMAGE,
				 "%s: format version %u with a preamble of %u bytes; known is "
				 "version %u with %d",
				 name, get_le16(bytes + 8), get_le16(bytes + 10), IMAGE_FORMAT,
				 IMAGE_PREAMBLE_SIZE);
	p->index_size = get_le32(bytes + 12);
	p->signature_size = get_le32(bytes + 16);
	p->body_size = get_le64(bytes + 20);
	p->index_crc = get_le32(bytes + 28);
	p->signature_crc = get_le32(bytes + 32);
	if (p->index_size < 1 || p->index_size > IMAGE_INDEX_MAX)
		return fault_set(f, FAULT_IMAGE,
				 "%s: an index of %" PRIu32 " bytes, allowed are 1 to %d", name,
				 p->index_size, IMAGE_INDEX_MAX);
	if (p->signature_size > IMAGE_SIGNATURE_MAX)
		return fault_set(f, FAULT_IMAGE,
				 "%s: a signature of %" PRIu32 " bytes, allowed are 0 to %d", name,
				 p->signature_size, IMAGE_SIGNATURE_MAX);
	return 0;
}

/* Reads size bytes into new memory and checks their checksum. NULL with the fault. */
static uint8_t *read_part(struct source *src, uint32_t size, uint32_t crc, const char *what,
			  struct fault *f)
{
	uint8_t *bytes = malloc(size ? size : 1);

	if (!bytes) {
		(void)fault_errno(f, FAULT_UNFIT, "%s: no memory for its %s of %" PRIu32 " bytes",
				  src->name, what, size);
	} else if (source_read(src, bytes, size, f) == 0) {
		if (crc32(0, bytes, size) == crc)
			return bytes;
		(void)fault_set(f, FAULT_IMAGE, "%s: damaged: %s checksum does not match",
				src->name, what);
	}
	free(bytes);
	return NULL;
}

static int read_signature(struct image *img, struct source *src, const struct preamble *p,
			  struct fault *f)
{
	if (p->signature_size == 0 && p->signature_crc != 0)
		return fault_set(f, FAULT_IMAGE, "%s: a checksum of no signature", src->name);
	img->signature_size = p->signature_size;
	if (p->signature_size == 0)
		return 0;
	img->signature = read_part(src, p->signature_size, p->signature_crc, "signature", f);
	return img->signature ? 0 : -1;
}

/* Without keys everything goes whose signature, if any, has the form of one. */
static int check_trust(struct image *img, const struct key_ring *keys, const char *name,
		       struct fault *f)
{
	const struct public_key *by;
	struct signature sig;

	img->trust = img->signature ? IMAGE_NOT_VERIFIED : IMAGE_UNSIGNED;
	if (!img->signature && keys->count)
		return fault_set(f, FAULT_IMAGE, "%s: is not signed, and %u public key%s installed",
				 name, keys->count, keys->count == 1 ? " is" : "s are");
	if (!img->signature)
		return 0;
	if (signature_parse(&sig, (const char *)img->signature, img->signature_size, name, f) < 0)
		return -1;
	if (!keys->count)
		return 0;
	if (signature_verify(&sig, img->index, img->index_size, keys, &by, name, f) < 0)
		return -1;
	img->trust = IMAGE_VERIFIED;
	memcpy(img->signed_by, by->name, sizeof(img->signed_by));
	return 0;
}

int image_read(struct image *img, struct source *src, const struct key_ring *keys, struct fault *f)
{
	uint8_t bytes[IMAGE_PREAMBLE_SIZE];
	struct preamble p = { .index_size = 0 };

	memset(img, 0, sizeof(*img));
	if (source_read(src, bytes, sizeof(bytes), f) < 0 ||
	    parse_preamble(&p, bytes, src->name, f) < 0)
		return -1;
	img->index = read_part(src, p.index_size, p.index_crc, "index", f);
	if (!img->index)
		return -1;
	img->index_size = p.index_size;
	/* The signature comes first: an index that nobody vouches for is not even parsed. */
	if (read_signature(img, src, &p, f) < 0 || check_trust(img, keys, src->name, f) < 0 ||
	    parse_index(img, src->name, f) < 0)
		return -1;
	if (img->body_size != p.body_size)
		return fault_set(f, FAULT_IMAGE,
				 "%s: preamble says %" PRIu64
				 " bytes of chunks, index says %" PRIu64,
				 src->name, p.body_size, img->body_size);
	return 0;
}

void image_id(const struct image *img, char id[IMAGE_ID_SIZE])
{
	uint8_t sum[IMAGE_SHA256_SIZE];

	(void)crypto_hash_sha256(sum, img->index, img->index_size); /* it cannot fail */
	for (size_t i = 0; i < sizeof(sum); i++)
		(void)snprintf(id + 2 * i, 3, "%02x", sum[i]);
}

void image_free(struct image *img)
{
	free(img->index);
	free(img->signature);
	free(img->seals);
	memset(img, 0, sizeof(*img));
}

int image_verify(const struct image *img, struct source *src,
		 void (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		 struct fault *f)
{
	uint64_t done = 0, total = image_payload_bytes(img);

	for (unsigned int i = 0; i < img->payload_count; i++) {
		struct chunk_reader r;
		uint32_t bytes;

		if (chunk_reader_open(&r, src, &img->payload[i], f) < 0)
			return -1;
		while (r.next < r.payload->chunk_count) {
			if (chunk_reader_check(&r, &bytes, f) < 0) {
				chunk_reader_close(&r);
				return -1;
			}
			done += bytes;
			if (on_progress)
				on_progress(ctx, done, total);
		}
		chunk_reader_close(&r);
	}
	return source_expect_end(src, f);
}
