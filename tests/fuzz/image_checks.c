// SPDX-License-Identifier: GPL-2.0-or-later
#include "image_checks.h"

#include <string.h>

#include "bytes.h"
#include "fuzz.h"

static void check_name(const char *name)
{
	require(is_text(name, IMAGE_TEXT_MAX));
	require(!strchr(name, '/'));
	require(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

static uint64_t check_chunks(const struct payload *p)
{
	uint64_t raw = 0, stored = 0;

	for (uint32_t n = 0; n < p->chunk_count; n++) {
		struct chunk c = payload_chunk(p, n);

		require(c.raw >= 1 && c.raw <= p->chunk_size);
		require(c.raw == p->chunk_size || n == p->chunk_count - 1);
		if (c.encoding == CHUNK_STORED)
			require(c.stored == c.raw);
		else if (c.encoding == CHUNK_DEFLATE)
			require(c.stored >= 1 && c.stored < c.raw);
		else
			require(c.encoding == CHUNK_BLANK && c.stored == 0);
		require(c.sha256 == p->table + (size_t)n * IMAGE_CHUNK_SIZE + 12);
		raw += c.raw;
		stored += c.stored;
	}
	require(raw == p->size);
	return stored;
}

static void check_payload(const struct payload *p)
{
	check_name(p->part);
	require(p->kind >= PAYLOAD_MTD && p->kind <= PAYLOAD_BLOCK);
	if (p->kind == PAYLOAD_MTD)
		require(p->tail >= TAIL_ERASE && p->tail <= TAIL_JFFS2);
	else
		require(p->tail == TAIL_NONE);
	require(p->size >= 1);
	require(p->chunk_size >= IMAGE_CHUNK_MIN && p->chunk_size <= IMAGE_CHUNK_MAX);
	if (p->kind != PAYLOAD_UBIVOL) {
		require(!p->volume[0] && !p->volume_size);
		return;
	}
	check_name(p->volume);
	require(p->volume_type == VOLUME_DYNAMIC || p->volume_type == VOLUME_STATIC);
	require(!p->volume_size || p->volume_size >= p->size);
}

/* One place is written once. */
static void check_places(const struct image *img)
{
	for (unsigned int i = 0; i < img->payload_count; i++) {
		for (unsigned int k = 0; k < i; k++) {
			const struct payload *a = &img->payload[i], *b = &img->payload[k];

			if (strcmp(a->part, b->part) != 0)
				continue;
			require(a->kind == PAYLOAD_UBIVOL && b->kind == PAYLOAD_UBIVOL);
			require(strcmp(a->volume, b->volume) != 0);
		}
	}
}

/* Walks the fields once more, to see that none is left out, and none there that is not known. */
static void check_fields(const struct image *img)
{
	unsigned int boards = 0, payloads = 0, tables = 0, volumes = 0, ubivols = 0, versions = 0;
	uint32_t at, len;

	for (at = 0; at < img->index_size; at += IMAGE_FIELD_SIZE + len) {
		const uint8_t *field = img->index + at;
		uint16_t number = get_le16(field);

		len = get_le32(field + 4);
		require(get_le16(field + 2) == 0);
		require((number == FIELD_IDENTITY) == (at == 0));
		require(number <= FIELD_VOLUME);
		boards += number == FIELD_BOARD;
		versions += number == FIELD_FW_VERSION;
		payloads += number == FIELD_PAYLOAD;
		volumes += number == FIELD_VOLUME;
		if (number == FIELD_CHUNKS) {
			require(img->payload[tables].table == field + IMAGE_FIELD_SIZE);
			require((uint64_t)img->payload[tables].chunk_count * IMAGE_CHUNK_SIZE ==
				len);
			tables++;
		}
	}
	require(at == img->index_size);
	for (unsigned int i = 0; i < img->payload_count; i++)
		ubivols += img->payload[i].kind == PAYLOAD_UBIVOL;
	require(boards == img->board_count);
	require(versions == 1);
	require(payloads == img->payload_count && tables == payloads);
	require(volumes == ubivols);
}

void check_image(const struct image *img)
{
	uint64_t raw = 0, stored = 0;

	require(is_text(img->fw_version, IMAGE_TEXT_MAX));
	require(img->index_size >= 1 && img->index_size <= IMAGE_INDEX_MAX);
	require(img->signature_size <= IMAGE_SIGNATURE_MAX);
	require(img->board_count <= IMAGE_BOARDS_MAX);
	for (unsigned int i = 0; i < img->board_count; i++) {
		require(is_text(img->board[i], IMAGE_TEXT_MAX));
		for (unsigned int k = 0; k < i; k++)
			require(strcmp(img->board[i], img->board[k]) != 0);
	}
	require(img->payload_count >= 1 && img->payload_count <= IMAGE_PAYLOADS_MAX);
	for (unsigned int i = 0; i < img->payload_count; i++) {
		check_payload(&img->payload[i]);
		stored += check_chunks(&img->payload[i]);
		raw += img->payload[i].size;
	}
	check_places(img);
	check_fields(img);
	require(img->body_size == stored);
	require(image_payload_bytes(img) == raw);
	require(image_file_size(img) ==
		IMAGE_PREAMBLE_SIZE + img->index_size + img->signature_size + stored);
}
