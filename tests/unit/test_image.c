// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "bytes.h"
#include "chunks.h"
#include "helpers.h"
#include "image.h"
#include "images.h"

static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (!no_memory)
		return __real_malloc(size);
	errno = ENOMEM;
	return NULL;
}

static struct forged_image forged;
static const struct key_ring no_keys;
static struct image img;
static struct fault f;

/* image_read() and, if that goes well, image_verify(), on a file. */
static int check_file(const char *path)
{
	struct source src;
	int result;

	if (source_open(&src, path, &f) < 0)
		fail_msg("%s", f.text);
	result = image_read(&img, &src, &no_keys, &f);
	if (result == 0)
		result = image_verify(&img, &src, NULL, NULL, &f);
	source_close(&src);
	return result;
}

static int check_forged(void)
{
	int result;

	forge_write(&forged, temp_path("forged.fwi"));
	result = check_file(temp_path("forged.fwi"));
	image_free(&img);
	return result;
}

#define refused(what)                                          \
	do {                                                   \
		assert_int_equal(check_forged(), -1);          \
		assert_fault(&f, FAULT_IMAGE, what);           \
		assert_fault(&f, FAULT_IMAGE, "forged.fwi: "); \
	} while (0)

static void valid(void **state)
{
	static uint8_t one[10000], two[4096];
	const struct image_input in[] = { { "rootfs", one, 10000 }, { "kernel", two, 4096 } };
	struct source src;

	fill_random(one, 5000, 1);
	memset(two, 0xff, sizeof(two));
	make_image(temp_path("fw.fwi"), in, 2, 4096);
	assert_int_equal(source_open(&src, temp_path("fw.fwi"), &f), 0);
	assert_int_equal(image_read(&img, &src, &no_keys, &f), 0);
	assert_string_equal(img.fw_version, "2.0");
	assert_int_equal(img.board_count, 1);
	assert_string_equal(img.board[0], "testboard");
	assert_int_equal(img.payload_count, 2);
	assert_string_equal(img.payload[0].part, "rootfs");
	assert_int_equal(img.payload[0].size, 10000);
	assert_int_equal(img.payload[0].kind, PAYLOAD_MTD);
	assert_int_equal(img.payload[0].tail, TAIL_ERASE);
	assert_int_equal(img.payload[0].chunk_size, 4096);
	assert_int_equal(img.payload[0].chunk_count, 3);
	assert_int_equal(payload_chunk(&img.payload[0], 0).encoding, CHUNK_STORED);
	assert_int_equal(payload_chunk(&img.payload[0], 1).encoding, CHUNK_DEFLATE);
	assert_int_equal(payload_chunk(&img.payload[0], 2).raw, 10000 - 8192);
	assert_int_equal(payload_chunk(&img.payload[1], 0).encoding, CHUNK_BLANK);
	assert_int_equal(payload_chunk(&img.payload[1], 0).stored, 0);
	assert_int_equal(image_payload_bytes(&img), 14096);
	assert_int_equal(src.pos, IMAGE_PREAMBLE_SIZE + img.index_size);
	assert_int_equal(image_verify(&img, &src, NULL, NULL, &f), 0);
	assert_int_equal(src.pos, image_file_size(&img));
	source_close(&src);
	image_free(&img);
	image_free(&img); /* twice does no harm */
}

struct seen {
	unsigned int calls;
	uint64_t done, total;
};

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct seen *s = ctx;

	assert_true(done > s->done);
	s->calls++;
	s->done = done;
	s->total = total;
}

static void verifying_tells_progress(void **state)
{
	static uint8_t one[10000];
	const struct image_input in[] = { { "rootfs", one, 10000 }, { "kernel", one, 4000 } };
	struct seen seen = { 0 };
	struct source src;

	make_image(temp_path("fw.fwi"), in, 2, 4096);
	assert_int_equal(source_open(&src, temp_path("fw.fwi"), &f), 0);
	assert_int_equal(image_read(&img, &src, &no_keys, &f), 0);
	assert_int_equal(image_verify(&img, &src, on_progress, &seen, &f), 0);
	assert_int_equal(seen.calls, 4);
	assert_int_equal(seen.done, 14000);
	assert_int_equal(seen.total, 14000);
	source_close(&src);
	image_free(&img);
}

