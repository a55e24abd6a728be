// SPDX-License-Identifier: GPL-2.0-or-later
#include "chunks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_hash_sha256.h>

static int no_memory(const struct payload *p, struct fault *f)
{
	errno = ENOMEM;
	return fault_errno(f, FAULT_UNFIT, "%s: no memory to unpack chunks of %" PRIu32 " bytes",
			   p->part, p->chunk_size);
}

int chunk_reader_init(struct chunk_reader *r, uint32_t chunk_size)
{
	memset(r, 0, sizeof(*r));
	r->raw = malloc(chunk_size);
	r->packed = malloc(SEAL_PIECE);
	if (r->raw && r->packed && inflateInit(&r->z) == Z_OK)
		return 0;
	free(r->raw);
	free(r->packed);
	memset(r, 0, sizeof(*r));
	errno = ENOMEM;
	return -1;
}

void chunk_reader_start(struct chunk_reader *r, struct source *src, const struct payload *p)
{
	r->src = src;
	r->payload = p;
	r->next = 0;
	r->have = r->taken = 0;
	memset(&r->blank, 0, sizeof(r->blank));
}

int chunk_reader_open(struct chunk_reader *r, struct source *src, const struct payload *p,
		      struct fault *f)
{
	if (chunk_reader_init(r, p->chunk_size) < 0)
		return no_memory(p, f);
	chunk_reader_start(r, src, p);
	return 0;
}

static int damaged(const struct chunk_reader *r, const char *how, struct fault *f)
{
	return fault_set(f, FAULT_IMAGE, "%s: damaged: %s chunk %" PRIu32 " of %" PRIu32 " %s",
			 r->src->name, r->payload->part, r->next, r->payload->chunk_count, how);
}

/* What is reckoned of a chunk's bytes in the file as they come in. */
struct sums {
	bool sealed; /* it has passed before: its seal will do */
	uint32_t crc;
	struct seal seal;
};

static void sum_up(struct sums *s, const uint8_t *bytes, uint32_t len)
{
	if (!s->sealed)
		s->crc = (uint32_t)crc32(s->crc, bytes, len);
	seal_go_on(&s->seal, bytes, len);
}

/* Inflates a chunk as its packed bytes come in; it must fill raw and its bytes exactly. */
static int inflate_chunk(struct chunk_reader *r, const struct chunk *c, struct sums *s,
			 struct fault *f)
{
	uint32_t left = c->stored;
	int status = Z_OK;

	if (inflateReset(&r->z) != Z_OK)
		return damaged(r, "cannot be unpacked", f);
	r->z.next_out = r->raw;
	r->z.avail_out = c->raw;
	while (left > 0) {
		uint32_t piece = left < SEAL_PIECE ? left : SEAL_PIECE;

		if (source_read(r->src, r->packed, piece, f) < 0)
			return -1;
		left -= piece;
		sum_up(s, r->packed, piece);
		r->z.next_in = r->packed;
		r->z.avail_in = piece;
		status = inflate(&r->z, Z_NO_FLUSH);
		if (status == Z_STREAM_END)
			break;
		if (status == Z_MEM_ERROR) /* zlib's window comes when it is first needed */
			return no_memory(r->payload, f);
		if (status != Z_OK)
			return damaged(r, "cannot be unpacked", f);
	}
	if (status != Z_STREAM_END || left || r->z.avail_in || r->z.avail_out)
		return damaged(r, "does not unpack to its size", f);
	return 0;
}

/*
 * Blank chunks are all the same. An image of 1 MiB can describe 23 GiB of them: what passed once
 * need not be reckoned again.
 */
static bool same_blank(const struct chunk *a, const struct chunk *b)
{
	return a->encoding == CHUNK_BLANK && b->sha256 && a->raw == b->raw &&
	       memcmp(a->sha256, b->sha256, IMAGE_SHA256_SIZE) == 0;
}

static bool checks_out(const struct chunk_reader *r, const struct chunk *c, uint32_t crc)
{
	uint8_t sha256[IMAGE_SHA256_SIZE];

	if (crc != c->crc)
		return false;
	if (same_blank(c, &r->blank))
		return true;
	(void)crypto_hash_sha256(sha256, r->raw, c->raw); /* always 0 */
	return memcmp(sha256, c->sha256, sizeof(sha256)) == 0;
}

/* Brings the chunk into r->raw; packed as it is if unpack is false. */
static int load(struct chunk_reader *r, const struct chunk *c, bool unpack, struct sums *s,
		struct fault *f)
{
	if (c->encoding == CHUNK_DEFLATE && unpack)
		return inflate_chunk(r, c, s, f);
	if (c->encoding == CHUNK_BLANK)
		memset(r->raw, 0xff, c->raw);
	if (source_read(r->src, r->raw, c->stored, f) < 0)
		return -1;
	sum_up(s, r->raw, c->stored);
	return 0;
}

/*
 * Loads, checks and seals the next chunk. Whoever finds a seal knows that the same bytes have passed: all that
 * is asked of them is that they are still the same.
 */
static int check_next(struct chunk_reader *r, const struct chunk *c, bool unpack, struct fault *f)
{
	const struct payload *p = r->payload;
	uint64_t *seal = &p->seals->seal[p->first_chunk + r->next], now;
	struct sums s = { .sealed = *seal != 0 };

	r->have = 0;
	r->taken = 0;
	seal_begin(&s.seal, p->seals);
	if (load(r, c, unpack || !s.sealed, &s, f) < 0)
		return -1;
	now = seal_end(&s.seal);
	if (s.sealed && now != *seal)
		return damaged(r, "is not what it was when it was checked", f);
	if (!s.sealed && !checks_out(r, c, s.crc))
		return damaged(r, "fails its checksum", f);
	*seal = now;
	if (c->encoding == CHUNK_BLANK)
		r->blank = *c;
	r->next++;
	return 0;
}

int chunk_reader_next(struct chunk_reader *r, struct fault *f)
{
	struct chunk c = payload_chunk(r->payload, r->next);

	if (check_next(r, &c, true, f) < 0)
		return -1;
	r->have = c.raw;
	return 0;
}

int chunk_reader_check(struct chunk_reader *r, uint32_t *bytes, struct fault *f)
{
	struct chunk c = payload_chunk(r->payload, r->next);

	*bytes = c.raw;
	return check_next(r, &c, false, f);
}

int chunk_reader_read(struct chunk_reader *r, void *buf, size_t len, size_t *got, struct fault *f)
{
	*got = 0;
	while (*got < len) {
		size_t n = r->have - r->taken;

		if (n == 0) {
			if (r->next == r->payload->chunk_count)
				return 0;
			if (chunk_reader_next(r, f) < 0)
				return -1;
			continue;
		}
		if (n > len - *got)
			n = len - *got;
		memcpy((uint8_t *)buf + *got, r->raw + r->taken, n);
		r->taken += (uint32_t)n;
		*got += n;
	}
	return 0;
}

void chunk_reader_close(struct chunk_reader *r)
{
	free(r->raw);
	free(r->packed);
	(void)inflateEnd(&r->z); /* only frees */
	memset(r, 0, sizeof(*r));
}
