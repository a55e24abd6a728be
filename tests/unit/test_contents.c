// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "contents.h"
#include "gzip.h"
#include "helpers.h"

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

enum { LEN = 100000, ROOM = 2 * LEN };

static uint8_t data[LEN], packed[ROOM], buf[ROOM];
static struct source src;
static struct contents c;
static struct fault f;

static int setup(void **state)
{
	fill_random(data, LEN / 2, 1); /* half of it compresses */
	memset(data + LEN / 2, 'x', LEN / 2);
	return temp_dir_make(state);
}

static void open_bytes(const uint8_t *bytes, size_t len, bool gzip)
{
	write_file(temp_path("file"), bytes, len);
	assert_int_equal(source_open(&src, temp_path("file"), &f), 0);
	if (contents_open(&c, &src, gzip, &f) < 0)
		fail_msg("%s", f.text);
}

static void close_all(void)
{
	contents_close(&c);
	contents_close(&c); /* twice does no harm */
	source_close(&src);
}

/* Reads all in pieces into buf. The bytes, or -1 with the fault. */
static ssize_t read_all(size_t piece)
{
	size_t used = 0, got;

	do {
		assert_true(used + piece <= ROOM);
		if (contents_read(&c, buf + used, piece, &got, &f) < 0)
			return -1;
		used += got;
	} while (got == piece);
	if (contents_read(&c, buf + used, 1, &got, &f) < 0)
		return -1;
	assert_int_equal(got, 0); /* the end stays the end */
	return (ssize_t)used;
}

static void expect_all(const uint8_t *bytes, size_t len, size_t piece)
{
	ssize_t used = read_all(piece);

	if (used < 0)
		fail_msg("%s", f.text);
	assert_int_equal(used, len);
	assert_memory_equal(buf, bytes, len);
}

static const size_t pieces[] = { 777, 4096, 16384, 65536, LEN };

enum { PIECES = sizeof(pieces) / sizeof(*pieces) };

static void plain(void **state)
{
	for (size_t i = 0; i < PIECES; i++) {
		open_bytes(data, LEN, false);
		expect_all(data, LEN, pieces[i]);
		assert_int_equal(c.crc, crc32(0, data, LEN));
		close_all();
	}
	open_bytes(data, 0, false);
	expect_all(data, 0, 100);
	close_all();
}

/* The checksums are those of the file, not of what is in it. */
static void gzip(void **state)
{
	size_t len = gzip_pack(data, LEN, packed, ROOM);

	assert_true(len > 16384 * 2);
	for (size_t i = 0; i < PIECES; i++) {
		open_bytes(packed, len, true);
		expect_all(data, LEN, pieces[i]);
		assert_int_equal(src.pos, len);
		assert_int_equal(c.crc, crc32(0, packed, (uInt)len));
		close_all();
	}
}

/* Files whose last bytes, and so the ends of members, lie around the end of a buffer. */
static void gzip_of_sizes_around_the_buffer(void **state)
{
	for (size_t random = 16300; random < 16384; random++) {
		size_t len = gzip_pack(data, random, packed, ROOM);

		open_bytes(packed, len, true);
		expect_all(data, random, 4096);
		close_all();
	}
}

static void gzip_of_nothing(void **state)
{
	size_t len = gzip_pack(data, 0, packed, ROOM);

	open_bytes(packed, len, true);
	expect_all(data, 0, 100);
	close_all();
}

/* gzip unpacks what was joined by cat. */
static void gzip_of_several_members(void **state)
{
	static const size_t parts[] = { 20000, 0, 1, 40000, 39999 };
	size_t len = 0, at = 0;

	for (size_t i = 0; i < 5; i++) {
		len += gzip_pack(data + at, parts[i], packed + len, ROOM - len);
		at += parts[i];
	}
	assert_int_equal(at, LEN);
	for (size_t i = 0; i < PIECES; i++) {
		open_bytes(packed, len, true);
		expect_all(data, LEN, pieces[i]);
		assert_int_equal(src.pos, len);
		close_all();
	}
}

