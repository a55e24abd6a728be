/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_GZIP_H
#define TESTS_GZIP_H

#include <stddef.h>
#include <stdint.h>

/* Packs data as gzip would do it, into out. Returns the bytes it takes, at most room. */
size_t gzip_pack(const uint8_t *data, size_t len, uint8_t *out, size_t room);

#endif
