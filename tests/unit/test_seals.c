// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "chunks.h"
#include "helpers.h"
#include "images.h"
#include "seals.h"

enum { LEN = 3 * 65536 + 100 };

static int allocations_left = -1;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left >= 0 && allocations_left-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(count, size);
}

static bool keyless;

unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type)
{
	if (!keyless || type != AT_RANDOM)
		return __real_getauxval(type);
	errno = ENOENT;
	return 0;
}

static uint8_t data[LEN];
static const struct key_ring no_keys;
static struct source src;
static struct image img;
static struct fault f;
static uint64_t chunks_at; /* byte of the file */

/* Chunk 0 is packed and larger than a piece, 1 does not compress, 2 is blank, 3 is a short rest. */
static int make(void **state)
{
	const struct image_input in = { "rootfs", data, LEN };

	if (temp_dir_make(state) < 0)
		return -1;
	memset(data, 0, sizeof(data));
	fill_random(data, 20000, 1);
	fill_random(data + 65536, 65536, 2);
	memset(data + 2 * 65536, 0xff, 65536);
	make_image(temp_path("fw.fwi"), &in, 1, 65536);
	if (source_open(&src, temp_path("fw.fwi"), &f) < 0 ||
	    image_read(&img, &src, &no_keys, &f) < 0)
		fail_msg("%s", f.text);
	chunks_at = src.pos;
	assert_int_equal(payload_chunk(&img.payload[0], 0).encoding, CHUNK_DEFLATE);
	assert_true(payload_chunk(&img.payload[0], 0).stored > SEAL_PIECE);
	assert_int_equal(payload_chunk(&img.payload[0], 1).encoding, CHUNK_STORED);
	assert_int_equal(payload_chunk(&img.payload[0], 2).encoding, CHUNK_BLANK);
	return 0;
}

static int forget(void **state)
{
	image_free(&img);
	source_close(&src);
	return temp_dir_remove(state);
}

static int verify(void)
{
	assert_int_equal(source_back_to(&src, chunks_at, &f), 0);
	return image_verify(&img, &src, NULL, NULL, &f);
}

/* Reads all of it, as who writes it to flash does. */
static int read_all(void)
{
	static uint8_t got[LEN + 1];
	struct chunk_reader r;
	size_t len;
	int result;

	assert_int_equal(source_back_to(&src, chunks_at, &f), 0);
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
	result = chunk_reader_read(&r, got, sizeof(got), &len, &f);
	chunk_reader_close(&r);
	if (result == 0) {
		assert_int_equal(len, LEN);
		assert_memory_equal(got, data, LEN);
	}
	return result;
}

static void change_byte(uint64_t at)
{
	size_t len;
	uint8_t *file = read_file(temp_path("fw.fwi"), &len);

	assert_true(at < len);
	file[at] ^= 1;
	write_file(temp_path("fw.fwi"), file, len);
	free(file);
}

static uint32_t stored_before(uint32_t n)
{
	uint32_t bytes = 0;

	while (n > 0)
		bytes += payload_chunk(&img.payload[0], --n).stored;
	return bytes;
}

/* Each way to read gives the seals that the other one finds. */
static void same_by_either_way(void **state)
{
	uint64_t seal[4];

	assert_int_equal(img.chunk_count, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(img.seals->seal[i], 0);
	assert_int_equal(verify(), 0);
	memcpy(seal, img.seals->seal, sizeof(seal));
	for (int i = 0; i < 4; i++)
		assert_true(seal[i] != 0);
	assert_true(seal[0] != seal[1] && seal[0] != seal[3] && seal[1] != seal[3]);
	assert_int_equal(verify(), 0);
	assert_int_equal(read_all(), 0);
	assert_memory_equal(img.seals->seal, seal, sizeof(seal));
	memset(img.seals->seal, 0, sizeof(seal));
	assert_int_equal(read_all(), 0);
	assert_memory_equal(img.seals->seal, seal, sizeof(seal));
}

/* The SHA-256 of what was sealed is not looked at again: that is what seals are for. */
static void spare_the_sha256(void **state)
{
	uint8_t *sha256;

	assert_int_equal(verify(), 0);
	for (uint32_t n = 0; n < 4; n++) {
		sha256 = img.index + (img.payload[0].table - img.index) + n * IMAGE_CHUNK_SIZE + 12;
		sha256[0] ^= 1;
	}
	assert_int_equal(verify(), 0);
	assert_int_equal(read_all(), 0);
	memset(img.seals->seal, 0, 4 * sizeof(uint64_t));
	assert_int_equal(verify(), -1);
	assert_fault(&f, FAULT_IMAGE, "rootfs chunk 0 of 4 fails its checksum");
	assert_int_equal(img.seals->seal[0], 0); /* what fails gets no seal */
}

/* One bit, wherever it is; in the two bytes that a zlib stream begins with, and in its checksum, too. */
static void any_change_is_seen(void **state)
{
	static const struct {
		uint32_t chunk, at;
		const char *how;
	} changes[] = {
		{ 0, 0, NULL },
		{ 0, SEAL_PIECE - 1, NULL },
		{ 0, SEAL_PIECE, NULL },
		{ 0, UINT32_MAX, NULL },
		{ 1, 0, "" },
		{ 1, SEAL_PIECE, "" },
		{ 1, UINT32_MAX, "" },
		{ 3, 0, NULL },
		{ 3, UINT32_MAX, NULL },
	};

	assert_int_equal(verify(), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		uint32_t n = changes[i].chunk, stored = payload_chunk(&img.payload[0], n).stored;
		uint64_t at = chunks_at + stored_before(n) +
			      (changes[i].at == UINT32_MAX ? stored - 1 : changes[i].at);

		change_byte(at);
		assert_int_equal(verify(), -1);
		assert_fault(&f, FAULT_IMAGE, "is not what it was when it was checked");
		assert_int_equal(read_all(), -1);
		if (changes[i].how) /* else it may be seen while unpacking */
			assert_fault(&f, FAULT_IMAGE, "is not what it was when it was checked");
		change_byte(at);
		assert_int_equal(verify(), 0);
	}
}

static void swap(uint64_t one, uint64_t other, size_t len)
{
	size_t size;
	uint8_t *file = read_file(temp_path("fw.fwi"), &size);

	assert_true(one + len <= other && other + len <= size);
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = file[one + i];

		file[one + i] = file[other + i];
		file[other + i] = byte;
	}
	write_file(temp_path("fw.fwi"), file, size);
	free(file);
}

