// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "chunks.h"
#include "helpers.h"
#include "images.h"

static int allocations_left = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (allocations_left >= 0 && allocations_left-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_malloc(size);
}

static struct source src;
static const struct key_ring no_keys;
static struct image img;
static struct chunk_reader r;
static struct fault f;

static void open_image(const char *path)
{
	if (source_open(&src, path, &f) < 0 || image_read(&img, &src, &no_keys, &f) < 0)
		fail_msg("%s", f.text);
}

static void close_image(void)
{
	image_free(&img);
	source_close(&src);
}

/* Half of it compresses, in pieces that are no power of two. */
static void fill_mixed(uint8_t *p, size_t len)
{
	fill_random(p, len, 8);
	for (size_t at = 0; at + 300 < len; at += 611)
		memset(p + at, (int)(at & 0xff), 300);
}

/* Reads everything in pieces of the given length and compares it. */
static void read_in_pieces(const uint8_t *data, size_t len, size_t piece)
{
	uint8_t *buf = malloc(piece);
	size_t at = 0, got;

	assert_non_null(buf);
	do {
		if (chunk_reader_read(&r, buf, piece, &got, &f) < 0)
			fail_msg("%s", f.text);
		assert_true(got == piece || at + got == len);
		assert_memory_equal(buf, data + at, got);
		at += got;
	} while (got == piece);
	assert_int_equal(at, len);
	assert_int_equal(chunk_reader_read(&r, buf, piece, &got, &f), 0);
	assert_int_equal(got, 0);
	free(buf);
}

static void all_sizes(void **state)
{
	static const uint32_t chunk_sizes[] = { 4096, 5000, 65536, 1 << 20 };
	static const size_t pieces[] = { 1000, 4096, 16384, 200001 };
	const size_t len = 200000;
	uint8_t *data = malloc(len);
	struct image_input in = { "rootfs", data, len };

	fill_mixed(data, len);
	memset(data + 20000, 0xff, 20000);
	for (size_t c = 0; c < 4; c++)
		for (size_t p = 0; p < 4; p++) {
			make_image(temp_path("fw.fwi"), &in, 1, chunk_sizes[c]);
			open_image(temp_path("fw.fwi"));
			assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
			read_in_pieces(data, len, pieces[p]);
			chunk_reader_close(&r);
			assert_int_equal(source_expect_end(&src, &f), 0);
			close_image();
		}
	free(data);
}

/* Packed chunks of all lengths around the 16 KiB that are read at once. */
static void packed_sizes_around_the_buffer(void **state)
{
	uint8_t *data = calloc(1, 65536);
	struct image_input in = { "rootfs", data, 65536 };
	bool less = false, more = false;

	for (size_t random = 16095; random < 16130; random++) {
		struct chunk c;

		memset(data, 0, 65536);
		fill_random(data, random, 6);
		make_image(temp_path("fw.fwi"), &in, 1, 65536);
		open_image(temp_path("fw.fwi"));
		c = payload_chunk(&img.payload[0], 0);
		assert_int_equal(c.encoding, CHUNK_DEFLATE);
		less = less || (c.stored <= 16384 && c.stored > 16376);
		more = more || (c.stored > 16384 && c.stored < 16392);
		assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
		read_in_pieces(data, 65536, 65536);
		chunk_reader_close(&r);
		close_image();
	}
	assert_true(less && more);
	free(data);
}

static void two_payloads(void **state)
{
	uint8_t one[9000], two[5000];
	const struct image_input in[] = { { "one", one, 9000 }, { "two", two, 5000 } };

	fill_random(one, 9000, 1);
	fill_mixed(two, 5000);
	make_image(temp_path("fw.fwi"), in, 2, 4096);
	open_image(temp_path("fw.fwi"));
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
	read_in_pieces(one, 9000, 4096);
	chunk_reader_close(&r);
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[1], &f), 0);
	read_in_pieces(two, 5000, 4096);
	chunk_reader_close(&r);
	assert_int_equal(source_expect_end(&src, &f), 0);
	close_image();
}

/* Bits that are wrong in the checksums of the next one_chunk(). */
static uint8_t crc_flip, sha256_flip;

/*
 * An image of one deflated chunk, whose stored bytes the test makes up. It says that the chunk has
 * raw_len bytes, and that its checksums are those of data.
 */
static void one_chunk(const uint8_t *stored, uint32_t len, uint32_t raw_len, const uint8_t *data,
		      size_t data_len)
{
	static struct forged_image forged;
	uint8_t line[IMAGE_CHUNK_SIZE];

	forge_start(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "1");
	forge_payload(&forged, "rootfs", raw_len, 65536);
	forge_line(line, stored, len, CHUNK_DEFLATE, data, data_len);
	line[4] ^= crc_flip;
	line[12] ^= sha256_flip;
	forge_field(&forged, FIELD_CHUNKS, line, sizeof(line));
	memcpy(forged.body, stored, len);
	forged.body_used = len;
	forged.body_said = len;
	forge_write(&forged, temp_path("forged.fwi"));
	open_image(temp_path("forged.fwi"));
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
	crc_flip = sha256_flip = 0;
}

