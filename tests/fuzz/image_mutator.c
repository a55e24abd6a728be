// SPDX-License-Identifier: GPL-2.0-or-later
#include "image_mutator.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <sodium/crypto_hash_sha256.h>

#include "bytes.h"
#include "fuzz.h"
#include "image.h"
#include "index_mutator.h"
#include "index_writer.h"

enum { ROOM = 64 << 10, FILL_MAX = 256 << 10 };

struct part {
	size_t size;
	uint8_t bytes[ROOM];
};

struct parts {
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];
	struct part index, signature, body;
};

static void take_part(struct part *p, const uint8_t **data, size_t *left, size_t size)
{
	p->size = size < *left ? size : *left;
	memcpy(p->bytes, *data, p->size);
	*data += p->size;
	*left -= p->size;
}

static void take_apart(struct parts *image, const uint8_t *data, size_t size)
{
	memcpy(image->preamble, data, IMAGE_PREAMBLE_SIZE);
	data += IMAGE_PREAMBLE_SIZE;
	size -= IMAGE_PREAMBLE_SIZE;
	take_part(&image->index, &data, &size, get_le32(image->preamble + 12));
	take_part(&image->signature, &data, &size, get_le32(image->preamble + 16));
	take_part(&image->body, &data, &size, size);
}

static void put_part(uint8_t *data, size_t *size, size_t max, const uint8_t *bytes, size_t len)
{
	if (len > max - *size)
		len = max - *size;
	memcpy(data + *size, bytes, len);
	*size += len;
}

static size_t put_together(const struct parts *image, uint8_t *data, size_t max)
{
	size_t size = 0;

	put_part(data, &size, max, image->preamble, IMAGE_PREAMBLE_SIZE);
	put_part(data, &size, max, image->index.bytes, image->index.size);
	put_part(data, &size, max, image->signature.bytes, image->signature.size);
	put_part(data, &size, max, image->body.bytes, image->body.size);
	return size;
}

/* Parses the index; a copy, since image_free() frees it. */
static int parse(struct image *img, const struct parts *image)
{
	uint8_t *index = malloc(image->index.size + 1);
	struct fault f;

	require(index);
	memcpy(index, image->index.bytes, image->index.size);
	return image_parse_index(img, index, (uint32_t)image->index.size, "mutant", &f);
}

/* Makes a chunk that its line describes, and puts its checksums there. 0 if there is no room. */
static int fill_chunk(struct part *body, uint8_t *line, uint32_t raw, unsigned int *seed)
{
	static uint8_t contents[FILL_MAX];
	uint8_t first = (uint8_t)random_below(seed, 256);
	uLongf stored = ROOM - body->size;

	memset(contents, line[8] == CHUNK_BLANK ? 0xff : first, raw);
	if (line[8] != CHUNK_BLANK)
		for (uint32_t i = 0; i < raw; i += 1 + random_below(seed, 64))
			contents[i] = (uint8_t)i;
	if (line[8] == CHUNK_DEFLATE && (compress2(body->bytes + body->size, &stored, contents, raw,
						   (int)random_below(seed, 10)) != Z_OK ||
					 stored >= raw))
		line[8] = CHUNK_STORED;
	if (line[8] == CHUNK_STORED) {
		if (raw > ROOM - body->size)
			return 0;
		memcpy(body->bytes + body->size, contents, raw);
		stored = raw;
	}
	if (line[8] == CHUNK_BLANK)
		stored = 0;
	put_le32(line, (uint32_t)stored);
	put_le32(line + 4, (uint32_t)crc32(0, body->bytes + body->size, (uInt)stored));
	(void)crypto_hash_sha256(line + 12, contents, raw);
	body->size += stored;
	return 1;
}

/* Makes chunks for an index that can be parsed. */
static void fill(struct parts *image, unsigned int *seed)
{
	struct image img;

	if (parse(&img, image) == 0 && image_payload_bytes(&img) <= FILL_MAX) {
		image->body.size = 0;
		for (unsigned int i = 0; i < img.payload_count; i++) {
			const struct payload *p = &img.payload[i];
			uint8_t *line = image->index.bytes + (p->table - img.index);

			for (uint32_t n = 0; n < p->chunk_count; n++, line += IMAGE_CHUNK_SIZE)
				if (!fill_chunk(&image->body, line, payload_chunk(p, n).raw, seed))
					break;
		}
	}
	image_free(&img);
}

static void sign(struct parts *image, unsigned int *seed)
{
	image->signature.size = test_sign_file((char *)image->signature.bytes, IMAGE_SIGNATURE_MAX,
					       (enum form)random_below(seed, 3), image->index.bytes,
					       image->index.size, "any", random_below(seed, 4));
}

/* Puts the preamble right. */
static void seal(struct parts *image)
{
	uint64_t body_size = image->body.size;
	struct image img;

	if (parse(&img, image) == 0)
		body_size = img.body_size;
	image_free(&img);
	image_fill_preamble(image->preamble, image->index.bytes, (uint32_t)image->index.size,
			    body_size, image->signature.bytes, (uint32_t)image->signature.size);
}

static void mutate_part(struct part *p, size_t max)
{
	p->size = LLVMFuzzerMutate(p->bytes, p->size, max < ROOM ? max : ROOM);
}

size_t image_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static struct parts image;
	size_t most = max < ROOM ? max : ROOM;
	uint32_t what = random_below(&seed, 16);

	if (size < IMAGE_PREAMBLE_SIZE || size > ROOM || what == 0)
		return LLVMFuzzerMutate(data, size, max);
	take_apart(&image, data, size);
	if (what == 1) {
		(void)LLVMFuzzerMutate(image.preamble, IMAGE_PREAMBLE_SIZE, IMAGE_PREAMBLE_SIZE);
		if (random_below(&seed, 4))
			put_le32(image.preamble + 36, (uint32_t)crc32(0, image.preamble, 36));
		return put_together(&image, data, max);
	}
	if (what >= 6)
		image.index.size = index_mutate(image.index.bytes, image.index.size, most,
						random_below(&seed, UINT32_MAX));
	if (what == 2 || what == 3)
		mutate_part(&image.body, most);
	if (what == 4)
		mutate_part(&image.signature, IMAGE_SIGNATURE_MAX);
	if (what >= 10)
		fill(&image, &seed);
	if (what == 5 || (what >= 6 && image.signature.size && random_below(&seed, 2)))
		sign(&image, &seed);
	if (what == 15 && random_below(&seed, 4) == 0)
		image.signature.size = 0;
	seal(&image);
	return put_together(&image, data, max);
}