/* No byte of an image can be another one and pass, not even one that unpacking would not notice. */
static void every_flip_is_refused(void **state)
{
	static uint8_t data[3 * 4096];
	const struct image_input in = { "rootfs", data, sizeof(data) };
	const char *path = temp_path("fw.fwi"), *changed = temp_path("changed.fwi");
	size_t len, stored;
	uint8_t *file;

	fill_random(data, 4096, 3); /* stored, deflated, blank */
	fill_random(data + 4096, 300, 4);
	memset(data + 2 * 4096, 0xff, 4096);
	make_image(path, &in, 1, 4096);
	file = read_file(path, &len);
	assert_true(len < 6000);
	stored = IMAGE_PREAMBLE_SIZE + get_le32(file + 12);
	for (size_t at = 0; at < len; at++)
		for (int bit = 0; bit <= 8; bit++) {
			uint8_t flip = bit == 8 ? 0xff : (uint8_t)(1 << bit);
			int result;

			if (at >= stored && at < stored + 4096 && bit != (int)(at % 9))
				continue; /* stored data: one flip per byte is enough */
			file[at] ^= flip;
			write_file(changed, file, len);
			result = check_file(changed);
			image_free(&img);
			file[at] ^= flip;
			if (result == 0)
				fail_msg("flip 0x%02x of byte %zu passes", flip, at);
			assert_int_equal(f.kind, FAULT_IMAGE);
		}
	free(file);
}

static void every_truncation_is_refused(void **state)
{
	static uint8_t data[2 * 4096];
	const struct image_input in = { "rootfs", data, sizeof(data) };
	size_t len;
	uint8_t *file;

	fill_random(data, 4096, 5);
	make_image(temp_path("fw.fwi"), &in, 1, 4096);
	file = read_file(temp_path("fw.fwi"), &len);
	for (size_t cut = 0; cut < len; cut++) {
		write_file(temp_path("short.fwi"), file, cut);
		assert_int_equal(check_file(temp_path("short.fwi")), -1);
		image_free(&img);
		assert_int_equal(f.kind, FAULT_IMAGE);
		assert_non_null(strstr(f.text, "cut short"));
	}
	write_file(temp_path("long.fwi"), file, len + 1);
	assert_int_equal(check_file(temp_path("long.fwi")), -1);
	image_free(&img);
	assert_fault(&f, FAULT_IMAGE, "goes on after byte");
	free(file);
}

static void hand_made_image_is_fine(void **state)
{
	forge_good(&forged);
	assert_int_equal(check_forged(), 0);
}

static void other_files(void **state)
{
	write_text(temp_path("script"), "#!/bin/sh\nthis is not a firmware image at all\n");
	assert_int_equal(check_file(temp_path("script")), -1);
	assert_fault(&f, FAULT_IMAGE, "not a firmware image");
}

static void preamble_with(size_t at, uint8_t value, const char *what)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];

	forge_preamble(&forged, preamble);
	preamble[at] = value;
	forge_seal(preamble);
	forge_write_with(&forged, preamble, temp_path("forged.fwi"));
	assert_int_equal(check_file(temp_path("forged.fwi")), -1);
	image_free(&img);
	assert_fault(&f, FAULT_IMAGE, what);
}

static void preambles(void **state)
{
	forge_good(&forged);
	preamble_with(0, 0x88, "not a firmware image");
	preamble_with(8, 0, "format version 0 with a preamble of 40 bytes; known is version 1");
	preamble_with(8, 2, "format version 2 with a preamble of 40 bytes; known is version 1");
	preamble_with(9, 1, "format version 257 with");
	preamble_with(10, 41, "format version 1 with a preamble of 41 bytes; known is");
	preamble_with(14, 0x11, "an index of 1114");
	preamble_with(18, 1, "a signature of 65536 bytes, allowed are 0 to 4096");
	preamble_with(20, 0x77, "preamble says");
	preamble_with(27, 0x80, "preamble says");
	preamble_with(28, (uint8_t)~crc32(0, forged.index, forged.used), "index checksum");
	preamble_with(32, 1, "a checksum of no signature");
	forged.used = 0;
	preamble_with(39, 0, "an index of 0 bytes, allowed are 1 to 1048576");
}

