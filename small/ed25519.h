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

/* Defined further down. */
static void ge25519_p2_0(ge25519_p2 *h);
static void ge25519_p2_dbl(ge25519_p1p1 *r, const ge25519_p2 *p);

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

/*
 * a A + b B, B the base point: the bits of both numbers are gone through at once, and one of three points, or none, is added
 * at each. libsodium's own takes five bits at a time, and a table for it.
 */
void ge25519_double_scalarmult_vartime(ge25519_p2 *r, const unsigned char *a, const ge25519_p3 *A,
				       const unsigned char *b)
{
	unsigned char minus_base[32]; /* y is 4 / 5; the sign is that of -B */
	ge25519_p3 base, sum;
	ge25519_p1p1 t;
	ge25519_cached points[3]; /* A, B, A + B */

	memset(minus_base, 0x66, sizeof(minus_base));
	minus_base[0] = 0x58;
	minus_base[31] = 0xe6;
	(void)ge25519_frombytes_negate_vartime(&base, minus_base); /* is a point */
	ge25519_p3_to_cached(&points[0], A);
	ge25519_p3_to_cached(&points[1], &base);
	ge25519_add(&t, A, &points[1]);
	ge25519_p1p1_to_p3(&sum, &t);
	ge25519_p3_to_cached(&points[2], &sum);
	ge25519_p2_0(r);
	for (int bit = 255; bit >= 0; bit--) {
		int which = (a[bit / 8] >> bit % 8 & 1) + 2 * (b[bit / 8] >> bit % 8 & 1);

		ge25519_p2_dbl(&t, r);
		if (which) {
			ge25519_p1p1_to_p3(&sum, &t);
			ge25519_add(&t, &sum, &points[which - 1]);
		}
		ge25519_p1p1_to_p2(r, &t);
	}
}
