// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is a file packed by gzip. The reader, which inflates piece by piece, must take exactly
 * what inflates at once, member by member.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <sodium/crypto_hash_sha256.h>

#include "contents.h"
#include "fuzz.h"
#include "streams.h"

enum { ROOM = 40 << 20 }; /* 32 KiB, the largest input, unpacks to at most 1032 times as much */

/* Whether the file is all members; their contents together. */
static int unpack_all(const uint8_t *data, size_t size, uint8_t *to, size_t *got)
{
	size_t taken = 0, piece;

	*got = 0;
	while (size > 0) {
		taken = unpack(GZIP, data, size, to + *got, ROOM - *got, &piece);
		if (!taken)
			return 0;
		data += taken;
		size -= taken;
		*got += piece;
	}
	return taken > 0;
}

static void check_sums(struct contents *c, const uint8_t *data, size_t size)
{
	uint8_t kept[32], right[32];

	(void)crypto_hash_sha256_final(&c->sha256, kept);
	(void)crypto_hash_sha256(right, data, size);
	require(memcmp(kept, right, sizeof(kept)) == 0);
	require(c->crc == (uint32_t)crc32(0, data, (uInt)size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 511, 4096, 128 << 10 };
	static uint8_t right[ROOM], buf[128 << 10];
	struct source src = source_of(data, size);
	struct fault f = { .kind = 0 };
	size_t len, done = 0, got, step = steps[size % 4];
	struct contents c;
	int good = unpack_all(data, size, right, &len), read;

	if ((size > 200 || len > 2000) && step < 4096) /* would only take more time */
		step = sizeof(buf);
	require(contents_open(&c, &src, true, &f) == 0);
	while ((read = contents_read(&c, buf, step, &got, &f)) == 0 && got > 0) {
		require(got <= step);
		if (good)
			require(got <= len - done && memcmp(buf, right + done, got) == 0);
		done += got;
		require(done <= ROOM);
	}
	require((read == 0) == good);
	if (good) {
		require(done == len);
		check_sums(&c, data, size);
	} else {
		check_refusal(&f, FAULT_IMAGE);
	}
	contents_close(&c);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return stream_mutate(GZIP, data, size, max, seed);
}