/* Its own checksum comes before everything else that it says, but for what kind of file this is. */
static void preamble_checksum(void **state)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];

	forge_good(&forged);
	for (size_t at = IMAGE_MAGIC_SIZE; at < sizeof(preamble); at++) {
		forge_preamble(&forged, preamble);
		preamble[at] ^= 0x10;
		forge_write_with(&forged, preamble, temp_path("forged.fwi"));
		assert_int_equal(check_file(temp_path("forged.fwi")), -1);
		image_free(&img);
		assert_fault(&f, FAULT_IMAGE, "preamble checksum does not match");
	}
}

/* So is that of the signature; how the signature is checked is test_image_trust.c's affair. */
static void signature_size_limit(void **state)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];

	forge_good(&forged);
	forge_preamble(&forged, preamble);
	put_le32(preamble + 16, IMAGE_SIGNATURE_MAX + 1);
	forge_seal(preamble);
	forge_write_with(&forged, preamble, temp_path("forged.fwi"));
	no_memory = true; /* which must not matter */
	assert_int_equal(check_file(temp_path("forged.fwi")), -1);
	no_memory = false;
	image_free(&img);
	assert_fault(&f, FAULT_IMAGE, "a signature of 4097 bytes, allowed are 0 to 4096");
}

/* The size of the index is limited before anything is allocated. */
static void index_size_limit(void **state)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];

	forge_good(&forged);
	forge_preamble(&forged, preamble);
	put_le32(preamble + 12, IMAGE_INDEX_MAX + 1);
	forge_seal(preamble);
	forge_write_with(&forged, preamble, temp_path("forged.fwi"));
	no_memory = true; /* which must not matter */
	assert_int_equal(check_file(temp_path("forged.fwi")), -1);
	no_memory = false;
	assert_fault(&f, FAULT_IMAGE, "an index of 1048577 bytes, allowed are 1 to 1048576");
	image_free(&img);
	put_le32(preamble + 12, IMAGE_INDEX_MAX);
	forge_seal(preamble);
	forge_write_with(&forged, preamble, temp_path("forged.fwi"));
	assert_int_equal(check_file(temp_path("forged.fwi")), -1);
	assert_fault(&f, FAULT_IMAGE, "cut short");
	image_free(&img);
}

static void no_memory_for_the_index(void **state)
{
	forge_good(&forged);
	forge_write(&forged, temp_path("forged.fwi"));
	no_memory = true;
	assert_int_equal(check_file(temp_path("forged.fwi")), -1);
	no_memory = false;
	image_free(&img);
	assert_fault(&f, FAULT_UNFIT, "no memory for its index of");
}

static void body_size_must_match(void **state)
{
	forge_good(&forged);
	forged.body_said++;
	refused("preamble says 5001 bytes of chunks, index says 5000");
}

static void unknown_fields(void **state)
{
	forge_good(&forged);
	forge_text(&forged, 0x0042, "whatever");
	forge_field(&forged, 0x7fff, NULL, 0);
	assert_int_equal(check_forged(), 0);
	forge_text(&forged, FIELD_CRITICAL | 0x42, "whatever");
	refused("critical field 0x8042 is not known");
	forge_good(&forged);
	forge_text(&forged, 0xffff, "x");
	refused("critical field 0xffff is not known");
}

