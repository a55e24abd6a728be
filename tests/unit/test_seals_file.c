// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "images.h"
#include "seals_file.h"

enum { LEN = 2 * 4096, FILE_SIZE = IMAGE_ID_SIZE + SEAL_KEY_SIZE + 2 * 8 };

static int writes_left = -1;

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	if (writes_left >= 0 && writes_left-- == 0) {
		errno = ENOSPC;
		return -1;
	}
	return __real_write(fd, bytes, len);
}

static const struct key_ring no_keys;
static struct image img;
static struct fault f;
static char path[128];

/* An image of two chunks. */
static void read_image(struct image *to, uint32_t seed)
{
	uint8_t data[LEN];
	const struct image_input in = { "rootfs", data, LEN };
	struct source src;

	fill_random(data, LEN, seed);
	make_image(temp_path("fw.fwi"), &in, 1, 4096);
	if (source_open(&src, temp_path("fw.fwi"), &f) < 0 ||
	    image_read(to, &src, &no_keys, &f) < 0 || image_verify(to, &src, NULL, NULL, &f) < 0)
		fail_msg("%s", f.text);
	source_close(&src);
	assert_int_equal(to->chunk_count, 2);
	assert_true(to->seals->seal[0] && to->seals->seal[1]);
}

static int make(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s", temp_path("seals"));
	read_image(&img, 1);
	return 0;
}

static int forget(void **state)
{
	image_free(&img);
	return temp_dir_remove(state);
}

/* Takes the file for an image that nobody has verified here. True if its seals are those of img then. */
static bool takes(uint32_t seed)
{
	size_t size = seals_size(2);
	struct image other;
	bool taken;

	read_image(&other, seed);
	memset(other.seals, 0, size);
	seals_file_take(path, &other);
	taken = memcmp(other.seals, img.seals, size) == 0;
	if (!taken)
		for (size_t i = 0; i < size; i++)
			assert_int_equal(((const uint8_t *)other.seals)[i], 0);
	image_free(&other);
	return taken;
}

static void kept_and_taken(void **state)
{
	char id[IMAGE_ID_SIZE];
	struct stat st;
	uint8_t *file;
	size_t size;

	(void)umask(0);
	assert_int_equal(seals_file_keep(path, &img, &f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	file = read_file(path, &size);
	assert_int_equal(size, FILE_SIZE);
	image_id(&img, id);
	assert_string_equal((const char *)file, id);
	free(file);
	assert_true(takes(1));
}

/* As many chunks, and another content: its seals have yet to be made. */
static void not_of_another_image(void **state)
{
	assert_int_equal(seals_file_keep(path, &img, &f), 0);
	assert_false(takes(2));
}

static void not_from_a_file_of_another_size(void **state)
{
	uint8_t *file;
	size_t size;

	assert_false(takes(1)); /* there is none */
	assert_int_equal(seals_file_keep(path, &img, &f), 0);
	file = read_file(path, &size);
	write_file(path, file, size - 1);
	assert_false(takes(1));
	write_file(path, file, IMAGE_ID_SIZE);
	assert_false(takes(1));
	write_file(path, file, 0);
	assert_false(takes(1));
	file = realloc(file, size + 1);
	assert_non_null(file);
	file[size] = 0;
	write_file(path, file, size + 1);
	assert_false(takes(1));
	write_file(path, file, size);
	assert_true(takes(1));
	free(file);
}

static void cannot_be_made(void **state)
{
	for (int i = 0; i < 2; i++) {
		writes_left = i;
		assert_int_equal(seals_file_keep(path, &img, &f), -1);
		writes_left = -1;
		assert_fault(&f, FAULT_FAILED, "/seals: cannot write: No space left on device");
		assert_int_equal(unlink(path), 0);
	}
	write_file(path, "x", 1); /* somebody else's */
	assert_int_equal(seals_file_keep(path, &img, &f), -1);
	assert_fault(&f, FAULT_FAILED, "/seals: cannot create: File exists");
}

#define seals_file_test(name) cmocka_unit_test_setup_teardown(name, make, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		seals_file_test(kept_and_taken),
		seals_file_test(not_of_another_image),
		seals_file_test(not_from_a_file_of_another_size),
		seals_file_test(cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
