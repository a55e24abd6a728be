// SPDX-License-Identifier: GPL-2.0-or-later
#include "index_writer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <sodium/crypto_hash_sha256.h>

#include "bytes.h"

static uint8_t *reserve(struct index_writer *w, uint32_t len, struct fault *f)
{
	uint8_t *at = w->bytes + w->used;

	if (len > IMAGE_INDEX_MAX - w->used) {
		(void)fault_set(f, FAULT_USAGE,
				"the index would exceed %d bytes; take larger chunks",
				IMAGE_INDEX_MAX);
		return NULL;
	}
	memset(at, 0, len);
	w->used += len;
	return at;
}

/* Adds a field and returns where its value goes, all zero. */
static uint8_t *add_field(struct index_writer *w, uint16_t number, uint32_t len, struct fault *f)
{
	uint8_t *at = reserve(w, IMAGE_FIELD_SIZE + len, f);

	if (!at)
		return NULL;
	put_le16(at, number);
	put_le32(at + 4, len);
	return at + IMAGE_FIELD_SIZE;
}

static void fill_identity(uint8_t *at)
{
	memcpy(at, IMAGE_MAGIC, IMAGE_MAGIC_SIZE);
	put_le16(at + IMAGE_MAGIC_SIZE, IMAGE_FORMAT);
}

int index_writer_init(struct index_writer *w)
{
	struct fault f;

	memset(w, 0, sizeof(*w));
	w->bytes = malloc(IMAGE_INDEX_MAX);
	if (!w->bytes)
		return -1;
	fill_identity(
		add_field(w, FIELD_IDENTITY, IMAGE_IDENTITY_SIZE, &f)); /* fits: it is first */
	return 0;
}

void index_writer_free(struct index_writer *w)
{
	free(w->bytes);
	w->bytes = NULL;
}

int index_add_text(struct index_writer *w, uint16_t number, const char *text, struct fault *f)
{
	uint32_t len = (uint32_t)strlen(text);
	uint8_t *value = add_field(w, number, len, f);

	if (!value)
		return -1;
	put_bytes(value, text, len);
	return 0;
}

int index_add_rollback(struct index_writer *w, uint32_t rollback, struct fault *f)
{
	uint8_t *value = rollback ? add_field(w, FIELD_ROLLBACK, 4, f) : NULL;

	if (value)
		put_le32(value, rollback);
	return rollback && !value ? -1 : 0;
}

static int add_volume(struct index_writer *w, const struct payload *p, struct fault *f)
{
	uint32_t name = (uint32_t)strlen(p->volume);
	uint8_t *value = add_field(w, FIELD_VOLUME, IMAGE_VOLUME_SIZE + name, f);

	if (!value)
		return -1;
	put_le64(value, p->volume_size);
	value[8] = (uint8_t)p->volume_type;
	put_bytes(value + IMAGE_VOLUME_SIZE, p->volume, name);
	return 0;
}

int index_open_payload(struct index_writer *w, const struct payload *p, struct fault *f)
{
	uint32_t name = (uint32_t)strlen(p->part);
	uint8_t *value = add_field(w, FIELD_PAYLOAD, IMAGE_PAYLOAD_SIZE + name, f);

	if (!value)
		return -1;
	w->payload_at = (uint32_t)(value - w->bytes);
	put_le32(value + 8, p->chunk_size);
	value[12] = (uint8_t)p->kind;
	value[13] = (uint8_t)p->tail;
	put_bytes(value + IMAGE_PAYLOAD_SIZE, p->part, name);
	if (p->kind == PAYLOAD_UBIVOL && add_volume(w, p, f) < 0)
		return -1;
	if (!add_field(w, FIELD_CHUNKS, 0, f))
		return -1;
	w->table_at = w->used;
	return 0;
}

int index_add_chunk(struct index_writer *w, const uint8_t *raw, uint32_t size,
		    enum chunk_encoding encoding, const uint8_t *stored, uint32_t stored_size,
		    struct fault *f)
{
	uint8_t *line = reserve(w, IMAGE_CHUNK_SIZE, f);

	if (!line)
		return -1;
	put_le32(line, stored_size);
	put_le32(line + 4, stored_size ? (uint32_t)crc32(0, stored, stored_size) : 0);
	line[8] = (uint8_t)encoding;
	(void)crypto_hash_sha256(line + 12, raw, size); /* always 0 */
	w->body_size += stored_size;
	return 0;
}

void index_close_payload(struct index_writer *w, uint64_t size)
{
	put_le64(w->bytes + w->payload_at, size);
	put_le32(w->bytes + w->table_at - 4, w->used - w->table_at);
}

void image_fill_preamble(uint8_t preamble[IMAGE_PREAMBLE_SIZE], const uint8_t *index,
			 uint32_t index_size, uint64_t body_size, const uint8_t *signature,
			 uint32_t signature_size)
{
	fill_identity(preamble);
	put_le16(preamble + 10, IMAGE_PREAMBLE_SIZE);
	put_le32(preamble + 12, index_size);
	put_le32(preamble + 16, signature_size);
	put_le64(preamble + 20, body_size);
	put_le32(preamble + 28, (uint32_t)crc32(0, index, index_size));
	put_le32(preamble + 32, signature_size ? (uint32_t)crc32(0, signature, signature_size) : 0);
	put_le32(preamble + 36, (uint32_t)crc32(0, preamble, 36));
}