static void field_framing(void **state)
{
	forge_good(&forged);
	forged.used += 7; /* not enough for another field */
	refused("ends inside a field");
	forge_good(&forged);
	forge_text(&forged, 0x0042, "12345");
	forged.used--;
	refused("field 0x0042 at byte");
	forge_good(&forged);
	put_le32(forged.index + 4, 0xffffffff);
	refused("field 0x8000 at byte 0 of the index is malformed");
	forge_good(&forged);
	put_le32(forged.index + IMAGE_FIELD_SIZE + IMAGE_IDENTITY_SIZE + 4, 0xfffffff8);
	refused("field 0x8002 at byte 18 of the index is malformed");
	forge_good(&forged);
	forged.index[2] = 1;
	refused("malformed");
	forge_good(&forged);
	forged.index[3] = 1;
	refused("malformed");
}

static void versions(void **state)
{
	forge_good(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "2");
	refused("two firmware versions");
	forge_start(&forged);
	forge_stored(&forged, "rootfs", forged.index, 100);
	refused("no firmware version");
	forge_start(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "");
	refused("the firmware version has 0 bytes");
}

static void payloads_missing(void **state)
{
	forge_start(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "1");
	refused("has no payload");
	forge_payload(&forged, "rootfs", 100, 4096);
	refused("rootfs has no chunk table");
}

/* 63 bytes are allowed in a name. */
static void lengths_of_names(void **state)
{
	char name[66];

	memset(name, 'n', 65);
	name[63] = '\0';
	forge_good(&forged);
	forge_text(&forged, FIELD_BOARD, name);
	forge_stored(&forged, name, forged.index, 10);
	assert_int_equal(check_forged(), 0);
	name[63] = 'n';
	name[64] = '\0';
	forge_good(&forged);
	forge_text(&forged, FIELD_BOARD, name);
	refused("a board name has 64 bytes, allowed are 1 to 63");
	forge_good(&forged);
	forge_stored(&forged, name, forged.index, 10);
	refused("a partition name has 64 bytes");
	forge_good(&forged);
	forge_stored(&forged, "", forged.index, 10);
	refused("a partition name has 0 bytes");
	forge_good(&forged);
	forge_text(&forged, FIELD_BOARD, "");
	refused("a board name has 0 bytes");
}

static void unprintable_names(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x07, 0x0a, 0x1b, 0x1f, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < sizeof(bytes); i++) {
		uint8_t name[3] = { 'a', bytes[i], 'b' };

		forge_good(&forged);
		forge_field(&forged, FIELD_BOARD, name, sizeof(name));
		refused("only printable ASCII is allowed");
	}
	forge_good(&forged);
	forge_text(&forged, FIELD_BOARD, " ~");
	assert_int_equal(check_forged(), 0);
}

static void number_of_boards(void **state)
{
	char name[8] = "board0";

	forge_good(&forged);
	for (int i = 0; i < IMAGE_BOARDS_MAX; i++, name[5]++)
		forge_text(&forged, FIELD_BOARD, name);
	assert_int_equal(check_forged(), 0);
	forge_text(&forged, FIELD_BOARD, name);
	refused("more than 16 board names");
	forge_good(&forged);
	forge_text(&forged, FIELD_BOARD, "a");
	forge_text(&forged, FIELD_BOARD, "b");
	forge_text(&forged, FIELD_BOARD, "a");
	refused("board a is named twice");
}

static void number_of_payloads(void **state)
{
	char name[8] = "part0";

	forge_start(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "1");
	for (int i = 0; i < IMAGE_PAYLOADS_MAX; i++, name[4]++)
		forge_stored(&forged, name, (const uint8_t *)name, 5);
	assert_int_equal(check_forged(), 0);
	forge_stored(&forged, "rootfs", (const uint8_t *)name, 5);
	refused("more than 8 payloads");
}

static void payload_twice(void **state)
{
	forge_good(&forged);
	forge_stored(&forged, "rootfs", forged.index, 10);
	refused("two payloads for rootfs");
}

/* The value of the payload field that comes last. */
static uint8_t *start_payload(uint64_t size, uint32_t chunk_size)
{
	forge_start(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "1");
	forge_payload(&forged, "rootfs", size, chunk_size);
	return forged.index + forged.used - 6 - IMAGE_PAYLOAD_SIZE;
}

