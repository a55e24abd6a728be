# SPDX-License-Identifier: GPL-2.0-or-later
"""Ed25519 (RFC 8032) for tests: short and slow, and signing takes a time that depends on the secret key.

>>> seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
>>> public_key(seed).hex()
'3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
>>> sign(seed, b"\\x72").hex()[:32], sign(seed, b"\\x72").hex()[-32:]
('92a009a9f0d4cab8720e820b5f642540', '387b2eaeb4302aeeb00d291612bb0c00')
>>> verify(public_key(seed), b"\\x72", sign(seed, b"\\x72")), verify(public_key(seed), b"\\x73", sign(seed, b"\\x72"))
(True, False)
"""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

# A point is (X, Y, Z, T) with x = X / Z, y = Y / Z, x * y = T / Z.
NEUTRAL = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(factor, point):
    result = NEUTRAL
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def encode(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data):
    """The point that 32 bytes stand for, or None if they stand for none."""
    y = int.from_bytes(data, "little")
    sign_bit, y = y >> 255, y & ~(1 << 255)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign_bit):
        return None
    if x & 1 != sign_bit:
        x = P - x
    return x, y, 1, x * y % P


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expand(seed):
    """The secret factor and the secret prefix that a seed of 32 bytes stands for."""
    digest = hashlib.sha512(seed).digest()
    factor = int.from_bytes(digest[:32], "little")
    return factor & ~7 & (1 << 254) - 1 | 1 << 254, digest[32:]


def public_key(seed):
    return encode(multiply(expand(seed)[0], BASE))


def sign(seed, message):
    factor, prefix = expand(seed)
    once = number(prefix, message) % L
    commitment = encode(multiply(once, BASE))
    challenge = number(commitment, public_key(seed), message)
    return commitment + ((once + challenge * factor) % L).to_bytes(32, "little")


def verify(public, message, signature):
    """Whether the signature is the key's: strictly, without the cofactor and with the canonical S only."""
    point = decode(public)
    response = int.from_bytes(signature[32:], "little")
    if len(public) != 32 or len(signature) != 64 or point is None or response >= L:
        return False
    challenge = number(signature[:32], public, message) % L
    minus = (P - point[0], point[1], point[2], P - point[3])
    return encode(add(multiply(response, BASE), multiply(challenge, minus))) == signature[:32]
