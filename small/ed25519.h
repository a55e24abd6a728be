/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of libsodium's Ed25519 in a few loops instead of straight lines. Included by its ed25519_ref10.c (deps.cmake),
 * behind the arithmetic of the field. What is checked is public, so time may depend on it; one signature is checked per
 * image, so that may take longer.
 */

/* A square is a product. Twice a square is one of z and 2 z: z is itself a product here, which leaves room for the bit. */
#define fe25519_sq(h, f) fe25519_mul(h, f, f)
#define fe25519_sq2 small_twice_square

static void small_twice_square(fe25519 h, const fe25519 f)
{
	fe25519 twice;

	fe25519_add(twice, f, f);
	fe25519_mul(h, twice, f);
}

/* z to the power of a number of so many bits that are all ones, but for those of zeros, which are among the last eight. */
static void small_power(fe25519 out, const fe25519 z, int bits, unsigned int zeros)
{
	fe25519 r;

	fe25519_copy(r, z);
	for (int i = bits - 2; i >= 0; i--) {
		fe25519_mul(r, r, r);
		if (i > 7 || !(zeros >> i & 1))
			fe25519_mul(r, r, z);
	}
	fe25519_copy(out, r);
}

/* 1 / z = z ^ (2^255 - 21) */
void fe25519_invert(fe25519 out, const fe25519 z)
{
	small_power(out, z, 255, 20);
}

/* z ^ (2^252 - 3) */
static void fe25519_pow22523(fe25519 out, const fe25519 z)
{
	small_power(out, z, 252, 2);
}

/* s modulo the order of the group, 2^252 + 27742317777372353535851937790883648493: long division, bit by bit. */
void sc25519_reduce(unsigned char s[64])
{
	static const uint32_t order[8] = {
		0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000,
	};
	uint32_t rest[8] = { 0 };

	for (int bit = 511; bit >= 0; bit--) {
		uint32_t carry = s[bit / 8] >> bit % 8 & 1;
		uint32_t less[8], borrow = 0;

		for (int i = 0; i < 8; i++) {
			uint32_t word = rest[i];
			uint64_t difference;

			rest[i] = word << 1 | carry;
			carry = word >> 31;
			difference = (uint64_t)rest[i] - order[i] - borrow;
			less[i] = (uint32_t)difference;
			borrow = difference >> 63;
		}
		if (!borrow)
			memcpy(rest, less, sizeof(rest));
	}
	for (int i = 0; i < 32; i++)
		s[i] = (unsigned char)(rest[i / 4] >> i % 4 * 8);
}