static void payload_values(void **state)
{
	static const uint8_t unknown[] = { 0, 5, 255 };

	for (size_t i = 0; i < sizeof(unknown); i++) {
		start_payload(100, 4096)[12] = unknown[i];
		refused("rootfs is of the unknown kind");
	}
	start_payload(100, 4096)[13] = TAIL_NONE;
	refused("rootfs has a tail policy, 0, unknown for its kind");
	start_payload(100, 4096)[13] = 4;
	refused("rootfs has a tail policy, 4, unknown for its kind");
	for (uint8_t kind = PAYLOAD_UBI; kind <= PAYLOAD_BLOCK; kind++) {
		start_payload(100, 4096)[12] = kind; /* and the policy of an MTD partition */
		refused("rootfs has a tail policy, 1, unknown for its kind");
	}
	start_payload(100, 4096)[14] = 1;
	refused("reserved bytes");
	start_payload(100, 4096)[15] = 1;
	refused("reserved bytes");
	start_payload(0, 4096);
	refused("rootfs is empty");
	start_payload(100, 4095);
	refused("rootfs has chunks of 4095 bytes, allowed are 4096 to 1048576");
	start_payload(100, (1 << 20) + 1);
	refused("rootfs has chunks of 1048577 bytes");
	start_payload(100, 0);
	refused("rootfs has chunks of 0 bytes");
	forge_start(&forged);
	forge_field(&forged, FIELD_PAYLOAD, "too short", 9);
	refused("a payload field of 9 bytes");
}

static void add_blank_chunk(size_t size)
{
	uint8_t line[IMAGE_CHUNK_SIZE], blank[4096];

	memset(blank, 0xff, sizeof(blank));
	forge_line(line, NULL, 0, CHUNK_BLANK, blank, size);
	forge_field(&forged, FIELD_CHUNKS, line, sizeof(line));
}

static void payloads_of_all_kinds(void **state)
{
	for (uint8_t tail = TAIL_ERASE; tail <= TAIL_JFFS2; tail++) {
		start_payload(100, 4096)[13] = tail;
		add_blank_chunk(100);
		assert_int_equal(check_forged(), 0);
	}
	for (uint8_t kind = PAYLOAD_UBI; kind <= PAYLOAD_BLOCK; kind++) {
		uint8_t *value = start_payload(100, 4096);

		value[12] = kind;
		value[13] = TAIL_NONE;
		add_blank_chunk(100);
		if (kind != PAYLOAD_UBIVOL)
			assert_int_equal(check_forged(), 0);
		else
			refused("rootfs names no UBI volume");
	}
}

/* A payload of kind ubivol of 100 bytes on the partition ubi, without its volume. */
static void start_ubivol(void)
{
	uint8_t *value;

	forge_start(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "1");
	forge_payload(&forged, "ubi", 100, 4096);
	value = forged.index + forged.used - 3 - IMAGE_PAYLOAD_SIZE;
	value[12] = PAYLOAD_UBIVOL;
	value[13] = TAIL_NONE;
}

static void add_volume(uint64_t size, uint8_t type, const char *name)
{
	uint8_t value[IMAGE_VOLUME_SIZE + 80] = { 0 };

	put_le64(value, size);
	value[8] = type;
	memcpy(value + IMAGE_VOLUME_SIZE, name, strlen(name));
	forge_field(&forged, FIELD_VOLUME, value, (uint32_t)(IMAGE_VOLUME_SIZE + strlen(name)));
}

static void volumes(void **state)
{
	static const uint64_t sizes[] = { 0, 100, 101, UINT64_MAX };

	for (size_t i = 0; i < 4; i++) {
		start_ubivol();
		add_volume(sizes[i], i % 2 ? VOLUME_STATIC : VOLUME_DYNAMIC, "rootfs");
		add_blank_chunk(100);
		assert_int_equal(check_forged(), 0);
	}
	start_ubivol(); /* it may come behind the chunk table, too */
	add_blank_chunk(100);
	add_volume(0, VOLUME_DYNAMIC, "rootfs");
	assert_int_equal(check_forged(), 0);
}

