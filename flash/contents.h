/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of a plain partition image, from a file as it is or from one packed by gzip.
 */
#ifndef FLASH_CONTENTS_H
#define FLASH_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sodium/crypto_hash_sha256.h>
#include <zlib.h>

#include "fault.h"
#include "source.h"

struct contents {
	struct source *src;
	bool gzip, ended;
	z_stream z;
	uint8_t *packed;
	unsigned int sums; /* those reckoned: RAW_SHA256 and RAW_CRC32, until one is taken away */
	/* of the file as it is */
	uint32_t crc;
	crypto_hash_sha256_state sha256;
};

/* Starts at the beginning of src, which outlives c. Release with contents_close(). */
int contents_open(struct contents *c, struct source *src, bool gzip, struct fault *f);

/* Fills buf with the next len bytes of the contents; fewer, in *got, only at their end. */
int contents_read(struct contents *c, uint8_t *buf, size_t len, size_t *got, struct fault *f);

void contents_close(struct contents *c);

#endif
