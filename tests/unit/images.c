// SPDX-License-Identifier: GPL-2.0-or-later
#include "images.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <sodium/crypto_hash_sha256.h>

#include "bytes.h"
#include "helpers.h"
#include "image.h"
#include "pack.h"

void make_image(const char *path, const struct image_input *in, unsigned int count,
		uint32_t chunk_size)
{
	struct pack_options o = {
		.fw_version = "2.0",
		.board = { "testboard" },
		.board_count = 1,
		.payload_count = count,
		.level = 6,
	};
	struct fault f;

	for (unsigned int i = 0; i < count; i++) {
		struct payload *to = &o.payload[i].to;
		bool ubi = in[i].len > 4 && memcmp(in[i].data, "UBI#", 4) == 0;

		*to = (struct payload){
			.kind = ubi ? PAYLOAD_UBI : PAYLOAD_MTD,
			.tail = ubi ? TAIL_NONE : TAIL_ERASE,
			.chunk_size = chunk_size,
		};
		assert_true(strlen(in[i].part) < sizeof(to->part));
		(void)strcpy(to->part, in[i].part);
		o.payload[i].file = temp_path("payload.%u", i);
		write_file(o.payload[i].file, in[i].data, in[i].len);
	}
	if (pack_image(&o, path, &f) < 0)
		fail_msg("%s", f.text);
}

void forge_nothing(struct forged_image *r)
{
	memset(r, 0, sizeof(*r));
}

void forge_start(struct forged_image *r)
{
	uint8_t identity[IMAGE_IDENTITY_SIZE];

	forge_nothing(r);
	memcpy(identity, IMAGE_MAGIC, IMAGE_MAGIC_SIZE);
	put_le16(identity + IMAGE_MAGIC_SIZE, IMAGE_FORMAT);
	forge_field(r, FIELD_IDENTITY, identity, sizeof(identity));
}

void forge_field(struct forged_image *r, uint16_t number, const void *value, uint32_t len)
{
	uint8_t *at = r->index + r->used;

	assert_true(r->used + IMAGE_FIELD_SIZE + len <= sizeof(r->index));
	put_le16(at, number);
	put_le16(at + 2, 0);
	put_le32(at + 4, len);
	if (len)
		memcpy(at + IMAGE_FIELD_SIZE, value, len);
	r->used += IMAGE_FIELD_SIZE + len;
}

void forge_text(struct forged_image *r, uint16_t number, const char *text)
{
	forge_field(r, number, text, (uint32_t)strlen(text));
}

void forge_payload(struct forged_image *r, const char *part, uint64_t size, uint32_t chunk_size)
{
	uint8_t value[IMAGE_PAYLOAD_SIZE + 256] = { 0 };
	size_t len = strlen(part);

	put_le64(value, size);
	put_le32(value + 8, chunk_size);
	value[12] = PAYLOAD_MTD;
	value[13] = TAIL_ERASE;
	memcpy(value + IMAGE_PAYLOAD_SIZE, part, len);
	forge_field(r, FIELD_PAYLOAD, value, (uint32_t)(IMAGE_PAYLOAD_SIZE + len));
}

void forge_line(uint8_t *line, const void *stored, uint32_t stored_len, uint8_t encoding,
		const void *contents, size_t len)
{
	put_le32(line, stored_len);
	put_le32(line + 4, stored_len ? (uint32_t)crc32(0, stored, stored_len) : 0);
	put_le32(line + 8, encoding);
	(void)crypto_hash_sha256(line + 12, contents, len); /* always 0 */
}

void forge_stored(struct forged_image *r, const char *part, const uint8_t *data, uint32_t len)
{
	uint8_t line[IMAGE_CHUNK_SIZE];

	assert_true(r->body_used + len <= sizeof(r->body));
	memcpy(r->body + r->body_used, data, len);
	forge_line(line, r->body + r->body_used, len, CHUNK_STORED, r->body + r->body_used, len);
	forge_payload(r, part, len, len < IMAGE_CHUNK_MIN ? IMAGE_CHUNK_MIN : len);
	forge_field(r, FIELD_CHUNKS, line, sizeof(line));
	r->body_used += len;
	r->body_said = r->body_used;
}

void forge_good(struct forged_image *r)
{
	uint8_t data[5000];

	fill_random(data, sizeof(data), 7);
	forge_start(r);
	forge_text(r, FIELD_FW_VERSION, "1.0");
	forge_stored(r, "rootfs", data, sizeof(data));
}

void forge_seal(uint8_t *preamble)
{
	put_le32(preamble + 36, (uint32_t)crc32(0, preamble, 36));
}

static uint32_t signature_size(const struct forged_image *r)
{
	return r->signature ? (uint32_t)strlen(r->signature) : 0;
}

void forge_preamble(const struct forged_image *r, uint8_t *preamble)
{
	uint32_t signature = signature_size(r);

	memcpy(preamble, IMAGE_MAGIC, IMAGE_MAGIC_SIZE);
	put_le16(preamble + 8, IMAGE_FORMAT);
	put_le16(preamble + 10, IMAGE_PREAMBLE_SIZE);
	put_le32(preamble + 12, r->used);
	put_le32(preamble + 16, signature);
	put_le64(preamble + 20, r->body_said);
	put_le32(preamble + 28, (uint32_t)crc32(0, r->index, r->used));
	put_le32(preamble + 32,
		 signature ? (uint32_t)crc32(0, (const uint8_t *)r->signature, signature) : 0);
	forge_seal(preamble);
}

void forge_write_with(const struct forged_image *r, const uint8_t *preamble, const char *path)
{
	uint32_t signature = signature_size(r);
	size_t len = IMAGE_PREAMBLE_SIZE + r->used + signature + r->body_used;
	uint8_t *all = malloc(len), *at = all;

	assert_non_null(all);
	memcpy(at, preamble, IMAGE_PREAMBLE_SIZE);
	memcpy(at += IMAGE_PREAMBLE_SIZE, r->index, r->used);
	at += r->used;
	if (signature)
		memcpy(at, r->signature, signature);
	memcpy(at + signature, r->body, r->body_used);
	write_file(path, all, len);
	free(all);
}

void forge_write(const struct forged_image *r, const char *path)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];

	forge_preamble(r, preamble);
	forge_write_with(r, preamble, path);
}
