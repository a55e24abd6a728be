// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams.h"

#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "fuzz.h"

enum { ROOM = 128 << 10 };

/* check: whether checksums must be right. */
static size_t inflate_all(int wrapping, int check, const uint8_t *data, size_t size, uint8_t *to,
			  size_t room, size_t *got)
{
	z_stream z = { .next_in = (Bytef *)data, .avail_in = (uInt)size };
	size_t taken = 0;

	*got = 0;
	require(inflateInit2(&z, wrapping) == Z_OK);
	if (!check)
		require(inflateValidate(&z, 0) == Z_OK);
	z.next_out = to;
	z.avail_out = (uInt)room;
	if (inflate(&z, Z_FINISH) == Z_STREAM_END) {
		taken = z.total_in;
		*got = z.total_out;
	}
	(void)inflateEnd(&z);
	return taken;
}

size_t unpack(enum wrapping wrapping, const uint8_t *data, size_t size, uint8_t *to, size_t room,
	      size_t *got)
{
	return inflate_all((int)wrapping, 1, data, size, to, room, got);
}

/* Puts the checksum at the end of a stream right, if it is one but for that. */
static void seal(enum wrapping wrapping, uint8_t *data, size_t size)
{
	static uint8_t contents[ROOM];
	size_t got, taken = inflate_all((int)wrapping, 0, data, size, contents, ROOM, &got);
	uint32_t sum;

	if (!taken)
		return;
	if (wrapping == GZIP) {
		put_le32(data + taken - 8, (uint32_t)crc32(0, contents, (uInt)got));
		put_le32(data + taken - 4, (uint32_t)got);
		return;
	}
	sum = (uint32_t)adler32(1, contents, (uInt)got);
	for (int i = 0; i < 4; i++)
		data[taken - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
}

/* Packs with any strategy and window; returns the size, 0 if there is no room. */
static size_t pack(enum wrapping wrapping, const uint8_t *contents, size_t size, uint8_t *to,
		   size_t room, unsigned int *seed)
{
	z_stream z = { .next_in = (Bytef *)contents, .avail_in = (uInt)size };
	int bits = 9 + (int)random_below(seed, 7) + (wrapping == GZIP ? 16 : 0);
	size_t packed = 0;

	require(deflateInit2(&z, (int)random_below(seed, 10), Z_DEFLATED, bits,
			     1 + (int)random_below(seed, 9), (int)random_below(seed, 5)) == Z_OK);
	z.next_out = to;
	z.avail_out = (uInt)room;
	if (deflate(&z, Z_FINISH) == Z_STREAM_END)
		packed = z.total_out;
	(void)deflateEnd(&z);
	return packed;
}

/* Unpacks, mutates or repeats what comes out, and packs. 0 if that does not go. */
static size_t repack(enum wrapping wrapping, uint8_t *data, size_t size, size_t max,
		     unsigned int *seed)
{
	static uint8_t contents[ROOM], packed[ROOM];
	size_t got, len;

	if (!inflate_all((int)wrapping, 0, data, size, contents, ROOM / 2, &got))
		return 0;
	if (random_below(seed, 4) == 0) {
		memcpy(contents + got, contents, got);
		got *= 2;
	} else {
		got = LLVMFuzzerMutate(contents, got, ROOM / 2);
	}
	len = pack(wrapping, contents, got, packed, max < ROOM ? max : ROOM, seed);
	memcpy(data, packed, len);
	return len;
}

size_t stream_mutate(enum wrapping wrapping, uint8_t *data, size_t size, size_t max,
		     unsigned int seed)
{
	uint32_t what = random_below(&seed, 8);
	size_t len = 0;

	if (what == 0 && max - size >= size) { /* a second one behind it */
		memcpy(data + size, data, size);
		return 2 * size;
	}
	if (what <= 3)
		len = repack(wrapping, data, size, max, &seed);
	if (len == 0)
		len = LLVMFuzzerMutate(data, size, max);
	if (what != 7)
		seal(wrapping, data, len);
	return len;
}
