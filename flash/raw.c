// SPDX-License-Identifier: GPL-2.0-or-later
#include "raw.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium/crypto_hash_sha256.h>

#include "bytes.h"
#include "contents.h"
#include "index_writer.h"
#include "payload_spec.h"

enum { SHA256_DIGITS = 64, CRC_DIGITS = 8 };

/* Of a character that isxdigit(). */
static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	return (unsigned int)(tolower((unsigned char)c) - 'a' + 10);
}

int raw_take_checksum(struct raw_input *in, const char *hex, struct fault *f)
{
	size_t len = strspn(hex, "0123456789abcdefABCDEF");
	uint8_t bytes[IMAGE_SHA256_SIZE];

	if ((len != SHA256_DIGITS && len != CRC_DIGITS) ||
	    (hex[len] && !isspace((unsigned char)hex[len])))
		return fault_set(
			f, FAULT_USAGE,
			"%s: its checksum should be 64 (SHA-256) or 8 (CRC-32) hexadecimal "
			"digits",
			in->file);
	for (size_t i = 0; i < len / 2; i++)
		bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	in->checks |= len == SHA256_DIGITS ? RAW_SHA256 : RAW_CRC32;
	if (len == SHA256_DIGITS)
		memcpy(in->sha256, bytes, sizeof(in->sha256));
	else
		in->crc = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			  (uint32_t)bytes[2] << 8 | bytes[3];
	return 0;
}

/* To open a pipe would wait for whoever writes to it. */
static int open_twice(struct source *src, const char *file, struct fault *f)
{
	struct stat st;
	bool pipe = strcmp(file, "-") != 0 && stat(file, &st) == 0 && S_ISFIFO(st.st_mode);

	*src = (struct source){ .fd = -1 };
	if (!pipe && source_open(src, file, f) < 0)
		return -1;
	if (!pipe && src->seekable)
		return 0;
	source_close(src);
	return fault_set(f, FAULT_IMAGE,
			 "%s: cannot be read twice; save it to a file (in /tmp, say) first", file);
}

int raw_take_sidecar(struct raw_input *in, struct fault *f)
{
	struct raw_input beside = { .file = in->file };
	char path[512], text[SHA256_DIGITS + 2] = "";
	struct source src;
	size_t got;
	int result;

	if (snprintf(path, sizeof(path), "%s.sha256", in->file) >= (int)sizeof(path))
		return fault_set(f, FAULT_USAGE, "%s: the name is too long", in->file);
	if (open_twice(&src, path, f) < 0)
		return f->err == ENOENT ? 0 : -1;
	result = source_read_some(&src, text, sizeof(text) - 1, &got, f);
	source_close(&src);
	if (result < 0)
		return -1;
	text[got] = '\0';
	if (raw_take_checksum(&beside, text, f) < 0 || beside.checks != RAW_SHA256)
		return fault_set(f, FAULT_IMAGE, "%s: does not start with a SHA-256 in hexadecimal",
				 path);
	if ((in->checks & RAW_SHA256) && memcmp(in->sha256, beside.sha256, sizeof(in->sha256)) != 0)
		return fault_set(f, FAULT_IMAGE, "%s: is not the SHA-256 that was given", path);
	memcpy(in->sha256, beside.sha256, sizeof(in->sha256));
	in->checks |= RAW_SHA256;
	return 0;
}

static bool is_gzip(const char *file)
{
	size_t len = strlen(file);

	return len > 3 && strcmp(file + len - 3, ".gz") == 0;
}

/* Reads to the end of the file, so that its checksums are complete. */
static int check_file(struct contents *c, const struct raw_input *in, struct fault *f)
{
	uint8_t sha256[IMAGE_SHA256_SIZE];
	const char *wrong = NULL;

	(void)crypto_hash_sha256_final(&c->sha256, sha256); /* always 0 */
	if ((in->checks & RAW_CRC32) && c->crc != in->crc)
		wrong = "CRC-32";
	if ((in->checks & RAW_SHA256) && memcmp(sha256, in->sha256, sizeof(sha256)) != 0)
		wrong = "SHA-256";
	if (!wrong)
		return 0;
	return fault_set(f, FAULT_IMAGE, "%s: damaged: its %s is not the expected one", in->file,
			 wrong);
}