static void expect_refused(size_t len, const char *what)
{
	open_bytes(packed, len, true);
	assert_int_equal(read_all(4096), -1);
	assert_fault(&f, FAULT_IMAGE, "file: ");
	assert_fault(&f, FAULT_IMAGE, what);
	close_all();
}

static void gzip_cut_short(void **state)
{
	size_t len = gzip_pack(data + LEN / 2 - 300, 1000, packed, ROOM);

	for (size_t cut = 0; cut < len; cut++)
		expect_refused(cut, "cut short: the gzip data do not end");
	len = gzip_pack(data, LEN, packed, ROOM);
	expect_refused(len - 1, "cut short: the gzip data do not end");
	expect_refused(16384, "cut short: the gzip data do not end");
	expect_refused(LEN / 4, "cut short: the gzip data do not end");
}

static void second_member_cut_short(void **state)
{
	size_t one = gzip_pack(data, 5000, packed, ROOM);
	size_t two = gzip_pack(data, 1000, packed + one, ROOM - one);

	for (size_t cut = one + 1; cut < one + two; cut++)
		expect_refused(cut, "cut short: the gzip data do not end");
	open_bytes(packed, one, true); /* without it, it is whole */
	expect_all(data, 5000, 4096);
	close_all();
}

static void gzip_with_something_behind_it(void **state)
{
	static const char *const garbage[] = { "x", "a longer text that is no gzip file" };
	size_t len = gzip_pack(data, 5000, packed, ROOM);

	for (size_t i = 0; i < 2; i++) {
		memcpy(packed + len, garbage[i], strlen(garbage[i]));
		open_bytes(packed, len + strlen(garbage[i]), true);
		assert_int_equal(read_all(4096), -1);
		assert_int_equal(f.kind, FAULT_IMAGE);
		close_all();
	}
	memset(packed + len, 0, 512); /* as tapes were padded */
	expect_refused(len + 512, "not a gzip file, or damaged");
}

/* Bytes of the header that gzip does not check (time, system) and the flags it ignores may differ. */
static void every_change_of_a_gzip_file(void **state)
{
	const uint8_t *plain_data = data + LEN / 2 - 100;
	size_t len = gzip_pack(plain_data, 400, packed, ROOM);

	for (size_t at = 0; at < len; at++)
		for (int bit = 0; bit < 8; bit++) {
			ssize_t got;

			packed[at] ^= (uint8_t)(1 << bit);
			open_bytes(packed, len, true);
			got = read_all(4096);
			packed[at] ^= (uint8_t)(1 << bit);
			close_all();
			if (got < 0) {
				assert_int_equal(f.kind, FAULT_IMAGE);
				continue;
			}
			assert_int_equal(got, 400);
			assert_memory_equal(buf, plain_data, 400);
		}
}

static void no_gzip_file(void **state)
{
	memset(packed, 'x', 20000);
	expect_refused(20000, "not a gzip file, or damaged");
	expect_refused(0, "cut short");
	memcpy(packed, "\x78\x9c", 2); /* zlib's own form */
	expect_refused(20000, "not a gzip file, or damaged");
}

static void without_memory(void **state)
{
	int failures = 0, result;

	write_file(temp_path("file"), data, 10);
	assert_int_equal(source_open(&src, temp_path("file"), &f), 0);
	do {
		allocations_left = failures;
		result = contents_open(&c, &src, true, &f);
		allocations_left = -1;
		if (result < 0) {
			assert_fault(&f, FAULT_UNFIT, "file: no memory to unpack it");
			contents_close(&c);
			failures++;
		}
	} while (result < 0);
	assert_true(failures >= 2);
	close_all();
}

#define contents_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		contents_test(plain),
		contents_test(gzip),
		contents_test(gzip_of_sizes_around_the_buffer),
		contents_test(gzip_of_nothing),
		contents_test(gzip_of_several_members),
		contents_test(gzip_cut_short),
		contents_test(second_member_cut_short),
		contents_test(gzip_with_something_behind_it),
		contents_test(every_change_of_a_gzip_file),
		contents_test(no_gzip_file),
		contents_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
