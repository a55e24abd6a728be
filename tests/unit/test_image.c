// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static struct raw_image raw;
static struct image img;
static struct fault f;

/* image_read() and, if that goes well, image_verify(), on a file. */
static int check_file(const char *path)
{
	struct source src;
	int result;

	if (source_open(&src, path, &f) < 0)
		fail_msg("%s", f.text);
	result = image_read(&img, &src, &f);
	if (result == 0)
		result = image_verify(&img, &src, NULL, NULL, &f);
	source_close(&src);
	return result;
}

static int check_raw(void)
{
	int result;

	raw_write(&raw, temp_path("raw.fwi"));
	result = check_file(temp_path("raw.fwi"));
	image_free(&img);
	return result;
}

#define refused(what)                                       \
	do {                                                \
		assert_int_equal(check_raw(), -1);          \
		assert_fault(&f, FAULT_IMAGE, what);        \
		assert_fault(&f, FAULT_IMAGE, "raw.fwi: "); \
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
	assert_int_equal(image_read(&img, &src, &f), 0);
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
	assert_int_equal(src.pos, IMAGE_HEADER_SIZE + img.index_size);
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
	assert_int_equal(image_read(&img, &src, &f), 0);
	assert_int_equal(image_verify(&img, &src, on_progress, &seen, &f), 0);
	assert_int_equal(seen.calls, 4);
	assert_int_equal(seen.done, 14000);
	assert_int_equal(seen.total, 14000);
	source_close(&src);
	image_free(&img);
}

/* Whether the image in the file still unpacks to data. */
static bool unpacks_to(const char *path, const uint8_t *data, size_t len)
{
	uint8_t *buf = malloc(len + 1);
	struct chunk_reader r;
	struct source src;
	bool same;
	size_t got;

	assert_non_null(buf);
	assert_int_equal(source_open(&src, path, &f), 0);
	assert_int_equal(image_read(&img, &src, &f), 0);
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
	assert_int_equal(chunk_reader_read(&r, buf, len + 1, &got, &f), 0);
	same = got == len && memcmp(buf, data, len) == 0;
	chunk_reader_close(&r);
	source_close(&src);
	image_free(&img);
	free(buf);
	return same;
}

/*
 * No byte of an image can be another one and pass, but for one thing that does no harm: deflate can
 * say the same in several ways, and pads with bits that nobody looks at. What comes out is the
 * same then, bit for bit, and it is what comes out that the checksum is about.
 */
static void every_flip_is_refused(void **state)
{
	static uint8_t data[3 * 4096];
	const struct image_input in = { "rootfs", data, sizeof(data) };
	const char *path = temp_path("fw.fwi"), *changed = temp_path("changed.fwi");
	unsigned int harmless = 0, found = 0;
	size_t len, strict;
	uint8_t *file;

	fill_random(data, 4096, 3); /* stored, deflated, blank */
	fill_random(data + 4096, 300, 4);
	memset(data + 2 * 4096, 0xff, 4096);
	make_image(path, &in, 1, 4096);
	file = read_file(path, &len);
	assert_true(len < 6000);
	strict = IMAGE_HEADER_SIZE + get_le32(file + 12) + 4096;
	for (size_t at = 0; at < len; at++)
		for (int bit = 0; bit <= 8; bit++) {
			uint8_t flip = bit == 8 ? 0xff : (uint8_t)(1 << bit);
			int result;

			if (at > 300 && at < strict && bit != (int)(at % 9))
				continue; /* stored data: one flip per byte is enough */
			file[at] ^= flip;
			write_file(changed, file, len);
			result = check_file(changed);
			image_free(&img);
			file[at] ^= flip;
			if (result < 0) {
				assert_int_equal(f.kind, FAULT_IMAGE);
				found++;
				continue;
			}
			if (at < strict)
				fail_msg("flip 0x%02x of byte %zu passes", flip, at);
			assert_true(unpacks_to(changed, data, sizeof(data)));
			harmless++;
		}
	assert_true(harmless < 50 && found > 100 * harmless);
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
	raw_good(&raw);
	assert_int_equal(check_raw(), 0);
}

static void other_files(void **state)
{
	write_text(temp_path("script"), "#!/bin/sh\nthis is not a firmware image at all\n");
	assert_int_equal(check_file(temp_path("script")), -1);
	assert_fault(&f, FAULT_IMAGE, "not a firmware image");
}

static void header_with(size_t at, uint8_t value, const char *what)
{
	uint8_t header[IMAGE_HEADER_SIZE];

	raw_header(&raw, header);
	header[at] = value;
	raw_seal(header);
	raw_write_with(&raw, header, temp_path("raw.fwi"));
	assert_int_equal(check_file(temp_path("raw.fwi")), -1);
	image_free(&img);
	assert_fault(&f, FAULT_IMAGE, what);
}

