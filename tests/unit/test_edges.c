// SPDX-License-Identifier: GPL-2.0-or-later
/* Rare and real: memory that runs out late, a configuration of zeros, payloads at odds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chunks.h"
#include "config.h"
#include "contents.h"
#include "gzip.h"
#include "helpers.h"
#include "images.h"
#include "pack.h"

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

enum { LEN = 100000 };

static uint8_t data[LEN], packed[LEN], buf[LEN];
static struct source src;
static struct fault f;

static int setup(void **state)
{
	fill_random(data, LEN / 2, 1); /* more than is read at once, when packed */
	return temp_dir_make(state);
}

/* inflate() allocates its window when it first needs one; that there is none is no damage. */
static void no_memory_for_the_window_of_gzip(void **state)
{
	struct contents c;
	size_t got;

	write_file(temp_path("file"), packed, gzip_pack(data, LEN, packed, LEN));
	assert_int_equal(source_open(&src, temp_path("file"), &f), 0);
	assert_int_equal(contents_open(&c, &src, true, &f), 0);
	allocations_left = 0;
	if (contents_read(&c, buf, 5000, &got, &f) < 0)
		assert_int_equal(f.kind, FAULT_UNFIT);
	allocations_left = -1;
	contents_close(&c);
	source_close(&src);
}

static void no_memory_for_the_window_of_a_chunk(void **state)
{
	static const struct key_ring no_keys;
	const struct image_input in = { "rootfs", data, LEN };
	struct chunk_reader r;
	struct image img;
	size_t got;

	make_image(temp_path("fw.fwi"), &in, 1, LEN);
	assert_int_equal(source_open(&src, temp_path("fw.fwi"), &f), 0);
	assert_int_equal(image_read(&img, &src, &no_keys, &f), 0);
	assert_int_equal(chunk_reader_open(&r, &src, &img.payload[0], &f), 0);
	allocations_left = 0;
	if (chunk_reader_read(&r, buf, 5000, &got, &f) < 0)
		assert_int_equal(f.kind, FAULT_UNFIT);
	allocations_left = -1;
	chunk_reader_close(&r);
	image_free(&img);
	source_close(&src);
}

/*
 * What power cuts leave of a file that was just written is often zeros. A device whose limits are
 * unreadable must not be without limits.
 */
static void zeros_in_the_configuration(void **state)
{
	static const char text[] = "board = acme,router\n\0\0\0\nrollback-number = 9\n";
	static const char zeros[100];
	struct config c;

	write_file(temp_path("conf"), text, sizeof(text) - 1);
	assert_int_equal(config_read(&c, temp_path("conf"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "/conf");
	assert_true(c.unsure);
	write_file(temp_path("conf"), zeros, sizeof(zeros));
	assert_int_equal(config_read(&c, temp_path("conf"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "/conf");
}

/* One payload of 5000 bytes for the partition "ubi". */
static struct pack_payload payload(enum payload_kind kind, const char *volume, uint64_t volume_size)
{
	struct pack_payload p = {
		.file = temp_path("file"),
		.to = { .part = "ubi", .kind = kind, .chunk_size = 4096 },
	};

	write_file(p.file, data, 5000);
	if (kind == PAYLOAD_MTD)
		p.to.tail = TAIL_ERASE;
	else
		p.to.volume_type = VOLUME_DYNAMIC;
	p.to.volume_size = volume_size;
	(void)strcpy(p.to.volume, volume);
	return p;
}

/* Whatever flashpack makes, a reader must take. */
static void volume_smaller_than_its_contents(void **state)
{
	struct pack_options o = { .fw_version = "1", .payload_count = 1, .level = 1 };

	o.payload[0] = payload(PAYLOAD_UBIVOL, "rootfs", 4999);
	assert_int_equal(pack_image(&o, temp_path("fw.fwi"), &f), -1);
	o.payload[0] = payload(PAYLOAD_UBIVOL, "rootfs", 5000);
	assert_int_equal(pack_image(&o, temp_path("fw.fwi"), &f), 0);
}

static void volume_on_a_partition_that_is_written(void **state)
{
	struct pack_options o = { .fw_version = "1", .payload_count = 2, .level = 1 };

	o.payload[0] = payload(PAYLOAD_MTD, "", 0);
	o.payload[1] = payload(PAYLOAD_UBIVOL, "rootfs", 0);
	assert_int_equal(pack_image(&o, temp_path("fw.fwi"), &f), -1);
}

#define edge_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		edge_test(no_memory_for_the_window_of_gzip),
		edge_test(no_memory_for_the_window_of_a_chunk),
		edge_test(zeros_in_the_configuration),
		edge_test(volume_smaller_than_its_contents),
		edge_test(volume_on_a_partition_that_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