static void swapped_is_seen(uint64_t one, uint64_t other, size_t len)
{
	assert_int_equal(verify(), 0);
	swap(one, other, len);
	assert_int_equal(verify(), -1);
	assert_fault(&f, FAULT_IMAGE, "is not what it was when it was checked");
	swap(one, other, len);
	assert_int_equal(verify(), 0);
}

/* The pieces that a seal is reckoned of are all there, in another order. */
static void swapped_pieces_are_seen(void **state)
{
	uint64_t at = chunks_at + stored_before(1);

	swapped_is_seen(at, at + SEAL_PIECE, SEAL_PIECE);
	swapped_is_seen(at, at + 3 * SEAL_PIECE, SEAL_PIECE);
	swapped_is_seen(at + SEAL_PIECE, at + 2 * SEAL_PIECE, SEAL_PIECE);
}

/* Rootfs of two chunks and a kernel of one, none of which can be packed. */
static void make_two(void)
{
	const struct image_input in[] = {
		{ "rootfs", data, 2 * 65536 },
		{ "kernel", data + 2 * 65536, 65536 },
	};

	image_free(&img);
	source_close(&src);
	fill_random(data, 3 * 65536, 3);
	make_image(temp_path("fw.fwi"), in, 2, 65536);
	if (source_open(&src, temp_path("fw.fwi"), &f) < 0 ||
	    image_read(&img, &src, &no_keys, &f) < 0)
		fail_msg("%s", f.text);
	chunks_at = src.pos;
	assert_int_equal(img.chunk_count, 3);
}

/* Each chunk is right, and where another one was, of its own partition or of the other. */
static void swapped_chunks_are_seen(void **state)
{
	make_two();
	swapped_is_seen(chunks_at, chunks_at + 65536, 65536);
	swapped_is_seen(chunks_at, chunks_at + 2 * 65536, 65536);
	swapped_is_seen(chunks_at + 65536, chunks_at + 2 * 65536, 65536);
}

/* What is read of the second partition has the seals behind those of the first. */
static void second_payload(void **state)
{
	static uint8_t got[65536 + 1];
	struct chunk_reader r;
	uint64_t seal[3];
	size_t len;

	make_two();
	assert_int_equal(verify(), 0);
	memcpy(seal, img.seals->seal, sizeof(seal));
	memset(img.seals->seal, 0, sizeof(seal));
	assert_int_equal(source_back_to(&src, chunks_at + 2 * 65536, &f), 0);
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[1], &f), 0);
	assert_int_equal(chunk_reader_read(&r, got, sizeof(got), &len, &f), 0);
	chunk_reader_close(&r);
	assert_int_equal(len, 65536);
	assert_memory_equal(got, data + 2 * 65536, len);
	assert_int_equal(img.seals->seal[0], 0);
	assert_int_equal(img.seals->seal[1], 0);
	assert_int_equal(img.seals->seal[2], seal[2]);
}

/* Seals are somebody's: under another key they are other ones. */
static void another_key(void **state)
{
	for (int i = 0; i < SEAL_KEY_SIZE; i++) {
		assert_int_equal(verify(), 0);
		img.seals->key[i] ^= 1;
		assert_int_equal(verify(), -1);
		memset(img.seals->seal, 0, 4 * sizeof(uint64_t));
	}
}

static void no_memory(void **state)
{
	struct image second;

	assert_int_equal(source_rewind(&src, &f), 0);
	allocations_left = 0;
	assert_int_equal(image_read(&second, &src, &no_keys, &f), -1);
	allocations_left = -1;
	assert_fault(&f, FAULT_UNFIT, "cannot make the seals of 4 chunks: Cannot allocate memory");
	image_free(&second);
}

/* A kernel without AT_RANDOM: no seals under a key that everybody knows. */
static void no_key(void **state)
{
	struct image second;

	assert_int_equal(source_rewind(&src, &f), 0);
	keyless = true;
	assert_int_equal(image_read(&second, &src, &no_keys, &f), -1);
	keyless = false;
	assert_fault(&f, FAULT_UNFIT, "cannot make the seals of 4 chunks");
	image_free(&second);
}

#define seals_test(name) cmocka_unit_test_setup_teardown(name, make, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		seals_test(same_by_either_way),
		seals_test(spare_the_sha256),
		seals_test(any_change_is_seen),
		seals_test(another_key),
		seals_test(swapped_pieces_are_seen),
		seals_test(swapped_chunks_are_seen),
		seals_test(second_payload),
		seals_test(no_memory),
		seals_test(no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