static void headers(void **state)
{
	raw_good(&raw);
	header_with(0, 0x88, "not a firmware image");
	header_with(8, 1, "format version 1, known is 0");
	header_with(9, 1, "format version 256, known is 0");
	header_with(10, 33, "a header of 33 bytes, known is 32");
	header_with(14, 0x11, "an index of 1114");
	header_with(24, (uint8_t)(raw.index[0] + 1), "index checksum");
	header_with(16, 0x77, "header says");
	raw.used = 0;
	header_with(31, 0, "no payload");
}

/* The size of the index is limited before anything is allocated. */
static void index_size_limit(void **state)
{
	uint8_t header[IMAGE_HEADER_SIZE];

	raw_good(&raw);
	raw_header(&raw, header);
	put_le32(header + 12, IMAGE_INDEX_MAX + 1);
	raw_seal(header);
	raw_write_with(&raw, header, temp_path("raw.fwi"));
	no_memory = true; /* which must not matter */
	assert_int_equal(check_file(temp_path("raw.fwi")), -1);
	no_memory = false;
	assert_fault(&f, FAULT_IMAGE, "an index of 1048577 bytes, allowed are 1048576");
	image_free(&img);
	put_le32(header + 12, IMAGE_INDEX_MAX);
	raw_seal(header);
	raw_write_with(&raw, header, temp_path("raw.fwi"));
	assert_int_equal(check_file(temp_path("raw.fwi")), -1);
	assert_fault(&f, FAULT_IMAGE, "cut short");
	image_free(&img);
}

static void no_memory_for_the_index(void **state)
{
	raw_good(&raw);
	raw_write(&raw, temp_path("raw.fwi"));
	no_memory = true;
	assert_int_equal(check_file(temp_path("raw.fwi")), -1);
	no_memory = false;
	image_free(&img);
	assert_fault(&f, FAULT_UNFIT, "no memory for an index of");
}

static void body_size_must_match(void **state)
{
	raw_good(&raw);
	raw.body_said++;
	refused("header says 5001 bytes of chunks, index says 5000");
}

static void unknown_fields(void **state)
{
	raw_good(&raw);
	raw_text(&raw, 0x0042, "whatever");
	raw_field(&raw, 0x7fff, NULL, 0);
	assert_int_equal(check_raw(), 0);
	raw_text(&raw, FIELD_CRITICAL | 0x42, "whatever");
	refused("critical field 0x8042 is not known");
	raw_good(&raw);
	raw_text(&raw, 0xffff, "x");
	refused("critical field 0xffff is not known");
}

static void field_framing(void **state)
{
	raw_good(&raw);
	raw.used += 7; /* not enough for another field */
	refused("ends inside a field");
	raw_good(&raw);
	raw_text(&raw, 0x0042, "12345");
	raw.used--;
	refused("field 0x0042 at byte");
	raw_good(&raw);
	put_le32(raw.index + 4, 0xffffffff);
	refused("field 0x8002 at byte 0 of the index is malformed");
	raw_good(&raw);
	raw.index[2] = 1;
	refused("malformed");
	raw_good(&raw);
	raw.index[3] = 1;
	refused("malformed");
}

static void versions(void **state)
{
	raw_good(&raw);
	raw_text(&raw, FIELD_FW_VERSION, "2");
	refused("two firmware versions");
	raw_start(&raw);
	raw_stored(&raw, "rootfs", raw.index, 100);
	refused("no firmware version");
	raw_start(&raw);
	raw_text(&raw, FIELD_FW_VERSION, "");
	refused("the firmware version has 0 bytes");
}

static void payloads_missing(void **state)
{
	raw_start(&raw);
	raw_text(&raw, FIELD_FW_VERSION, "1");
	refused("has no payload");
	raw_payload(&raw, "rootfs", 100, 4096);
	refused("rootfs has no chunk table");
}

/* 63 bytes are allowed in a name. */
static void lengths_of_names(void **state)
{
	char name[66];

	memset(name, 'n', 65);
	name[63] = '\0';
	raw_good(&raw);
	raw_text(&raw, FIELD_BOARD, name);
	raw_stored(&raw, name, raw.index, 10);
	assert_int_equal(check_raw(), 0);
	name[63] = 'n';
	name[64] = '\0';
	raw_good(&raw);
	raw_text(&raw, FIELD_BOARD, name);
	refused("a board name has 64 bytes, allowed are 1 to 63");
	raw_good(&raw);
	raw_stored(&raw, name, raw.index, 10);
	refused("a partition name has 64 bytes");
	raw_good(&raw);
	raw_stored(&raw, "", raw.index, 10);
	refused("a partition name has 0 bytes");
	raw_good(&raw);
	raw_text(&raw, FIELD_BOARD, "");
	refused("a board name has 0 bytes");
}

static void unprintable_names(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x07, 0x0a, 0x1b, 0x1f, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < sizeof(bytes); i++) {
		uint8_t name[3] = { 'a', bytes[i], 'b' };

		raw_good(&raw);
		raw_field(&raw, FIELD_BOARD, name, sizeof(name));
		refused("only printable ASCII is allowed");
	}
	raw_good(&raw);
	raw_text(&raw, FIELD_BOARD, " ~");
	assert_int_equal(check_raw(), 0);
}