static void volumes_that_are_wrong(void **state)
{
	static const char *const names[] = { "", "a/b", ".", "..", "a\nb" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		start_ubivol();
		add_volume(0, VOLUME_DYNAMIC, names[i]);
		refused("a volume name ");
	}
	start_ubivol();
	add_volume(99, VOLUME_DYNAMIC, "rootfs");
	refused("ubi has a UBI volume smaller than its contents");
	start_ubivol();
	add_volume(0, 0, "rootfs");
	refused("ubi has a UBI volume of the unknown type 0");
	start_ubivol();
	add_volume(0, 3, "rootfs");
	refused("ubi has a UBI volume of the unknown type 3");
	for (uint32_t i = 1; i < 4; i++) {
		start_ubivol();
		add_volume(0, VOLUME_DYNAMIC, "rootfs");
		forged.index[forged.used - 6 - i] = 1;
		refused("ubi has a malformed UBI volume");
	}
	start_ubivol();
	forge_field(&forged, FIELD_VOLUME, "eleven byte", 11);
	refused("ubi has a malformed UBI volume");
	start_ubivol();
	add_volume(0, VOLUME_DYNAMIC, "rootfs");
	add_volume(0, VOLUME_DYNAMIC, "other");
	refused("a UBI volume without a payload for it");
	forge_good(&forged);
	add_volume(0, VOLUME_DYNAMIC, "rootfs");
	refused("a UBI volume without a payload for it");
	forge_start(&forged);
	add_volume(0, VOLUME_DYNAMIC, "rootfs");
	refused("a UBI volume without a payload for it");
}

/* Payloads of one UBI may be many, if their volumes are; anything else of the same name may not. */
static void volumes_of_one_name(void **state)
{
	uint8_t *second;

	start_ubivol();
	add_volume(0, VOLUME_DYNAMIC, "one");
	add_blank_chunk(100);
	forge_payload(&forged, "ubi", 100, 4096);
	second = forged.index + forged.used - 3 - IMAGE_PAYLOAD_SIZE;
	second[12] = PAYLOAD_UBIVOL;
	second[13] = TAIL_NONE;
	add_volume(0, VOLUME_DYNAMIC, "two");
	add_blank_chunk(100);
	assert_int_equal(check_forged(), 0);
	memcpy(second + IMAGE_PAYLOAD_SIZE + 3 + IMAGE_FIELD_SIZE + IMAGE_VOLUME_SIZE, "one", 3);
	refused("two payloads for ubi:one");
	start_ubivol();
	add_volume(0, VOLUME_DYNAMIC, "one");
	add_blank_chunk(100);
	forge_stored(&forged, "ubi", (const uint8_t *)"x", 1);
	refused("two payloads for ubi");
}

static void names_that_look_like_paths(void **state)
{
	static const char *const names[] = { "/", "a/b", ".", "..", "../rootfs" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		forge_good(&forged);
		forge_stored(&forged, names[i], (const uint8_t *)"x", 1);
		refused("which looks like a path");
	}
	forge_good(&forged);
	forge_stored(&forged, "...", (const uint8_t *)"x", 1);
	forge_text(&forged, FIELD_BOARD, "acme/router"); /* no path is made of it */
	assert_int_equal(check_forged(), 0);
}

static void identities(void **state)
{
	static const uint8_t identity[] = IMAGE_MAGIC "\1";

	forge_nothing(&forged);
	forge_text(&forged, FIELD_FW_VERSION, "1");
	refused("the index does not start with its identity");
	forge_nothing(&forged);
	forge_text(&forged, 3, "unknown");
	forge_field(&forged, FIELD_IDENTITY, identity, IMAGE_IDENTITY_SIZE);
	refused("the index does not start with its identity");
	forge_good(&forged);
	forge_field(&forged, FIELD_IDENTITY, identity, IMAGE_IDENTITY_SIZE);
	refused("a second identity in the index");
	for (size_t at = 0; at < IMAGE_IDENTITY_SIZE; at++) {
		forge_good(&forged);
		forged.index[IMAGE_FIELD_SIZE + at] ^= 2;
		refused("the index is not one of format version 1");
	}
	forge_nothing(&forged);
	forge_field(&forged, FIELD_IDENTITY, identity, IMAGE_IDENTITY_SIZE - 1);
	refused("the index is not one of format version 1");
}