struct scan {
	struct index_writer index;
	struct seals *seals;
	uint32_t chunks; /* of all inputs so far */
	uint8_t *chunk;
	uint64_t done, total;
	void (*on_progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

/* Adds a chunk to the index, and seals it. */
static int scan_chunk(struct scan *s, uint32_t size, struct fault *f)
{
	bool blank = all_ff(s->chunk, size);
	uint32_t stored = blank ? 0 : size;
	struct seal seal;

	if (index_add_chunk(&s->index, s->chunk, size, blank ? CHUNK_BLANK : CHUNK_STORED, s->chunk,
			    stored, f) < 0)
		return -1;
	seal_begin(&seal, s->seals);
	seal_go_on(&seal, s->chunk, stored);
	s->seals->seal[s->chunks++] = seal_end(&seal);
	return 0;
}

/* Adds the contents' chunks to the index. */
static int scan_chunks(struct scan *s, struct contents *c, const struct raw_input *in,
		       uint64_t *size, struct fault *f)
{
	uint64_t before = s->done;
	size_t got;

	for (*size = 0;; *size += got) {
		if (contents_read(c, s->chunk, in->to.chunk_size, &got, f) < 0)
			return -1;
		if (got == 0)
			return 0;
		if (*size == 0 && payload_check_start(&in->to, in->file, s->chunk, got, f) < 0)
			return -1;
		if (scan_chunk(s, (uint32_t)got, f) < 0)
			return -1;
		s->done = before + c->src->pos;
		if (s->on_progress)
			s->on_progress(s->ctx, s->done, s->total);
	}
}

static int scan_input(struct scan *s, struct source *src, const struct raw_input *in,
		      struct fault *f)
{
	struct contents c;
	uint64_t size = 0;
	int result;

	if (contents_open(&c, src, is_gzip(in->file), f) < 0)
		return -1;
	c.sums = in->checks;
	result = index_open_payload(&s->index, &in->to, f);
	if (result == 0)
		result = scan_chunks(s, &c, in, &size, f);
	if (result == 0)
		result = check_file(&c, in, f);
	contents_close(&c);
	if (result < 0)
		return -1;
	if (size == 0)
		return fault_set(f, FAULT_IMAGE, "%s: is empty", in->file);
	index_close_payload(&s->index, size);
	return 0;
}

static uint32_t largest_chunk(const struct raw_image *r)
{
	uint32_t largest = 1;

	for (unsigned int i = 0; i < r->count; i++)
		if (r->input[i].to.chunk_size > largest)
			largest = r->input[i].to.chunk_size;
	return largest;
}

static int scan_all(struct raw_image *r, struct scan *s, struct fault *f)
{
	struct stat st;

	s->chunk = malloc(largest_chunk(r));
	s->seals = seals_new(IMAGE_INDEX_MAX / IMAGE_CHUNK_SIZE);
	if (index_writer_init(&s->index) < 0 || !s->chunk || !s->seals)
		return fault_errno(f, FAULT_UNFIT, "no memory to read the image");
	if (index_add_text(&s->index, FIELD_FW_VERSION, RAW_VERSION, f) < 0)
		return -1;
	for (unsigned int i = 0; i < r->count; i++) {
		if (open_twice(&r->source[i], r->input[i].file, f) < 0)
			return -1;
		if (fstat(r->source[i].fd, &st) < 0)
			return fault_errno(f, FAULT_IMAGE, "%s", r->input[i].file);
		s->total += (uint64_t)st.st_size;
	}
	for (unsigned int i = 0; i < r->count; i++)
		if (scan_input(s, &r->source[i], &r->input[i], f) < 0)
			return -1;
	return 0;
}

/* The index is checked as a stranger's would be: names and limits come from a command line. */
static int take_index(struct raw_image *r, struct scan *s, struct fault *f)
{
	uint8_t *index = realloc(s->index.bytes, s->index.used);

	if (!index)
		return fault_errno(f, FAULT_UNFIT, "no memory for the index");
	s->index.bytes = NULL;
	if (image_parse_index(&r->image, index, s->index.used, "the raw image", f) < 0)
		return -1;
	memcpy(r->image.seals, s->seals, seals_size(r->image.chunk_count));
	return 0;
}

int raw_open(struct raw_image *r, const struct raw_input *input, unsigned int count,
	     void (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
	     struct fault *f)
{
	struct scan s = { .on_progress = on_progress, .ctx = ctx };
	int result;

	memset(r, 0, sizeof(*r));
	r->input = input;
	r->count = count;
	for (unsigned int i = 0; i < IMAGE_PAYLOADS_MAX; i++)
		r->source[i].fd = -1;
	result = scan_all(r, &s, f);
	if (result == 0)
		result = take_index(r, &s, f);
	index_writer_free(&s.index);
	free(s.chunk);
	free(s.seals);
	return result;
}

static int write_all(int fd, const void *data, size_t len, struct fault *f)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_errno(f, FAULT_FAILED, "cannot write the copy of the image");
		data = (const uint8_t *)data + n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Whether it is what it was at the first reading, as far as its CRC-32 tells: damage, and a file that
 * somebody has written to. What was made to look the same is seen by whoever reads the chunks, by
 * their seals.
 */
static bool same_chunk(const struct chunk *c, const uint8_t *data, size_t len)
{
	if (len != c->raw)
		return false;
	if (c->encoding == CHUNK_BLANK)
		return all_ff(data, len);
	return (uint32_t)crc32(0, data, (uInt)len) == c->crc;
}

static int write_chunks(struct contents *from, const struct payload *p, int fd, uint8_t *data,
			int (*keep_going)(void), struct fault *f)
{
	size_t got;

	for (uint32_t n = 0; n < p->chunk_count; n++) {
		struct chunk c = payload_chunk(p, n);

		if (contents_read(from, data, c.raw, &got, f) < 0)
			return -1;
		if (!same_chunk(&c, data, got))
			return fault_set(f, FAULT_IMAGE,
					 "%s: was not the same when read again, in the %" PRIu32
					 " bytes from %" PRIu64 " on",
					 from->src->name, c.raw, (uint64_t)n * p->chunk_size);
		if (c.stored && write_all(fd, data, c.raw, f) < 0)
			return -1;
		if (keep_going && !keep_going())
			return fault_set(f, FAULT_FAILED, "interrupted");
	}
	if (contents_read(from, data, 1, &got, f) < 0)
		return -1;
	if (got)
		return fault_set(f, FAULT_IMAGE, "%s: has grown since it was checked",
				 from->src->name);
	return 0;
}

static int write_payload(struct raw_image *r, unsigned int i, int fd, int (*keep_going)(void),
			 struct fault *f)
{
	uint8_t *data = malloc(r->image.payload[i].chunk_size);
	struct contents c;
	int result;

	if (!data)
		return fault_errno(f, FAULT_UNFIT, "no memory to copy the image");
	result = contents_open(&c, &r->source[i], is_gzip(r->input[i].file), f);
	if (result == 0) {
		c.sums = 0;
		result = write_chunks(&c, &r->image.payload[i], fd, data, keep_going, f);
		contents_close(&c);
	}
	free(data);
	return result;
}

int raw_write_chunks(struct raw_image *r, int fd, int (*keep_going)(void), struct fault *f)
{
	for (unsigned int i = 0; i < r->count; i++)
		if (write_payload(r, i, fd, keep_going, f) < 0)
			return -1;
	return 0;
}

int raw_write(struct raw_image *r, int fd, int (*keep_going)(void), struct fault *f)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];

	image_fill_preamble(preamble, r->image.index, r->image.index_size, r->image.body_size, NULL,
			    0);
	if (write_all(fd, preamble, sizeof(preamble), f) < 0 ||
	    write_all(fd, r->image.index, r->image.index_size, f) < 0)
		return -1;
	return raw_write_chunks(r, fd, keep_going, f);
}

void raw_close(struct raw_image *r)
{
	image_free(&r->image);
	for (unsigned int i = 0; i < IMAGE_PAYLOADS_MAX; i++)
		source_close(&r->source[i]);
}
