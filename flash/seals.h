/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the chunks of an image were when they passed their checks: so that who reads them once more
 * need not reckon their SHA-256 again, which takes ten times as long. A seal is a hash under a key that nobody
 * knows who could change the bytes meanwhile.
 */
#ifndef FLASH_SEALS_H
#define FLASH_SEALS_H

#include <stddef.h>
#include <stdint.h>

enum { SEAL_SIZE = 8, SEAL_KEY_SIZE = 16 };

struct seals {
	uint8_t key[SEAL_KEY_SIZE];
	uint64_t seal[]; /* of each chunk, in the order of the image; 0: it has not passed yet */
};

/* None has passed yet. The key is the kernel's random one for this program. NULL with errno, also if there is no such key. */
struct seals *seals_new(uint32_t count);

/* Bytes of seals for that many chunks. */
size_t seals_size(uint32_t count);

struct seal {
	uint8_t state[SEAL_KEY_SIZE]; /* the seal so far, and the second half of the key */
};

/* A seal is begun, goes over a chunk's bytes as they stand in the file, and is told at the end. */
void seal_begin(struct seal *s, const struct seals *by);
/* All calls but a chunk's last are with a multiple of SEAL_PIECE bytes. */
enum { SEAL_PIECE = 16384 };
void seal_go_on(struct seal *s, const uint8_t *bytes, size_t len);
uint64_t seal_end(const struct seal *s);

#endif
