// SPDX-License-Identifier: GPL-2.0-or-later
#include "images.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

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
		.chunk_size = chunk_size,
		.level = 6,
	};
	struct fault f;

	for (unsigned int i = 0; i < count; i++) {
		o.payload[i].part = in[i].part;
		o.payload[i].file = temp_path("payload.%u", i);
		write_file(o.payload[i].file, in[i].data, in[i].len);
	}
	if (pack_image(&o, path, &f) < 0)
		fail_msg("%s", f.text);
}

void raw_start(struct raw_image *r)
{
	memset(r, 0, sizeof(*r));
}

void raw_field(struct raw_image *r, uint16_t number, const void *value, uint32_t len)
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

void raw_text(struct raw_image *r, uint16_t number, const char *text)
{
	raw_field(r, number, text, (uint32_t)strlen(text));
}

void raw_payload(struct raw_image *r, const char *part, uint64_t size, uint32_t chunk_size)
{
	uint8_t value[IMAGE_PAYLOAD_SIZE + 256] = { 0 };
	size_t len = strlen(part);

	put_le64(value, size);
	put_le32(value + 8, chunk_size);
	value[12] = PAYLOAD_MTD;
	value[13] = TAIL_ERASE;
	memcpy(value + IMAGE_PAYLOAD_SIZE, part, len);
	raw_field(r, FIELD_PAYLOAD, value, (uint32_t)(IMAGE_PAYLOAD_SIZE + len));
}

void raw_line(uint8_t *line, uint32_t stored, uint32_t crc, uint8_t encoding)
{
	put_le32(line, stored);
	put_le32(line + 4, crc);
	put_le32(line + 8, encoding);
}

void raw_stored(struct raw_image *r, const char *part, const uint8_t *data, uint32_t len)
{
	uint8_t line[IMAGE_CHUNK_SIZE];

	assert_true(r->body_used + len <= sizeof(r->body));
	raw_payload(r, part, len, len < IMAGE_CHUNK_MIN ? IMAGE_CHUNK_MIN : len);
	raw_line(line, len, (uint32_t)crc32(0, data, len), CHUNK_STORED);
	raw_field(r, FIELD_CHUNKS, line, sizeof(line));
	memcpy(r->body + r->body_used, data, len);
	r->body_used += len;
	r->body_said = r->body_used;
}

void raw_good(struct raw_image *r)
{
	uint8_t data[5000];

	fill_random(data, sizeof(data), 7);
	raw_start(r);
	raw_text(r, FIELD_FW_VERSION, "1.0");
	raw_stored(r, "rootfs", data, sizeof(data));
}

void raw_seal(uint8_t *header)
{
	put_le32(header + 28, (uint32_t)crc32(0, header, 28));
}

void raw_header(const struct raw_image *r, uint8_t *header)
{
	memcpy(header, IMAGE_MAGIC, IMAGE_MAGIC_SIZE);
	put_le16(header + 8, IMAGE_FORMAT);
	put_le16(header + 10, IMAGE_HEADER_SIZE);
	put_le32(header + 12, r->used);
	put_le64(header + 16, r->body_said);
	put_le32(header + 24, (uint32_t)crc32(0, r->index, r->used));
	raw_seal(header);
}

void raw_write_with(const struct raw_image *r, const uint8_t *header, const char *path)
{
	size_t len = IMAGE_HEADER_SIZE + r->used + r->body_used;
	uint8_t *all = malloc(len);

	assert_non_null(all);
	memcpy(all, header, IMAGE_HEADER_SIZE);
	memcpy(all + IMAGE_HEADER_SIZE, r->index, r->used);
	memcpy(all + IMAGE_HEADER_SIZE + r->used, r->body, r->body_used);
	write_file(path, all, len);
	free(all);
}

void raw_write(const struct raw_image *r, const char *path)
{
	uint8_t header[IMAGE_HEADER_SIZE];

	raw_header(r, header);
	raw_write_with(r, header, path);
}