static void rollback_numbers(void **state)
{
	static const uint8_t number[8] = { 0x78, 0x56, 0x34, 0x92 };

	forge_good(&forged);
	forge_field(&forged, FIELD_ROLLBACK, number, 4);
	forge_write(&forged, temp_path("forged.fwi"));
	assert_int_equal(check_file(temp_path("forged.fwi")), 0);
	assert_int_equal(img.rollback, 0x92345678);
	image_free(&img);
	forge_field(&forged, FIELD_ROLLBACK, number, 4);
	refused("a second or malformed anti-rollback number");
	for (uint32_t len = 0; len <= 8; len++) {
		forge_good(&forged);
		forge_field(&forged, FIELD_ROLLBACK, number, len);
		if (len != 4)
			refused("a second or malformed anti-rollback number");
	}
}

static void tail_keep_and_largest_chunks(void **state)
{
	uint8_t line[IMAGE_CHUNK_SIZE];

	start_payload(100, 1 << 20)[13] = TAIL_KEEP;
	forge_line(line, NULL, 0, CHUNK_BLANK, "", 0);
	forge_field(&forged, FIELD_CHUNKS, line, sizeof(line));
	refused("fails its checksum"); /* which comes after all that is in the index */
}

static void table_with(uint64_t size, uint32_t stored, uint8_t encoding, const char *what)
{
	uint8_t line[IMAGE_CHUNK_SIZE];

	(void)start_payload(size, 4096);
	forge_line(line, NULL, 0, encoding, "", 0);
	put_le32(line, stored);
	forge_field(&forged, FIELD_CHUNKS, line, sizeof(line));
	forged.body_said = stored;
	forged.body_used = stored < 5000 ? stored : 0;
	refused(what);
}

static void chunk_tables(void **state)
{
	table_with(100, 99, CHUNK_STORED, "rootfs chunk 0 is described wrongly");
	table_with(100, 101, CHUNK_STORED, "described wrongly");
	table_with(100, 0, CHUNK_DEFLATE, "described wrongly");
	table_with(100, 100, CHUNK_DEFLATE, "described wrongly");
	table_with(100, 0xffffffff, CHUNK_DEFLATE, "described wrongly");
	table_with(100, 1, CHUNK_BLANK, "described wrongly");
	table_with(100, 100, 3, "rootfs chunk 0 has unknown encoding 3");
	table_with(100, 100, 255, "unknown encoding 255");
	table_with(100, 100, CHUNK_STORED, "fails its checksum");
	table_with(4097, 4096, CHUNK_STORED, "rootfs needs 2 chunks, its table has 44 bytes");
}

/* Both checksums count, of every encoding. */
static void either_checksum(void **state)
{
	for (size_t at = 4; at < IMAGE_CHUNK_SIZE; at++) {
		if (at >= 8 && at < 12)
			continue; /* neither */
		forge_good(&forged);
		forged.index[forged.used - IMAGE_CHUNK_SIZE + at] ^= 0x40;
		refused("fails its checksum");
		(void)start_payload(100, 4096);
		add_blank_chunk(100);
		forged.index[forged.used - IMAGE_CHUNK_SIZE + at] ^= 0x40;
		refused("fails its checksum");
	}
}

