// SPDX-License-Identifier: GPL-2.0-or-later
#include "pack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "index_writer.h"
#include "outfile.h"
#include "payload_spec.h"

struct packer {
	const struct pack_options *o;
	struct index_writer index;
	FILE *body; /* chunks in order; the index that comes before them is known last */
	uint8_t *raw, *packed;
	uLong packed_room;
};

/* Packs one chunk into the body and adds its line to the index. */
static int add_chunk(struct packer *p, uint32_t raw, struct fault *f)
{
	uLongf packed = p->packed_room;
	const uint8_t *from = p->raw;
	uint32_t stored = raw;
	enum chunk_encoding encoding = CHUNK_STORED;

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
	if (fwrite(from, 1, stored, p->body) != stored)
		return fault_errno(f, FAULT_FAILED, "temporary file: cannot write");
	return index_add_chunk(&p->index, p->raw, raw, encoding, from, stored, f);
}

/* Reads the file to its end, chunk by chunk. *size becomes its length in bytes. */
static int add_chunks(struct packer *p, FILE *in, const struct pack_payload *payload,
		      uint64_t *size, struct fault *f)
{
	size_t got;

	for (*size = 0;; *size += got) {
		got = fread(p->raw, 1, payload->to.chunk_size, in);
		if (ferror(in))
			return fault_errno(f, FAULT_FAILED, "%s: cannot read", payload->file);
		if (got == 0)
			return 0;
		if (*size == 0 &&
		    payload_check_start(&payload->to, payload->file, p->raw, got, f) < 0)
			return -1;
		if (add_chunk(p, (uint32_t)got, f) < 0)
			return -1;
		if (p->o->on_progress)
			p->o->on_progress(payload->file, *size + got);
	}
}

static int add_payload(struct packer *p, const struct pack_payload *payload, struct fault *f)
{
	FILE *file = fopen(payload->file, "rbe");
	uint64_t size = 0;
	int result;

	if (!file)
		return fault_errno(f, FAULT_FAILED, "%s: cannot open", payload->file);
	result = index_open_payload(&p->index, &payload->to, f);
	if (result == 0)
		result = add_chunks(p, file, payload, &size, f);
	(void)fclose(file); /* read-only */
	if (result < 0)
		return -1;
	if (size == 0)
		return fault_set(f, FAULT_USAGE, "%s: is empty", payload->file);
	index_close_payload(&p->index, size);
	return 0;
}

static int build(struct packer *p, struct fault *f)
{
	if (index_add_text(&p->index, FIELD_FW_VERSION, p->o->fw_version, f) < 0 ||
	    index_add_rollback(&p->index, p->o->rollback, f) < 0)
		return -1;
	for (unsigned int i = 0; i < p->o->board_count; i++)
		if (index_add_text(&p->index, FIELD_BOARD, p->o->board[i], f) < 0)
			return -1;
	for (unsigned int i = 0; i < p->o->payload_count; i++)
		if (add_payload(p, &p->o->payload[i], f) < 0)
			return -1;
	return 0;
}

/* What is made here must be taken everywhere: the index is read as a stranger's would be. */
static int check_index(const struct packer *p, const char *name, struct fault *f)
{
	uint8_t *copy = malloc(p->index.used);
	struct image img;
	struct fault why;
	int result;

	if (!copy)
		return fault_errno(f, FAULT_FAILED, "no memory");
	memcpy(copy, p->index.bytes, p->index.used);
	result = image_parse_index(&img, copy, p->index.used, name, &why);
	image_free(&img);
	return result < 0 ? fault_set(f, FAULT_USAGE, "%s", why.text) : 0;
}

static int write_image(struct packer *p, const char *name, struct fault *f)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];
	struct outfile out;
	int result = outfile_open(&out, name, f);

	image_fill_preamble(preamble, p->index.bytes, p->index.used, p->index.body_size, NULL, 0);
	rewind(p->body);
	if (result == 0)
		result = outfile_write(&out, preamble, sizeof(preamble), f);
	if (result == 0)
		result = outfile_write(&out, p->index.bytes, p->index.used, f);
	if (result == 0)
		result = outfile_copy(&out, p->body, "temporary file", f);
	return outfile_close(&out, result, f);
}

/* Chunk sizes differ between payloads: room for the largest. */
static int make_room(struct packer *p, struct fault *f)
{
	p->packed_room = compressBound(IMAGE_CHUNK_MAX);
	p->raw = malloc(IMAGE_CHUNK_MAX);
	p->packed = malloc(p->packed_room);
	if (index_writer_init(&p->index) < 0 || !p->raw || !p->packed)
		return fault_errno(f, FAULT_FAILED, "no memory");
	p->body = tmpfile();
	if (!p->body)
		return fault_errno(f, FAULT_FAILED, "cannot make a temporary file");
	return 0;
}

int pack_image(const struct pack_options *o, const char *out, struct fault *f)
{
	struct packer p = { .o = o };
	int result = make_room(&p, f);

	if (result == 0)
		result = build(&p, f);
	if (result == 0)
		result = check_index(&p, out, f);
	if (result == 0)
		result = write_image(&p, out, f);
	if (p.body)
		(void)fclose(p.body); /* gone with its contents, as meant */
	index_writer_free(&p.index);
	free(p.raw);
	free(p.packed);
	return result;
}
