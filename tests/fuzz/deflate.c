// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is the size of a chunk when unpacked (4 bytes) and the zlib stream it is stored as. The
 * reader, which inflates piece by piece, must take exactly what inflates at once to that size.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <sodium/crypto_hash_sha256.h>

#include "bytes.h"
#include "chunks.h"
#include "fuzz.h"
#include "streams.h"

enum { HEAD = 4, RAW_MAX = 128 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t right[RAW_MAX];
	static struct seals *seals;
	uint8_t line[IMAGE_CHUNK_SIZE] = { 0 };
	struct payload p = { .part = "rootfs", .chunk_count = 1, .table = line };
	struct fault f = { .kind = 0 };
	struct chunk_reader r;
	struct source src;
	size_t got;
	int good, read;

	if (size <= HEAD)
		return -1;
	if (!seals)
		seals = seals_new(1);
	require(seals);
	seals->seal[0] = 0;
	p.seals = seals;
	p.size = 2 + get_le32(data) % (RAW_MAX - 1);
	p.chunk_size = p.size < IMAGE_CHUNK_MIN ? IMAGE_CHUNK_MIN : (uint32_t)p.size;
	data += HEAD;
	size -= HEAD;
	if (size >= p.size)
		return -1; /* refused with the index */
	good = unpack(ZLIB, data, size, right, RAW_MAX, &got) == size && got == p.size;
	put_le32(line, (uint32_t)size);
	put_le32(line + 4, (uint32_t)crc32(0, data, (uInt)size));
	line[8] = CHUNK_DEFLATE;
	(void)crypto_hash_sha256(line + 12, right, got);

	src = source_of(data, size);
	require(chunk_reader_open(&r, &src, &p, &f) == 0);
	read = chunk_reader_next(&r, &f);
	require((read == 0) == good);
	if (read == 0)
		require(r.have == got && memcmp(r.raw, right, got) == 0 && src.pos == size);
	else
		check_refusal(&f, FAULT_IMAGE);
	chunk_reader_close(&r);
	return 0;
}

/* The size is made to fit most of the time. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static uint8_t contents[RAW_MAX];
	size_t got;

	if (size <= HEAD || max <= HEAD || random_below(&seed, 16) == 0)
		return LLVMFuzzerMutate(data, size, max);
	size = HEAD + stream_mutate(ZLIB, data + HEAD, size - HEAD, max - HEAD, seed >> 4);
	if (random_below(&seed, 4) &&
	    unpack(ZLIB, data + HEAD, size - HEAD, contents, RAW_MAX, &got) && got >= 2)
		put_le32(data, (uint32_t)got - 2);
	return size;
}
