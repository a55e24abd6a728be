# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes as people write them."""

_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def size(text):
    """Bytes from "16M", "128k", "0x20000" or a number."""
    if isinstance(text, int):
        return text
    digits = text.rstrip("kKmMgG")
    return int(digits, 0) * _FACTORS[text[len(digits):].lower()]