static void expect_damaged(const char *how)
{
	uint8_t buf[16];
	size_t got;

	assert_int_equal(chunk_reader_read(&r, buf, sizeof(buf), &got, &f), -1);
	assert_int_equal(got, 0); /* nothing unchecked comes out */
	assert_fault(&f, FAULT_IMAGE, "rootfs chunk 0 of 1 ");
	assert_fault(&f, FAULT_IMAGE, how);
	chunk_reader_close(&r);
	close_image();
}

static void deflate_streams_that_are_wrong(void **state)
{
	uint8_t data[8192], packed[9000];
	uLongf len = sizeof(packed);
	const uint32_t size = sizeof(data);

	memset(data, 'x', sizeof(data));
	fill_random(data, 500, 2);
	assert_int_equal(compress2(packed, &len, data, sizeof(data), 9), Z_OK);
	crc_flip = 1;
	one_chunk(packed, (uint32_t)len, size, data, size);
	expect_damaged("fails its checksum");
	sha256_flip = 1;
	one_chunk(packed, (uint32_t)len, size, data, size);
	expect_damaged("fails its checksum");
	one_chunk(packed, (uint32_t)len - 1, size, data, size);
	expect_damaged("does not unpack to its size");
	one_chunk(packed, (uint32_t)len + 1, size, data, size);
	expect_damaged("does not unpack to its size");
	one_chunk(packed, (uint32_t)len, size + 1, data, size);
	expect_damaged("does not unpack to its size");
	one_chunk(packed, (uint32_t)len, size - 1, data, size);
	expect_damaged("unpack");
	packed[0] ^= 0x80;
	one_chunk(packed, (uint32_t)len, size, data, size);
	expect_damaged("cannot be unpacked");
	packed[0] ^= 0x80;
	packed[len - 1] ^= 1; /* its Adler-32 */
	one_chunk(packed, (uint32_t)len, size, data, size);
	expect_damaged("cannot be unpacked");
}

/* A few bytes that unpack to far more than the chunk has. */
static void bomb(void **state)
{
	uint8_t *data = calloc(1, 4 << 20), packed[8192];
	uLongf len = sizeof(packed);

	assert_int_equal(compress2(packed, &len, data, 4 << 20, 9), Z_OK);
	one_chunk(packed, (uint32_t)len, 65536, data, 65536);
	expect_damaged("unpack");
	free(data);
}

static void garbage_after_the_stream(void **state)
{
	uint8_t data[60000] = { 0 }, packed[40000];
	uLongf len = sizeof(packed);

	assert_int_equal(compress2(packed, &len, data, sizeof(data), 9), Z_OK);
	memset(packed + len, 0, sizeof(packed) - len);
	one_chunk(packed, 16384 + 5, sizeof(data), data, sizeof(data));
	expect_damaged("does not unpack to its size");
}

static void source_ends_within_a_chunk(void **state)
{
	uint8_t data[20000], *file;
	const struct image_input in = { "rootfs", data, sizeof(data) };
	size_t len, got;

	fill_random(data, sizeof(data), 1);
	make_image(temp_path("fw.fwi"), &in, 1, 16384);
	file = read_file(temp_path("fw.fwi"), &len);
	write_file(temp_path("short.fwi"), file, len - 1);
	free(file);
	open_image(temp_path("short.fwi"));
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
	assert_int_equal(chunk_reader_read(&r, data, 16384, &got, &f), 0);
	assert_int_equal(got, 16384);
	assert_int_equal(chunk_reader_read(&r, data, 16384, &got, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "cut short");
	chunk_reader_close(&r);
	close_image();
}

static void no_memory(void **state)
{
	uint8_t data[5000] = { 0 };
	const struct image_input in = { "rootfs", data, sizeof(data) };
	int failures = 0, result;

	make_image(temp_path("fw.fwi"), &in, 1, 4096);
	open_image(temp_path("fw.fwi"));
	do {
		allocations_left = failures;
		result = chunk_reader_open(&r, &src, &img.payload[0], &f);
		allocations_left = -1;
		if (result < 0) {
			assert_fault(&f, FAULT_UNFIT, "rootfs: no memory to unpack chunks");
			failures++;
		}
	} while (result < 0);
	assert_true(failures >= 3);
	chunk_reader_close(&r);
	close_image();
}

#define chunks_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		chunks_test(all_sizes),
		chunks_test(packed_sizes_around_the_buffer),
		chunks_test(two_payloads),
		chunks_test(deflate_streams_that_are_wrong),
		chunks_test(bomb),
		chunks_test(garbage_after_the_stream),
		chunks_test(source_ends_within_a_chunk),
		chunks_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
