// SPDX-License-Identifier: GPL-2.0-or-later
/* UBI's headers, held against those that ubinize made (-m 2048 -s 512 -p 128KiB -e 7 -Q 0x12345678). */
#include <string.h>

#include "helpers.h"
#include "ubi_header.h"

static const uint8_t ec_header[UBI_HEADER_SIZE] = {
	0x55,        0x42, 0x49, 0x23, 0x01,        [15] = 0x07, [18] = 0x02, [22] = 0x08,
	[24] = 0x12, 0x34, 0x56, 0x78, [60] = 0xbe, 0xa5,        0xd6,        0x35,
};
static const uint8_t layout_header[UBI_HEADER_SIZE] = {
	0x55, 0x42, 0x49, 0x21, 0x01,        0x01, 0x00, 0x05,
	0x7f, 0xff, 0xef, 0xff, [60] = 0xb8, 0x25, 0x64, 0xa8,
};
static const uint8_t volume_header[UBI_HEADER_SIZE] = {
	0x55, 0x42, 0x49, 0x21, 0x01, 0x01, [60] = 0x73, 0xb1, 0xab, 0x57,
};

static void reads_what_ubinize_wrote(void **state)
{
	struct ubi_ec ec;

	assert_true(ubi_ec_read(&ec, ec_header));
	assert_int_equal(ec.counter, 7);
	assert_int_equal(ec.vid_offset, 512);
	assert_int_equal(ec.data_offset, 2048);
	assert_int_equal(ec.image_seq, 0x12345678);
}

static void writes_what_ubinize_wrote(void **state)
{
	const struct ubi_ec ec = { 7, 512, 2048, 0x12345678 };
	uint8_t header[UBI_HEADER_SIZE];

	memset(header, 0xee, sizeof(header));
	ubi_ec_write(&ec, header);
	assert_memory_equal(header, ec_header, sizeof(header));
}

static void no_damaged_header_is_read(void **state)
{
	uint8_t header[UBI_HEADER_SIZE];
	struct ubi_ec ec;

	memcpy(header, ec_header, sizeof(header));
	for (unsigned int bit = 0; bit < 8 * sizeof(header); bit++) {
		header[bit / 8] ^= 1 << bit % 8;
		assert_false(ubi_ec_read(&ec, header));
		header[bit / 8] ^= 1 << bit % 8;
	}
	memset(header, 0xff, sizeof(header));
	assert_false(ubi_ec_read(&ec, header));
	assert_false(ubi_ec_read(&ec, volume_header));
}

static void counters_beyond_ubis_limit(void **state)
{
	struct ubi_ec ec = { UBI_EC_MAX, 64, 128, 1 }, back;
	uint8_t header[UBI_HEADER_SIZE];

	ubi_ec_write(&ec, header);
	assert_true(ubi_ec_read(&back, header));
	assert_int_equal(back.counter, UBI_EC_MAX);
	ec.counter++;
	ubi_ec_write(&ec, header);
	assert_false(ubi_ec_read(&back, header));
}

static void tells_the_layout_volume(void **state)
{
	uint8_t damaged[UBI_HEADER_SIZE];

	assert_true(ubi_is_layout(layout_header));
	assert_false(ubi_is_layout(volume_header));
	assert_false(ubi_is_layout(ec_header));
	memcpy(damaged, layout_header, sizeof(damaged));
	damaged[20] ^= 1;
	assert_false(ubi_is_layout(damaged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_ubinize_wrote),
		cmocka_unit_test(writes_what_ubinize_wrote),
		cmocka_unit_test(no_damaged_header_is_read),
		cmocka_unit_test(counters_beyond_ubis_limit),
		cmocka_unit_test(tells_the_layout_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
