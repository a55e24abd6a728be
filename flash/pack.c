// SPDX-License-Identifier: GPL-2.0-or-later
#include "pack.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "bytes.h"

/* The index while it grows, and what is needed to pack one chunk after the other. */
struct packer {
	const struct pack_options *o;
	uint8_t *index;
	uint32_t used;
	FILE *body; /* chunks in order; the index that comes before them is known last */
	uint64_t body_size;
	uint8_t *raw, *packed;
	uLong packed_room;
};

static uint8_t *reserve(struct packer *p, uint32_t len, struct fault *f)
{
	uint8_t *at = p->index + p->used;

	if (len > IMAGE_INDEX_MAX - p->used) {
		(void)fault_set(f, FAULT_USAGE,
				"the index would exceed %d bytes; take a larger --chunk-size",
				IMAGE_INDEX_MAX);
		return NULL;
	}
	p->used += len;
	return at;
}

static int add_field(struct packer *p, uint16_t number, const void *value, uint32_t len,
		     struct fault *f)
{
	uint8_t *at = reserve(p, IMAGE_FIELD_SIZE + len, f);

	if (!at)
		return -1;
	put_le16(at, number);
	put_le16(at + 2, 0);
	put_le32(at + 4, len);
	if (len)
		memcpy(at + IMAGE_FIELD_SIZE, value, len);
	return 0;
}

static int add_text(struct packer *p, uint16_t number, const char *text, struct fault *f)
{
	return add_field(p, number, text, (uint32_t)strlen(text), f);
}

static int write_all(FILE *to, const void *data, size_t len, const char *name, struct fault *f)
{
	if (fwrite(data, 1, len, to) != len)
		return fault_errno(f, FAULT_FAILED, "%s: cannot write", name);
	return 0;
}

static bool all_ff(const uint8_t *data, size_t len)
{
	return data[0] == 0xff && memcmp(data, data + 1, len - 1) == 0;
}

/* Packs one chunk into the body and adds its line to the index. */
static int add_chunk(struct packer *p, uint32_t raw, struct fault *f)
{
	uint8_t *line = reserve(p, IMAGE_CHUNK_SIZE, f);
	uLongf packed = p->packed_room;
	const uint8_t *from = p->raw;
	uint32_t stored = raw;
	enum chunk_encoding encoding = CHUNK_STORED;

	if (!line)
		return -1;
	if (all_ff(p->raw, raw)) {
		encoding = CHUNK_BLANK;
		stored = 0;
	} else if (compress2(p->packed, &packed, p->raw, raw, p->o->level) != Z_OK) {
		return fault_set(f, FAULT_FAILED, "no memory to compress a chunk");
	} else if (packed < raw) {
		encoding = CHUNK_DEFLATE;
		stored = (uint32_t)packed;
		from = p->packed;
	}
	put_le32(line, stored);
	put_le32(line + 4, (uint32_t)crc32(0, p->raw, raw));
	put_le32(line + 8, encoding);
	p->body_size += stored;
	return write_all(p->body, from, stored, "temporary file", f);
}

/* Reads the file to its end, chunk by chunk. *size becomes its length in bytes. */
static int add_chunks(struct packer *p, FILE *in, const char *file, uint64_t *size, struct fault *f)
{
	size_t got;

	for (*size = 0;; *size += got) {
		got = fread(p->raw, 1, p->o->chunk_size, in);
		if (ferror(in))
			return fault_errno(f, FAULT_FAILED, "%s: cannot read", file);
		if (got == 0)
			return 0;
		if (add_chunk(p, (uint32_t)got, f) < 0)
			return -1;
	}
}