/* A blank chunk that passed once is not reckoned again, but only by the very same checksums. */
static void blank_chunks_that_differ(void **state)
{
	uint8_t blank[4096], lines[3][IMAGE_CHUNK_SIZE];
	size_t checked = 0;

	memset(blank, 0xff, sizeof(blank));
	for (int i = 0; i < 3; i++)
		forge_line(lines[i], NULL, 0, CHUNK_BLANK, blank, sizeof(blank));
	(void)start_payload(sizeof(blank) * 3, 4096);
	forge_field(&forged, FIELD_CHUNKS, lines, sizeof(lines));
	assert_int_equal(check_forged(), 0);
	for (size_t at = 4; at < IMAGE_CHUNK_SIZE; at++) {
		if (at >= 8 && at < 12)
			continue;
		for (int i = 0; i < 3; i++, checked++) {
			lines[i][at] ^= 1;
			(void)start_payload(sizeof(blank) * 3, 4096);
			forge_field(&forged, FIELD_CHUNKS, lines, sizeof(lines));
			lines[i][at] ^= 1;
			refused("fails its checksum");
		}
	}
	assert_int_equal(checked, 36 * 3);
	(void)start_payload(sizeof(blank) * 2 + 100, 4096); /* the last one is shorter */
	forge_field(&forged, FIELD_CHUNKS, lines, sizeof(lines));
	refused("fails its checksum");
}

static void reserved_bytes_of_a_chunk(void **state)
{
	for (uint32_t i = 9; i < 12; i++) {
		forge_good(&forged);
		forged.index[forged.used - IMAGE_CHUNK_SIZE + i] = 1;
		refused("described wrongly");
	}
}

static void sizes_that_overflow(void **state)
{
	static const uint64_t sizes[] = { UINT64_MAX, UINT64_MAX - 4095, 1ull << 63, 1ull << 44 };
	uint8_t line[IMAGE_CHUNK_SIZE] = { 0 };

	for (size_t i = 0; i < 4; i++) {
		(void)start_payload(sizes[i], 4096);
		forge_field(&forged, FIELD_CHUNKS, line, sizeof(line));
		refused("chunks, its table has 44 bytes");
		(void)start_payload(sizes[i], 4096);
		forge_field(&forged, FIELD_CHUNKS, line, 0);
		refused("chunks, its table has 0 bytes");
	}
}

static void tables_out_of_place(void **state)
{
	uint8_t line[IMAGE_CHUNK_SIZE] = { 0 };

	forge_start(&forged);
	forge_field(&forged, FIELD_CHUNKS, line, sizeof(line));
	refused("a chunk table without a payload");
	forge_good(&forged);
	forge_field(&forged, FIELD_CHUNKS, line, sizeof(line));
	refused("a chunk table without a payload");
}

/* Parsing touches nothing behind the index: under ASan this proves it for each length. */
static void index_of_every_length(void **state)
{
	forge_good(&forged);
	for (uint32_t len = 0; len < forged.used; len++) {
		uint8_t *index = malloc(len ? len : 1);

		assert_non_null(index);
		memcpy(index, forged.index, len);
		assert_int_equal(image_parse_index(&img, index, len, "index", &f), -1);
		assert_int_equal(f.kind, FAULT_IMAGE);
		image_free(&img);
	}
}

#define image_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_test(valid),
		image_test(verifying_tells_progress),
		image_test(every_flip_is_refused),
		image_test(every_truncation_is_refused),
		image_test(hand_made_image_is_fine),
		image_test(other_files),
		image_test(preambles),
		image_test(preamble_checksum),
		image_test(signature_size_limit),
		image_test(index_size_limit),
		image_test(no_memory_for_the_index),
		image_test(body_size_must_match),
		image_test(unknown_fields),
		image_test(field_framing),
		image_test(versions),
		image_test(payloads_missing),
		image_test(lengths_of_names),
		image_test(unprintable_names),
		image_test(number_of_boards),
		image_test(number_of_payloads),
		image_test(payload_twice),
		image_test(payload_values),
		image_test(payloads_of_all_kinds),
		image_test(volumes),
		image_test(volumes_that_are_wrong),
		image_test(volumes_of_one_name),
		image_test(names_that_look_like_paths),
		image_test(identities),
		image_test(rollback_numbers),
		image_test(tail_keep_and_largest_chunks),
		image_test(chunk_tables),
		image_test(either_checksum),
		image_test(blank_chunks_that_differ),
		image_test(reserved_bytes_of_a_chunk),
		image_test(sizes_that_overflow),
		image_test(tables_out_of_place),
		image_test(index_of_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