static void number_of_boards(void **state)
{
	raw_good(&raw);
	for (int i = 0; i < IMAGE_BOARDS_MAX; i++)
		raw_text(&raw, FIELD_BOARD, "board");
	assert_int_equal(check_raw(), 0);
	raw_text(&raw, FIELD_BOARD, "board");
	refused("more than 16 board names");
}

static void number_of_payloads(void **state)
{
	char name[8] = "part0";

	raw_start(&raw);
	raw_text(&raw, FIELD_FW_VERSION, "1");
	for (int i = 0; i < IMAGE_PAYLOADS_MAX; i++, name[4]++)
		raw_stored(&raw, name, (const uint8_t *)name, 5);
	assert_int_equal(check_raw(), 0);
	raw_stored(&raw, "rootfs", (const uint8_t *)name, 5);
	refused("more than 8 payloads");
}

static void payload_twice(void **state)
{
	raw_good(&raw);
	raw_stored(&raw, "rootfs", raw.index, 10);
	refused("two payloads for rootfs");
}

/* The value of the payload field that comes last. */
static uint8_t *start_payload(uint64_t size, uint32_t chunk_size)
{
	raw_start(&raw);
	raw_text(&raw, FIELD_FW_VERSION, "1");
	raw_payload(&raw, "rootfs", size, chunk_size);
	return raw.index + raw.used - 6 - IMAGE_PAYLOAD_SIZE;
}

static void payload_values(void **state)
{
	start_payload(100, 4096)[12] = 2;
	refused("rootfs is of kind 2, known is 1 (mtd)");
	start_payload(100, 4096)[12] = 0;
	refused("rootfs is of kind 0");
	start_payload(100, 4096)[13] = 0;
	refused("rootfs has tail policy 0");
	start_payload(100, 4096)[13] = 3;
	refused("rootfs has tail policy 3");
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
	raw_start(&raw);
	raw_field(&raw, FIELD_PAYLOAD, "too short", 9);
	refused("a payload field of 9 bytes");
}

static void tail_keep_and_largest_chunks(void **state)
{
	uint8_t line[IMAGE_CHUNK_SIZE];

	start_payload(100, 1 << 20)[13] = TAIL_KEEP;
	raw_line(line, 0, 0xffffffff, CHUNK_BLANK);
	raw_field(&raw, FIELD_CHUNKS, line, sizeof(line));
	refused("fails its checksum"); /* which comes after all that is in the index */
}

static void table_with(uint64_t size, uint32_t stored, uint8_t encoding, const char *what)
{
	uint8_t line[IMAGE_CHUNK_SIZE];

	(void)start_payload(size, 4096);
	raw_line(line, stored, 0, encoding);
	raw_field(&raw, FIELD_CHUNKS, line, sizeof(line));
	raw.body_said = stored;
	raw.body_used = stored < 5000 ? stored : 0;
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
	table_with(4097, 4096, CHUNK_STORED, "rootfs needs 2 chunks, its table has 12 bytes");
}

static void reserved_bytes_of_a_chunk(void **state)
{
	for (uint32_t i = 1; i < 4; i++) {
		raw_good(&raw);
		raw.index[raw.used - i] = 1;
		refused("described wrongly");
	}
}

static void sizes_that_overflow(void **state)
{
	static const uint64_t sizes[] = { UINT64_MAX, UINT64_MAX - 4095, 1ull << 63, 1ull << 44 };
	uint8_t line[IMAGE_CHUNK_SIZE] = { 0 };

	for (size_t i = 0; i < 4; i++) {
		(void)start_payload(sizes[i], 4096);
		raw_field(&raw, FIELD_CHUNKS, line, sizeof(line));
		refused("chunks, its table has 12 bytes");
		(void)start_payload(sizes[i], 4096);
		raw_field(&raw, FIELD_CHUNKS, line, 0);
		refused("chunks, its table has 0 bytes");
	}
}

static void tables_out_of_place(void **state)
{
	uint8_t line[IMAGE_CHUNK_SIZE] = { 0 };

	raw_start(&raw);
	raw_field(&raw, FIELD_CHUNKS, line, sizeof(line));
	refused("a chunk table without a payload");
	raw_good(&raw);
	raw_field(&raw, FIELD_CHUNKS, line, sizeof(line));
	refused("a chunk table without a payload");
}

/* Parsing touches nothing behind the index: under ASan this proves it for each length. */
static void index_of_every_length(void **state)
{
	raw_good(&raw);
	for (uint32_t len = 0; len < raw.used; len++) {
		uint8_t *index = malloc(len ? len : 1);

		assert_non_null(index);
		memcpy(index, raw.index, len);
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
		image_test(headers),
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
		image_test(tail_keep_and_largest_chunks),
		image_test(chunk_tables),
		image_test(reserved_bytes_of_a_chunk),
		image_test(sizes_that_overflow),
		image_test(tables_out_of_place),
		image_test(index_of_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
