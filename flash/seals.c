// SPDX-License-Identifier: GPL-2.0-or-later
#include "seals.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <sodium/crypto_shorthash_siphash24.h>

size_t seals_size(uint32_t count)
{
	return sizeof(struct seals) + (size_t)count * sizeof(uint64_t);
}

/*
 * AT_RANDOM: bytes that the kernel makes for each exec, since Linux 2.6.29. There is nothing to open, and nothing to
 * wait for where there is no randomness yet, as for a kernel's first process.
 */
struct seals *seals_new(uint32_t count)
{
	const void *bytes = (const void *)getauxval(AT_RANDOM); /* or 0, and errno */
	struct seals *seals = bytes ? calloc(1, seals_size(count)) : NULL;

	if (seals)
		memcpy(seals->key, bytes, sizeof(seals->key));
	return seals;
}

void seal_begin(struct seal *s, const struct seals *by)
{
	memcpy(s->state, by->key, sizeof(s->state));
}

/*
 * SipHash takes all of its message at once, and there is no room for that: so each piece is hashed under a
 * key of which the hash of those before it is one half. How many there are is the index's to say.
 */
void seal_go_on(struct seal *s, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t n = len < SEAL_PIECE ? len : SEAL_PIECE;

		(void)crypto_shorthash_siphash24(s->state, bytes, n, s->state); /* always 0 */
		bytes += n;
		len -= n;
	}
}

uint64_t seal_end(const struct seal *s)
{
	uint64_t seal;

	memcpy(&seal, s->state, sizeof(seal));
	return seal;
}