/* A payload's field comes before its chunks but says their size: it is filled in afterwards. */
static int add_payload(struct packer *p, const struct pack_payload *in, struct fault *f)
{
	uint8_t value[IMAGE_PAYLOAD_SIZE + IMAGE_TEXT_MAX];
	size_t name = strlen(in->part);
	uint32_t size_at = p->used + IMAGE_FIELD_SIZE, table;
	uint64_t size;
	FILE *file;
	int result;

	memset(value, 0, sizeof(value));
	put_le32(value + 8, p->o->chunk_size);
	value[12] = PAYLOAD_MTD;
	value[13] = TAIL_ERASE;
	memcpy(value + IMAGE_PAYLOAD_SIZE, in->part, name);
	if (add_field(p, FIELD_PAYLOAD, value, (uint32_t)(IMAGE_PAYLOAD_SIZE + name), f) < 0 ||
	    add_field(p, FIELD_CHUNKS, NULL, 0, f) < 0)
		return -1;
	table = p->used;
	file = fopen(in->file, "rbe");
	if (!file)
		return fault_errno(f, FAULT_FAILED, "%s: cannot open", in->file);
	result = add_chunks(p, file, in->file, &size, f);
	(void)fclose(file); /* read-only */
	if (result == 0 && size == 0)
		return fault_set(f, FAULT_USAGE, "%s: is empty", in->file);
	put_le64(p->index + size_at, size);
	put_le32(p->index + table - 4, p->used - table);
	return result;
}

static int build(struct packer *p, struct fault *f)
{
	if (add_text(p, FIELD_FW_VERSION, p->o->fw_version, f) < 0)
		return -1;
	for (unsigned int i = 0; i < p->o->board_count; i++)
		if (add_text(p, FIELD_BOARD, p->o->board[i], f) < 0)
			return -1;
	for (unsigned int i = 0; i < p->o->payload_count; i++)
		if (add_payload(p, &p->o->payload[i], f) < 0)
			return -1;
	return 0;
}

static void fill_header(const struct packer *p, uint8_t *header)
{
	memcpy(header, IMAGE_MAGIC, IMAGE_MAGIC_SIZE);
	put_le16(header + 8, IMAGE_FORMAT);
	put_le16(header + 10, IMAGE_HEADER_SIZE);
	put_le32(header + 12, p->used);
	put_le64(header + 16, p->body_size);
	put_le32(header + 24, (uint32_t)crc32(0, p->index, p->used));
	put_le32(header + 28, (uint32_t)crc32(0, header, 28));
}

static int copy_body(struct packer *p, FILE *to, const char *name, struct fault *f)
{
	rewind(p->body);
	for (;;) {
		size_t got = fread(p->raw, 1, p->o->chunk_size, p->body);

		if (ferror(p->body))
			return fault_errno(f, FAULT_FAILED, "temporary file: cannot read");
		if (got == 0)
			return 0;
		if (write_all(to, p->raw, got, name, f) < 0)
			return -1;
	}
}

/* Header, index, chunks, on the disk before the name appears. */
static int write_image(struct packer *p, const char *out, struct fault *f)
{
	uint8_t header[IMAGE_HEADER_SIZE];
	char part[PATH_MAX];
	FILE *to;
	int result;

	if (snprintf(part, sizeof(part), "%s.part", out) >= (int)sizeof(part))
		return fault_set(f, FAULT_USAGE, "%s: the name is too long", out);
	to = fopen(part, "wbe");
	if (!to)
		return fault_errno(f, FAULT_FAILED, "%s: cannot create", part);
	fill_header(p, header);
	result = write_all(to, header, sizeof(header), part, f);
	if (result == 0)
		result = write_all(to, p->index, p->used, part, f);
	if (result == 0)
		result = copy_body(p, to, part, f);
	if (result == 0 && (fflush(to) != 0 || fsync(fileno(to)) < 0))
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", part);
	if (fclose(to) != 0 && result == 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", part);
	if (result == 0 && rename(part, out) < 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot rename to %s", part, out);
	if (result < 0)
		(void)unlink(part); /* the first error is the one to report */
	return result;
}

int pack_image(const struct pack_options *o, const char *out, struct fault *f)
{
	struct packer p = { .o = o, .packed_room = compressBound(o->chunk_size) };
	int result;

	p.index = malloc(IMAGE_INDEX_MAX);
	p.raw = malloc(o->chunk_size);
	p.packed = malloc(p.packed_room);
	p.body = tmpfile();
	if (!p.body)
		result = fault_errno(f, FAULT_FAILED, "cannot make a temporary file");
	else if (!p.index || !p.raw || !p.packed)
		result = fault_errno(f, FAULT_FAILED, "no memory");
	else
		result = build(&p, f);
	if (result == 0)
		result = write_image(&p, out, f);
	if (p.body)
		(void)fclose(p.body); /* gone with its contents, as meant */
	free(p.index);
	free(p.raw);
	free(p.packed);
	return result;
}
