/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed data: the second opinion that the fuzzers compare with, and mutations that keep the
 * checksums of zlib and gzip streams right.
 */
#ifndef TESTS_STREAMS_H
#define TESTS_STREAMS_H

#include <stddef.h>
#include <stdint.h>

enum wrapping { ZLIB = 15, GZIP = 16 + 15 }; /* as inflateInit2() takes it */

/*
 * Unpacks one stream at the start of data, all at once. Returns the bytes of data it takes, or 0 if
 * it is none or has more than room bytes; *got becomes the bytes unpacked.
 */
size_t unpack(enum wrapping wrapping, const uint8_t *data, size_t size, uint8_t *to, size_t room,
	      size_t *got);

/* Mutates a stream in place, its contents or its bytes; returns the new size, at most max. */
size_t stream_mutate(enum wrapping wrapping, uint8_t *data, size_t size, size_t max,
		     unsigned int seed);

#endif
