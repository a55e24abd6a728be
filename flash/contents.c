// SPDX-License-Identifier: GPL-2.0-or-later
#include "contents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

enum {
	PACKED_SIZE = 16384,
	GZIP_ONLY = 16 + 15, /* inflateInit2(): a gzip header, the largest window */
};

static int no_memory(const struct contents *c, struct fault *f)
{
	errno = ENOMEM;
	return fault_errno(f, FAULT_UNFIT, "%s: no memory to unpack it", c->src->name);
}

int contents_open(struct contents *c, struct source *src, bool gzip, struct fault *f)
{
	memset(c, 0, sizeof(*c));
	c->src = src;
	c->gzip = gzip;
	c->sums = RAW_SHA256 | RAW_CRC32;
	(void)crypto_hash_sha256_init(&c->sha256); /* always 0 */
	if (source_rewind(src, f) < 0)
		return -1;
	if (!gzip)
		return 0;
	c->packed = malloc(PACKED_SIZE);
	if (c->packed && inflateInit2(&c->z, GZIP_ONLY) == Z_OK)
		return 0;
	free(c->packed);
	c->packed = NULL;
	return no_memory(c, f);
}

/* Reads from the file, and keeps count of its checksums. */
static int read_file(struct contents *c, uint8_t *buf, size_t len, size_t *got, struct fault *f)
{
	if (source_read_some(c->src, buf, len, got, f) < 0)
		return -1;
	if (c->sums & RAW_CRC32)
		c->crc = (uint32_t)crc32(c->crc, buf, (uInt)*got);
	if (c->sums & RAW_SHA256)
		(void)crypto_hash_sha256_update(&c->sha256, buf, *got); /* always 0 */
	return 0;
}

static int bad_gzip(const struct contents *c, const char *how, struct fault *f)
{
	return fault_set(f, FAULT_IMAGE, "%s: %s", c->src->name, how);
}

/* Reads more of the packed file. Where it ends, so must what is packed. */
static int refill(struct contents *c, struct fault *f)
{
	size_t got;

	if (read_file(c, c->packed, PACKED_SIZE, &got, f) < 0)
		return -1;
	if (got == 0 && !c->ended)
		return bad_gzip(c, "cut short: the gzip data do not end", f);
	c->z.next_in = c->packed;
	c->z.avail_in = (uInt)got;
	return 0;
}

/* Behind the end there may be another member, which gzip would unpack, too, but nothing else. */
static int next_member(struct contents *c, struct fault *f)
{
	c->ended = true;
	if (c->z.avail_in == 0 && refill(c, f) < 0)
		return -1;
	if (c->z.avail_in == 0)
		return 0;
	c->ended = false;
	return inflateReset(&c->z) == Z_OK ? 0 : bad_gzip(c, "cannot be unpacked", f);
}

static int unpack(struct contents *c, uint8_t *buf, size_t len, size_t *got, struct fault *f)
{
	c->z.next_out = buf;
	c->z.avail_out = (uInt)len;
	while (c->z.avail_out > 0 && !c->ended) {
		int status;

		if (c->z.avail_in == 0 && refill(c, f) < 0)
			return -1;
		status = inflate(&c->z, Z_NO_FLUSH);
		if (status == Z_MEM_ERROR)
			return no_memory(c, f);
		if (status == Z_STREAM_END && next_member(c, f) < 0)
			return -1;
		if (status != Z_STREAM_END && status != Z_OK)
			return bad_gzip(c, "not a gzip file, or damaged", f);
	}
	*got = len - c->z.avail_out;
	return 0;
}

int contents_read(struct contents *c, uint8_t *buf, size_t len, size_t *got, struct fault *f)
{
	if (c->gzip)
		return unpack(c, buf, len, got, f);
	return read_file(c, buf, len, got, f);
}

void contents_close(struct contents *c)
{
	if (c->packed)
		(void)inflateEnd(&c->z); /* only frees */
	free(c->packed);
	c->packed = NULL;
}
