// SPDX-License-Identifier: GPL-2.0-or-later
#include "gzip.h"

#include <string.h>
#include <zlib.h>

#include "helpers.h"

size_t gzip_pack(const uint8_t *data, size_t len, uint8_t *out, size_t room)
{
	z_stream z;
	size_t packed;

	memset(&z, 0, sizeof(z));
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)data; /* which zlib takes without const */
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed = z.total_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
	return packed;
}
