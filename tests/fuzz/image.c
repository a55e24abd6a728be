// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is a whole image.
 */
#include <string.h>
#include <zlib.h>

#include <sodium/crypto_hash_sha256.h>

#include "bytes.h"
#include "fuzz.h"
#include "image_checks.h"
#include "image_mutator.h"
#include "streams.h"

enum { VERIFY_MAX = 4 << 20 }; /* more bytes of 0xFF only take more time */

/* Looks once more at a preamble, index and signature that were not refused. */
static void check_preamble(const struct image *img, const uint8_t *data)
{
	const uint8_t *index = data + IMAGE_PREAMBLE_SIZE, *signature = index + img->index_size;

	require(memcmp(data, IMAGE_MAGIC, IMAGE_MAGIC_SIZE) == 0);
	require(get_le16(data + 8) == IMAGE_FORMAT && get_le16(data + 10) == IMAGE_PREAMBLE_SIZE);
	require(get_le32(data + 12) == img->index_size);
	require(get_le32(data + 16) == img->signature_size);
	require(get_le64(data + 20) == img->body_size);
	require(get_le32(data + 28) == crc32(0, index, img->index_size));
	require(get_le32(data + 32) == crc32(0, signature, img->signature_size));
	require(get_le32(data + 36) == crc32(0, data, 36));
	require(memcmp(index, img->index, img->index_size) == 0);
	if (img->signature_size)
		require(memcmp(signature, img->signature, img->signature_size) == 0);
}

/* Unpacks once more the chunks of an image that was not refused, all at once. */
static void check_chunks(const struct image *img, const uint8_t *data)
{
	static uint8_t raw[IMAGE_CHUNK_MAX];
	uint8_t sha256[IMAGE_SHA256_SIZE];
	size_t got;

	data += IMAGE_PREAMBLE_SIZE + img->index_size + img->signature_size;
	for (unsigned int i = 0; i < img->payload_count; i++) {
		for (uint32_t n = 0; n < img->payload[i].chunk_count; n++) {
			struct chunk c = payload_chunk(&img->payload[i], n);

			if (c.encoding == CHUNK_DEFLATE)
				require(unpack(ZLIB, data, c.stored, raw, c.raw, &got) ==
						c.stored &&
					got == c.raw);
			else if (c.encoding == CHUNK_STORED)
				memcpy(raw, data, c.raw);
			else
				memset(raw, 0xff, c.raw);
			(void)crypto_hash_sha256(sha256, raw, c.raw);
			require(memcmp(sha256, c.sha256, sizeof(sha256)) == 0);
			require(crc32(0, data, c.stored) == c.crc);
			data += c.stored;
		}
	}
}

struct progress {
	uint64_t done, total;
};

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;

	require(done > p->done && done <= total);
	require(total == p->total);
	p->done = done;
}

static void verify(const struct image *img, struct source *src, const uint8_t *data, size_t size)
{
	struct progress p = { .total = image_payload_bytes(img) };
	struct fault f = { .kind = 0 };

	if (image_verify(img, src, on_progress, &p, &f) < 0) {
		check_refusal(&f, FAULT_IMAGE);
		return;
	}
	require(p.done == p.total);
	require(src->pos == size && image_file_size(img) == size);
	check_chunks(img, data);
}

/* With a key, only what is signed passes, and it is the same image. */
static void read_with_keys(const struct image *other, struct source *src)
{
	struct fault f = { .kind = 0 };
	struct image img;

	require(source_rewind(src, &f) == 0);
	if (image_read(&img, src, &test_keys, &f) == 0) {
		require(other && other->trust == IMAGE_NOT_VERIFIED);
		require(img.trust == IMAGE_VERIFIED);
		require(strcmp(img.signed_by, test_keys.key[0].name) == 0);
		require(img.payload_count == other->payload_count);
		require(img.body_size == other->body_size);
		check_image(&img);
	} else {
		check_refusal(&f, FAULT_IMAGE);
	}
	image_free(&img);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct key_ring no_keys;
	struct source src = source_of(data, size);
	struct fault f = { .kind = 0 };
	struct image img;
	int read = image_read(&img, &src, &no_keys, &f);

	if (read < 0) {
		check_refusal(&f, FAULT_IMAGE);
	} else {
		require(src.pos == image_file_size(&img) - img.body_size);
		require(img.trust == (img.signature_size ? IMAGE_NOT_VERIFIED : IMAGE_UNSIGNED));
		require(!img.signed_by[0]);
		check_preamble(&img, data);
		check_image(&img);
		if (image_payload_bytes(&img) <= VERIFY_MAX)
			verify(&img, &src, data, size);
	}
	read_with_keys(read == 0 ? &img : NULL, &src);
	image_free(&img);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return image_mutate(data, size, max, seed);
}
