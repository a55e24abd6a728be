// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "images.h"
#include "pack.h"

static bool disk_full, sync_fails, rename_fails;

size_t __real_fwrite(const void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fwrite(const void *data, size_t size, size_t count, FILE *file)
{
	if (!disk_full)
		return __real_fwrite(data, size, count, file);
	errno = ENOSPC;
	return 0;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (!sync_fails)
		return __real_fsync(fd);
	errno = EIO;
	return -1;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	if (!rename_fails)
		return __real_rename(from, to);
	errno = EACCES;
	return -1;
}

static uint8_t data[20000];
static struct pack_options options;
static struct fault f;

static int setup(void **state)
{
	static char input[128];

	disk_full = sync_fails = rename_fails = false;
	if (temp_dir_make(state) < 0)
		return -1;
	fill_random(data, 10000, 1);
	(void)snprintf(input, sizeof(input), "%s", temp_path("rootfs"));
	write_file(input, data, sizeof(data));
	options = (struct pack_options){
		.fw_version = "1",
		.payload = { { .file = input,
			       .to = { .part = "rootfs",
				       .kind = PAYLOAD_MTD,
				       .tail = TAIL_ERASE,
				       .chunk_size = 4096 } } },
		.payload_count = 1,
		.level = 9,
	};
	return 0;
}

static void expect_nothing_made(void)
{
	assert_int_equal(access(temp_path("fw.fwi"), F_OK), -1);
	assert_int_equal(access(temp_path("fw.fwi.part"), F_OK), -1);
}

static void same_input_same_bytes(void **state)
{
	size_t one_len, two_len;
	uint8_t *one, *two;

	assert_int_equal(pack_image(&options, temp_path("one.fwi"), &f), 0);
	assert_int_equal(pack_image(&options, temp_path("two.fwi"), &f), 0);
	one = read_file(temp_path("one.fwi"), &one_len);
	two = read_file(temp_path("two.fwi"), &two_len);
	assert_int_equal(one_len, two_len);
	assert_memory_equal(one, two, one_len);
	assert_int_equal(access(temp_path("one.fwi.part"), F_OK), -1);
	free(one);
	free(two);
}

static void missing_input(void **state)
{
	options.payload[0].file = "/nonexistent/rootfs";
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "/nonexistent/rootfs: cannot open");
	expect_nothing_made();
}

static void empty_input(void **state)
{
	write_text(options.payload[0].file, "");
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), -1);
	assert_fault(&f, FAULT_USAGE, "is empty");
	expect_nothing_made();
}

static void ubinized_input_as_it_is(void **state)
{
	memcpy(data, "UBI#", 4);
	write_file(options.payload[0].file, data, sizeof(data));
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), -1);
	assert_fault(&f, FAULT_USAGE, "rootfs: made by ubinize: say rootfs=");
	expect_nothing_made();
	options.payload[0].to.kind = PAYLOAD_UBI;
	options.payload[0].to.tail = TAIL_NONE;
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), 0);
}

static void no_place_for_the_output(void **state)
{
	assert_int_equal(pack_image(&options, temp_path("none/fw.fwi"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "fw.fwi.part: cannot create");
}

static void full_disk(void **state)
{
	disk_full = true;
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), -1);
	disk_full = false;
	assert_fault(&f, FAULT_FAILED, "No space left");
	expect_nothing_made();
}

static void sync_error(void **state)
{
	sync_fails = true;
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "cannot write: Input/output error");
	expect_nothing_made();
}

static void rename_error(void **state)
{
	rename_fails = true;
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "cannot rename to");
	expect_nothing_made();
}

/* A failure leaves the image that was there alone. */
static void old_image_stays(void **state)
{
	size_t len;
	uint8_t *text;

	write_text(temp_path("fw.fwi"), "old");
	sync_fails = true;
	assert_int_equal(pack_image(&options, temp_path("fw.fwi"), &f), -1);
	text = read_file(temp_path("fw.fwi"), &len);
	assert_string_equal((char *)text, "old");
	free(text);
}

#define pack_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		pack_test(same_input_same_bytes),
		pack_test(missing_input),
		pack_test(empty_input),
		pack_test(ubinized_input_as_it_is),
		pack_test(no_place_for_the_output),
		pack_test(full_disk),
		pack_test(sync_error),
		pack_test(rename_error),
		pack_test(old_image_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
