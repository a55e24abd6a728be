// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is the chunks of an image whose index is known and right. Nothing but its contents may
 * ever come out.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "chunks.h"
#include "fuzz.h"
#include "index_writer.h"

enum { CHUNKS = 5, CHUNK = IMAGE_CHUNK_MIN, SIZE = (CHUNKS - 1) * CHUNK + 1000, ROOM = 3 * CHUNK };

static uint8_t contents[SIZE], body[ROOM];
static size_t body_size, plain_at; /* where the chunk is that is stored as it is */
static struct image image;

/* Two chunks that are packed, one as it is, one of 0xFF, and a short one that is packed. */
static void make_contents(void)
{
	unsigned int seed = 1;

	for (size_t i = 0; i < SIZE; i++)
		contents[i] = (uint8_t)("flash"[i % 5] + i / 512);
	for (size_t i = 0; i < CHUNK; i++)
		contents[2 * CHUNK + i] = (uint8_t)random_below(&seed, 256);
	memset(contents + 3 * CHUNK, 0xff, CHUNK);
}

static void add_chunk(struct index_writer *w, const uint8_t *raw, uint32_t size, int level)
{
	enum chunk_encoding encoding = CHUNK_DEFLATE;
	uLongf stored = ROOM - body_size;
	struct fault f;

	require(compress2(body + body_size, &stored, raw, size, level) == Z_OK);
	if (all_ff(raw, size)) {
		encoding = CHUNK_BLANK;
		stored = 0;
	} else if (stored >= size) {
		encoding = CHUNK_STORED;
		stored = size;
		plain_at = body_size;
		memcpy(body + body_size, raw, size);
	}
	require(index_add_chunk(w, raw, size, encoding, body + body_size, (uint32_t)stored, &f) ==
		0);
	body_size += stored;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct payload to = { .part = "rootfs", .kind = PAYLOAD_BLOCK, .chunk_size = CHUNK };
	struct index_writer w;
	struct fault f;

	(void)argc;
	(void)argv;
	make_contents();
	require(index_writer_init(&w) == 0);
	require(index_add_text(&w, FIELD_FW_VERSION, "1", &f) == 0);
	require(index_open_payload(&w, &to, &f) == 0);
	for (uint32_t at = 0; at < SIZE; at += CHUNK)
		add_chunk(&w, contents + at, at + CHUNK <= SIZE ? CHUNK : SIZE - at, at ? 9 : 1);
	index_close_payload(&w, SIZE);
	require(image_parse_index(&image, w.bytes, w.used, "index", &f) == 0);
	require(image.payload[0].chunk_count == CHUNKS);
	return 0;
}

/* Reads in steps of this size. Returns the bytes that came out. */
static size_t read_all(struct chunk_reader *r, size_t step, int *failed)
{
	static uint8_t buf[SIZE + 1];
	struct fault f = { .kind = 0 };
	size_t done = 0, got;

	do {
		*failed = chunk_reader_read(r, buf, step, &got, &f) < 0;
		require(got <= step && got <= SIZE - done);
		require(*failed || got == step || done + got == SIZE);
		/* What came before a failure has passed its check, too. */
		require(memcmp(buf, contents + done, got) == 0);
		done += got;
	} while (!*failed && got > 0);
	if (*failed)
		check_refusal(&f, FAULT_IMAGE);
	return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1000, CHUNK - 1, CHUNK, CHUNK + 1, SIZE + 1 };
	struct source src = source_of(data, size);
	struct chunk_reader r;
	struct fault f = { .kind = 0 };
	size_t done;
	int failed;

	require(chunk_reader_open(&r, &src, &image.payload[0], &f) == 0);
	done = read_all(&r, steps[size % 5], &failed);
	require(failed == (done < SIZE));
	require(!failed || size != body_size || memcmp(data, body, size) != 0);
	require(src.pos <= body_size);
	chunk_reader_close(&r);

	require(source_rewind(&src, &f) == 0);
	if (image_verify(&image, &src, NULL, NULL, &f) == 0)
		require(!failed && size == body_size);
	else
		check_refusal(&f, FAULT_IMAGE);
	return 0;
}

/* Changes a chunk such that its CRC-32 stays the same: by the polynomial itself, bit by bit. */
static void forge_crc(uint8_t *chunk, unsigned int *seed)
{
	static const uint64_t polynomial = 0x104c11db7;
	uint32_t at = random_below(seed, 8 * CHUNK - 32);

	for (uint32_t i = 0; i <= 32; i++)
		if (polynomial >> (32 - i) & 1)
			chunk[(at + i) / 8] ^= (uint8_t)(1 << (at + i) % 8);
}

/* Now and then the right chunks, or almost, to go on from. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	if (random_below(&seed, 32) || max < body_size)
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data, body, body_size);
	if (random_below(&seed, 2)) {
		forge_crc(data + plain_at, &seed);
		require(crc32(0, data + plain_at, CHUNK) == crc32(0, body + plain_at, CHUNK));
	}
	return body_size;
}
