#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hostile.py OUTDIR: writes images that a reader must allow, and many more that it must refuse, to OUTDIR/NAME.fwi.

Each breaks one rule of the specification and is right otherwise, so a reader that lacks the rule lets it pass. Lists
tell what is right, in lines of NAME, "allowed" or "refused", and why:

    cases.txt   for a reader without keys
    keyed.txt   for a reader with the key OUTDIR/test.pub
    keys.txt    NAME is that of a public key file, OUTDIR/NAME.pub, to check OUTDIR/keyed-signify.fwi with

Exits with 1 if fwi.py does not agree, or refuses for another reason than meant.
"""

import base64
import copy
import pathlib
import random
import struct
import sys
import zlib
from typing import NamedTuple

import ed25519
import fwi
from fwi import ANTI_ROLLBACK, BOARD, CHUNK_TABLE, IDENTITY, PAYLOAD, VERSION, VOLUME, Field

KEY = fwi.SecretKey(bytes(range(32)), b"testkey1")
OTHER_KEY = fwi.SecretKey(bytes(range(32, 64)), b"testkey2")


class Case(NamedTuple):
    name: str
    data: bytes
    allowed: bool
    reason: str  # a part of what fwi.py says, if it is refused


def noise(size):
    return random.Random(size).randbytes(size)


def text(size):
    return (b"All work and no play makes Jack a dull boy. " * (size // 44 + 1))[:size]


def image_of(*payloads):
    """An image of such (fields, chunks) as payload_fields() returns."""
    image = fwi.Image([fwi.identity(), Field(BOARD, b"acme,router"), Field(VERSION, b"1.2.3")])
    for fields, chunks in payloads:
        image.fields += fields
        image.chunks += chunks
    return image


def sample():
    """A small image with a payload of each kind, and a chunk of each encoding."""
    return image_of(
        fwi.payload_fields(b"kernel", text(4096) + b"\xff" * 4096 + noise(100)),
        fwi.payload_fields(b"data", text(5000), kind=2),
        fwi.payload_fields(b"ubi", text(100), kind=3, volume=(0, 1, b"rootfs")),
        fwi.payload_fields(b"mmcblk0p2", noise(5000), kind=4, chunk_size=8192),
    )


def one_chunk(contents, stored, encoding, size=None):
    """An image of one chunk, stored in this way, that claims to have this size when unpacked."""
    fields, _ = fwi.payload_fields(b"kernel", contents[:1], chunk_size=1 << 20)
    fields[0].put(0, "Q", len(contents) if size is None else size)
    return image_of(([fields[0], Field(CHUNK_TABLE, fwi.chunk_line(contents, stored, encoding))], stored))


def erased_mebibytes(count):
    """An image that says that it holds so many MiB of 0xFF."""
    contents = b"\xff" * (1 << 20)
    image = image_of(fwi.payload_fields(b"kernel", contents, chunk_size=len(contents)))
    image.find(PAYLOAD).put(0, "Q", count << 20)
    image.find(CHUNK_TABLE).value *= count
    return image


def allowed(name, image):
    return Case(name, image if isinstance(image, bytes) else image.build(), True, "-")


def refused(name, image, reason):
    return Case(name, image if isinstance(image, bytes) else image.build(), False, reason)


class Changes:
    """Makes changed copies of an image."""

    def __init__(self, base):
        self.base = base

    def preamble(self, **numbers):
        image = copy.deepcopy(self.base)
        image.preamble = numbers
        return image

    def put(self, number, offset, form, value, nth=0):
        """Another number in the value of a field."""
        image = copy.deepcopy(self.base)
        image.find(number, nth).put(offset, form, value)
        return image

    def value(self, number, value, nth=0):
        image = copy.deepcopy(self.base)
        image.find(number, nth).value = value
        return image

    def header(self, number, **members):
        """Another header of a field."""
        image = copy.deepcopy(self.base)
        for member, value in members.items():
            setattr(image.find(number), member, value)
        return image

    def name(self, number, name, nth=0):
        """Another name of a payload or of a UBI volume."""
        fixed = 16 if number == PAYLOAD else 12
        return self.value(number, self.base.find(number, nth).value[:fixed] + name, nth)

    def without(self, number):
        image = copy.deepcopy(self.base)
        image.fields.remove(image.find(number))
        return image

    def with_fields(self, *fields, at=None):
        """More fields, at the end or at a place."""
        image = copy.deepcopy(self.base)
        at = len(image.fields) if at is None else at
        image.fields[at:at] = fields
        return image

    def chunks(self, chunks):
        image = copy.deepcopy(self.base)
        image.chunks = chunks
        return image

    def signature(self, signature):
        image = copy.deepcopy(self.base)
        image.signature = signature
        return image


def of_preamble(base):
    change, data = Changes(base), base.build()
    index, total = len(base.index()), len(base.chunks)
    yield refused("empty-file", b"", "not a firmware image")
    yield refused("magic-only", data[:8], "preamble is too short")
    yield refused("magic-7-bits", change.preamble(magic=b"\x09FWI\r\n\x1a\n"), "not a firmware image")
    yield refused("magic-newlines", change.preamble(magic=b"\x89FWI\n\n\x1a\n"), "not a firmware image")
    yield refused("preamble-cut", data[:39], "preamble is too short")
    yield refused("preamble-crc", change.preamble(preamble_crc=0), "preamble: CRC-32 is wrong")
    version = change.put(IDENTITY, 8, "H", 2)
    version.preamble = {"version": 2}
    yield refused("version-2", version, "unknown format version 2")
    version = change.put(IDENTITY, 8, "H", 0)
    version.preamble = {"version": 0}
    yield refused("version-0", version, "unknown format version 0")
    for size in (0, 36, 39, 41, 44, 0xFFFF):
        yield refused(f"preamble-size-{size}", change.preamble(preamble_size=size), "preamble: its size is not 40")
    longer = data[:10] + struct.pack("<H", 44) + data[12:36] + bytes(4)
    longer += struct.pack("<I", zlib.crc32(longer)) + data[40:]
    yield refused("preamble-of-44", longer, "preamble: CRC-32 is wrong")

    yield refused("index-empty", fwi.Image(), "size of the index")
    filler = fwi.INDEX_MOST - index - 8
    yield allowed("index-most", change.with_fields(Field(0x7000, bytes(filler))))
    yield refused("index-above-most", change.with_fields(Field(0x7000, bytes(filler + 1))), "size of the index")
    yield refused("index-size-ones", change.preamble(index_size=0xFFFFFFFF), "size of the index")
    yield refused("index-size-above-file", change.preamble(index_size=index + total + 1), "cut short")
    yield refused("index-size-less-1", change.preamble(index_size=index - 1, chunks_size=total + 1), "CRC-32 is wrong")
    yield refused("index-crc", change.preamble(index_crc=zlib.crc32(base.index()) ^ 1), "index: CRC-32 is wrong")
    yield refused("signature-crc-unsigned", change.preamble(signature_crc=1), "signature: CRC-32 is wrong")
    yield refused("signature-size-ones", change.preamble(signature_size=0xFFFFFFFF), "the signature is above 4096")
    yield refused("signature-size-above-file", change.preamble(signature_size=4096), "cut short")
    for name, size in (
        ("chunks-size-ones", 2**64 - 1),
        ("chunks-size-wraps-to-0", 2**64 - 40 - index),
        ("chunks-size-2-to-63", 2**63),
        ("chunks-size-plus-4-gib", 2**32 + total),
        ("chunks-size-more", total + 1),
    ):
        yield refused(name, change.preamble(chunks_size=size), "cut short")
    yield refused("chunks-size-less", change.preamble(chunks_size=total - 1), "goes on behind")
    yield refused("chunks-more-than-index-says", change.chunks(base.chunks + b"\0"), "not the sum")
    yield refused("chunks-less-than-index-says", change.chunks(base.chunks[:-1]), "not the sum")
    yield refused("no-chunks", change.chunks(b""), "not the sum")
    yield refused("file-cut-in-index", data[:60], "cut short")
    yield refused("file-cut-behind-index", data[: 40 + index], "cut short")
    yield refused("file-cut-last-byte", data[:-1], "cut short")
    yield refused("file-goes-on", data + b"\0", "goes on behind")
    yield refused("file-twice", data + data, "goes on behind")


def of_text(name, make, reason, is_name):
    """The rules of text, and of names; make() puts a text into an image."""
    yield allowed(f"{name}-1-byte", make(b"x"))
    yield allowed(f"{name}-63-bytes", make(b"x" * 63))
    yield allowed(f"{name}-first-and-last-character", make(b" x~ "))
    yield refused(f"{name}-empty", make(b""), f"{reason} has 0 bytes")
    yield refused(f"{name}-64-bytes", make(b"x" * 64), f"{reason} has 64 bytes")
    yield refused(f"{name}-300-bytes", make(b"x" * 300), f"{reason} has 300 bytes")
    for what, bad in (
        ("below-space", b"a\x1fb"),
        ("delete", b"a\x7f"),
        ("8-bit", b"a\x80"),
        ("utf-8", "ä".encode()),
        ("nul", b"a\0b"),
        ("nul-at-end", b"a\0"),
        ("newline", b"a\n"),
        ("escape", b"\x1b[2J"),
    ):
        yield refused(f"{name}-{what}", make(bad), f"{reason} is not printable ASCII")
    for what, text_only in (("slash", b"a/b"), ("slash-first", b"/a"), ("dot", b"."), ("dot-dot", b"..")):
        if is_name:
            yield refused(f"{name}-{what}", make(text_only), "the name ")
        else:
            yield allowed(f"{name}-{what}", make(text_only))
    for what, good in (("3-dots", b"..."), ("hidden", b".a"), ("space", b" "), ("percent", b"%s%n$(x);'\"\\")):
        yield allowed(f"{name}-{what}", make(good))


def of_fields(base):
    change = Changes(base)
    last = base.fields[-1]
    yield refused("field-reserved-1", change.header(VERSION, reserved=1), "a reserved byte is not zero")
    yield refused("field-reserved-2", change.header(VERSION, reserved=0x8000), "a reserved byte is not zero")
    unknown = change.with_fields(Field(1, b"x", reserved=1))
    yield refused("field-unknown-reserved", unknown, "a reserved byte is not zero")
    # A length that is wrong goes to the last field, or the next field would be lost.
    for name, length in (
        ("more-1", len(last.value) + 1),
        ("ones", 0xFFFFFFFF),
        ("wraps-to-its-start", 0xFFFFFFF8),
        ("2-to-31", 0x80000000),
    ):
        image = copy.deepcopy(base)
        image.fields[-1].length = length
        yield refused(f"field-length-{name}", image, "is too short")
        unknown = change.with_fields(Field(1, b"", length=length))
        yield refused(f"field-unknown-length-{name}", unknown, "is too short")
    for size in (1, 2, 7):
        image = change.with_fields(Field(1))
        whole = image.index()
        image.fields = [RawIndex(whole[: len(whole) - 8 + size])]
        yield refused(f"field-header-cut-to-{size}", image, "is too short")

    for number in (0, 1, 3, 0x7FFF):
        yield allowed(f"unknown-{number:04x}", change.with_fields(Field(number, b"any\0thing\xff")))
    yield allowed("unknown-empty", change.with_fields(Field(3)))
    yield allowed("unknown-twice", change.with_fields(Field(3, b"1"), Field(3, b"1")))
    yield allowed("unknown-behind-identity", change.with_fields(Field(3), at=1))
    place = base.fields.index(base.find(CHUNK_TABLE))
    yield allowed("unknown-before-chunk-table", change.with_fields(Field(3), at=place))
    yield allowed("unknown-thousands", change.with_fields(*[Field(3)] * 10000))
    for number in (0x8007, 0xC000, 0xFFFF):
        yield refused(f"critical-{number:04x}", change.with_fields(Field(number)), f"critical field 0x{number:04x}")

    reason = "the identity is not there once, as the first field"
    yield refused("identity-missing", change.without(IDENTITY), reason)
    yield refused("identity-twice", change.with_fields(fwi.identity()), reason)
    yield refused("identity-not-first", change.with_fields(Field(3), at=0), reason)
    yield refused("identity-second", change.with_fields(base.find(VERSION), at=0), reason)
    yield refused("identity-short", change.value(IDENTITY, fwi.identity().value[:9]), "identity is too short")
    yield refused("identity-long", change.value(IDENTITY, fwi.identity().value + b"\0"), "identity is too long")
    yield refused("identity-other-magic", change.put(IDENTITY, 0, "B", 0), "identity is not the preamble's")
    yield refused("identity-other-version", change.put(IDENTITY, 8, "H", 2), "identity is not the preamble's")

    yield refused("version-missing", change.without(VERSION), "no firmware version")
    yield refused("version-twice", change.with_fields(base.find(VERSION)), "a second firmware version")
    yield from of_text("version-text", lambda value: change.value(VERSION, value), "text", is_name=False)

    yield allowed("board-none", change.without(BOARD))
    yield allowed("board-last", change.with_fields(Field(BOARD, b"other")))
    yield allowed("board-other-case", change.with_fields(Field(BOARD, b"ACME,router")))
    yield refused("board-twice", change.with_fields(base.find(BOARD)), "is there twice")
    for more, case in ((15, allowed), (16, lambda name, image: refused(name, image, "more than 16 boards"))):
        boards = [Field(BOARD, b"board %d" % number) for number in range(more)]
        yield case(f"boards-{1 + more}", change.with_fields(*boards))
    yield from of_text("board-text", lambda value: change.value(BOARD, value), "name", is_name=False)

    for number in (0, 1, 0xFFFFFFFF):
        yield allowed(f"anti-rollback-{number}", change.with_fields(Field(ANTI_ROLLBACK, struct.pack("<I", number))))
    yield allowed("anti-rollback-before-chunk-table", change.with_fields(Field(ANTI_ROLLBACK, bytes(4)), at=place))
    twice = change.with_fields(*[Field(ANTI_ROLLBACK, bytes(4))] * 2)
    yield refused("anti-rollback-twice", twice, "a second anti-rollback number")
    for size, fault in ((0, "short"), (3, "short"), (5, "long"), (8, "long")):
        image = change.with_fields(Field(ANTI_ROLLBACK, bytes(size)))
        yield refused(f"anti-rollback-{size}-bytes", image, f"anti-rollback number is too {fault}")


class RawIndex:
    """Bytes in the place of the index's fields."""

    def __init__(self, data):
        self.data = data

    def build(self):
        return self.data


def of_payloads(base):
    change = Changes(base)

    def one(name, *args, **options):
        return name, image_of(fwi.payload_fields(*args, **options))

    yield refused("payloads-0", image_of(), "no payload")
    for count in (1, 8):
        yield allowed(f"payloads-{count}", image_of(*(fwi.payload_fields(b"%d" % i, b"x") for i in range(count))))
    image = image_of(*(fwi.payload_fields(b"%d" % i, b"x") for i in range(9)))
    yield refused("payloads-9", image, "more than 8 payloads")
    yield refused("payload-15-bytes", change.value(PAYLOAD, base.find(PAYLOAD).value[:15]), "is too short")
    yield refused("payload-no-bytes", change.value(PAYLOAD, b""), "is too short")

    yield allowed(*one("size-1", b"kernel", b"x"))
    yield refused(*one("size-0", b"kernel", b""), "payload of no bytes")
    one_line = fwi.chunk_line(text(4096), b"", 2)
    for name, size, table in (
        ("size-ones", 2**64 - 1, b""),
        ("size-rounds-up-to-0", 2**64 - 4095, b""),
        ("size-of-2-to-32-chunks-and-1", (2**32 + 1) * 4096, one_line),
        ("size-of-2-to-30-chunks-and-1", (2**30 + 1) * 4096, one_line),
        ("size-plus-4-gib", 2**32 + 4096, one_line),
    ):
        image = image_of(fwi.payload_fields(b"kernel", b"\xff" * 4096))
        image.find(PAYLOAD).put(0, "Q", size)
        image.find(CHUNK_TABLE).value = table
        yield refused(name, image, "lines of the contents")

    for size in (4096, 5000, 1 << 20):
        yield allowed(*one(f"chunk-size-{size}", b"kernel", text(100), chunk_size=size))
    for size in (1, 4095, (1 << 20) + 1, 0xFFFFFFFF):
        yield refused(*one(f"chunk-size-{size}", b"kernel", text(100), chunk_size=size), "chunk size is not")
    yield refused("chunk-size-0", change.put(PAYLOAD, 8, "I", 0), "chunk size is not")
    yield allowed(*one("chunk-of-1-mib-each-way", b"kernel", noise(1 << 20) + text(1 << 20), chunk_size=1 << 20))

    for kind in (0, 5, 255):
        yield refused(*one(f"kind-{kind}", b"kernel", b"x", kind=kind), "unknown kind")
    for tail in (1, 2, 3):
        yield allowed(*one(f"tail-{tail}", b"kernel", b"x", tail=tail))
    for tail in (0, 4, 255):
        yield refused(*one(f"tail-{tail}", b"kernel", b"x", tail=tail), "unknown tail policy")
    for kind, volume in ((2, None), (3, (0, 1, b"rootfs")), (4, None)):
        image = one(f"tail-1-for-kind-{kind}", b"kernel", b"x", kind=kind, tail=1, volume=volume)
        yield refused(*image, "unknown tail policy")
    for offset in (14, 15):
        image = change.put(PAYLOAD, offset, "B", 1)
        yield refused(f"payload-reserved-{offset}", image, "a reserved byte is not zero")
    yield from of_text("payload-name", lambda name: change.name(PAYLOAD, name), "name", is_name=True)

    def kind_of(kind, volume=b"rootfs", name=b"system"):
        volume = (0, 1, volume) if kind == 3 else None
        return fwi.payload_fields(name, b"x", kind=kind, volume=volume)

    for first, second in ((1, 1), (1, 2), (1, 4), (4, 4), (3, 1), (1, 3), (3, 2), (2, 3), (4, 3)):
        image = image_of(kind_of(first), kind_of(second))
        yield refused(f"same-name-kinds-{first}-{second}", image, "an earlier payload has its name")
    image = image_of(kind_of(1), kind_of(2, name=b"other"), kind_of(1))
    yield refused("same-name-not-adjacent", image, "an earlier payload has its name")
    yield refused("same-volume", image_of(kind_of(3), kind_of(3)), "an earlier payload has its name")
    volumes = [kind_of(3, b"a"), kind_of(3, b"b"), kind_of(3, b"c"), kind_of(3, b"a")]
    yield refused("same-volume-not-adjacent", image_of(*volumes), "an earlier payload has its name")
    yield allowed("same-name-other-volume", image_of(*volumes[:3]))
    yield allowed("same-volume-other-name", image_of(kind_of(3), kind_of(3, name=b"other")))
    yield allowed("same-name-other-case", image_of(kind_of(1), kind_of(1, name=b"System")))
    yield allowed("same-name-longer", image_of(kind_of(1), kind_of(1, name=b"system2")))


def of_volumes(base):
    change = Changes(base)
    volume = base.find(VOLUME)
    place = base.fields.index(volume)
    yield refused("volume-missing", change.without(VOLUME), "has no UBI volume")
    other = Field(VOLUME, volume.value + b"2")
    yield refused("volume-twice", change.with_fields(other, at=place), "a second UBI volume")
    first = base.fields.index(base.find(PAYLOAD))
    yield refused("volume-for-mtd", change.with_fields(other, at=first + 1), "not of kind ubivol")
    yield refused("volume-for-block", change.with_fields(other), "not of kind ubivol")
    yield refused("volume-before-payloads", change.with_fields(other, at=first), "before the first payload")
    late = change.without(VOLUME)
    late.fields.insert(place + 1, volume)
    yield allowed("volume-behind-chunk-table", late)
    late = change.without(VOLUME)
    late.fields.append(volume)
    yield refused("volume-behind-other-payload", late, "not of kind ubivol")
    yield allowed("volume-static", change.put(VOLUME, 8, "B", 2))
    for size in (100, 101, 2**64 - 1):
        yield allowed(f"volume-size-{size}", change.put(VOLUME, 0, "Q", size))
    for kind in (0, 3, 255):
        yield refused(f"volume-type-{kind}", change.put(VOLUME, 8, "B", kind), "unknown type")
    for offset in (9, 10, 11):
        image = change.put(VOLUME, offset, "B", 0x80)
        yield refused(f"volume-reserved-{offset}", image, "a reserved byte is not zero")
    yield refused("volume-11-bytes", change.value(VOLUME, volume.value[:11]), "is too short")
    yield from of_text("volume-name", lambda name: change.name(VOLUME, name), "name", is_name=True)


def of_chunk_tables(base):
    change = Changes(base)
    table = base.find(CHUNK_TABLE)
    place = base.fields.index(table)
    yield refused("table-missing", change.without(CHUNK_TABLE), "has no chunk table")
    yield refused("table-twice", change.with_fields(table, at=place), "a second chunk table")
    yield refused("table-before-payloads", change.with_fields(table, at=place - 1), "before the first payload")
    late = change.without(CHUNK_TABLE)
    late.fields.insert(place + 1, table)
    yield refused("table-behind-next-payload", late, "lines of the contents")
    pair = image_of(fwi.payload_fields(b"a", b"x"), fwi.payload_fields(b"b", b"x"))
    pair.fields[4], pair.fields[5] = pair.fields[5], pair.fields[4]
    yield refused("tables-behind-both-payloads", pair, "a second chunk table")
    for name, value in (
        ("empty", b""),
        ("line-less", table.value[:-44]),
        ("line-more", table.value + table.value[-44:]),
        ("byte-less", table.value[:-1]),
        ("byte-more", table.value + b"\0"),
    ):
        yield refused(f"table-{name}", change.value(CHUNK_TABLE, value), "lines of the contents")
    most = (fwi.INDEX_MOST - len(image_of().index()) - 8 - 16 - 6 - 8) // 44
    contents = b"\xff" * (4096 * most)
    yield allowed("table-most-lines", image_of(fwi.payload_fields(b"kernel", contents)))
    # These take a reader some time, which it spends on making 0xFF and its SHA-256.
    yield allowed("erased-64-mib", erased_mebibytes(64))
    yield allowed("erased-above-4-gib", erased_mebibytes(4097))

    for encoding in (3, 255):
        yield refused(f"encoding-{encoding}", change.put(CHUNK_TABLE, 8, "B", encoding), "unknown encoding")
    for offset in (9, 10, 11, 53):
        image = change.put(CHUNK_TABLE, offset, "B", 1)
        yield refused(f"line-reserved-{offset}", image, "a reserved byte is not zero")

    data = noise(4096)
    yield allowed("plain", one_chunk(data, data, 0))
    yield refused("plain-byte-less", one_chunk(data, data[:-1], 0), "stored plainly, but stored size")
    yield refused("plain-byte-more", one_chunk(data, data + b"\0", 0), "stored plainly, but stored size")
    yield refused("plain-nothing", one_chunk(data, b"", 0), "stored plainly, but stored size")
    image = one_chunk(data, data, 0)
    image.find(CHUNK_TABLE).put(0, "I", 0xFFFFFFFF)
    yield refused("plain-size-ones", image, "stored plainly, but stored size")
    last = image_of(fwi.payload_fields(b"kernel", noise(5000)))
    last.find(CHUNK_TABLE).put(44, "I", 4096)
    last.chunks += bytes(4096 - 904)
    yield refused("plain-last-chunk-whole", last, "stored plainly, but stored size")
    erased = b"\xff" * 4096
    yield allowed("erased", one_chunk(erased, b"", 2))
    yield allowed("erased-but-plain", one_chunk(erased, erased, 0))
    yield allowed("erased-but-zlib", one_chunk(erased, zlib.compress(erased), 1))
    yield allowed("erased-1-byte", one_chunk(b"\xff", b"", 2))
    yield refused("erased-1-byte-stored", one_chunk(erased, b"\xff", 2), "all 0xFF, but stored size")
    yield refused("erased-all-stored", one_chunk(erased, erased, 2), "all 0xFF, but stored size")
    yield refused("erased-but-zeros", one_chunk(bytes(4096), b"", 2), "SHA-256 is wrong")


def deflate(data, bits):
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return packer.compress(data) + packer.flush()


def just_packed(stored_size):
    """A chunk of 4096 bytes and a zlib stream of it that has this size."""
    for noisy in range(4096):
        contents = noise(noisy) + bytes(4096 - noisy)
        block = struct.pack("<BHH", 0, noisy, 0xFFFF - noisy) + contents[:noisy]
        stream = b"\x78\x9c" + block + deflate(contents[noisy:], -15) + struct.pack(">I", zlib.adler32(contents))
        if len(stream) == stored_size:
            return contents, stream
    raise AssertionError("there is no such stream")


def of_chunks(base):
    change = Changes(base)
    data = text(4096)
    packed = zlib.compress(data, 9)
    for offset, what in ((4, "CRC-32"), (12, "SHA-256"), (43, "SHA-256")):
        for nth, encoding in enumerate(("zlib", "erased", "plain")):
            at = 44 * nth + offset
            image = change.put(CHUNK_TABLE, at, "B", base.find(CHUNK_TABLE).value[at] ^ 1)
            yield refused(f"{encoding}-{what.lower()}-byte-{offset}", image, f"{what} is wrong")
    swapped = image_of(fwi.payload_fields(b"kernel", noise(8192)))
    swapped.chunks = swapped.chunks[4096:] + swapped.chunks[:4096]
    yield refused("chunks-swapped", swapped, "CRC-32 is wrong")
    changed = base.chunks[:-1] + bytes([base.chunks[-1] ^ 1])
    yield refused("last-chunk-changed", change.chunks(changed), "CRC-32 is wrong")

    yield allowed("zlib", one_chunk(data, packed, 1))
    yield allowed("zlib-smallest-window", one_chunk(data, deflate(data, 9), 1))
    yield allowed("zlib-quick", one_chunk(data, zlib.compress(data, 1), 1))
    blocks = packed[:2] + b"\0\0\0\xff\xff" * 500 + packed[2:]
    yield allowed("zlib-500-empty-blocks", one_chunk(data, blocks, 1))
    yield allowed("zlib-size-less-1", one_chunk(*just_packed(4095), 1))
    yield refused("zlib-size-same", one_chunk(*just_packed(4096), 1), "packed, but stored size")
    yield refused("zlib-size-more", one_chunk(data, zlib.compress(data, 0), 1), "packed, but stored size")
    yield refused("zlib-nothing", one_chunk(data, b"", 1), "packed, but stored size")
    yield refused("zlib-1-byte", one_chunk(data, packed[:1], 1), "does not end with the stored bytes")
    yield refused("zlib-of-1-byte", one_chunk(b"x", b"x", 1), "packed, but stored size")
    for name, size in (("last-byte", -1), ("checksum", -4), ("middle", len(packed) // 2)):
        yield refused(f"zlib-cut-{name}", one_chunk(data, packed[:size], 1), "does not end with the stored bytes")
    yield refused("zlib-goes-on", one_chunk(data, packed + b"\0", 1), "bytes follow the zlib stream")
    half = zlib.compress(data[:2048]) + zlib.compress(data[2048:])
    yield refused("zlib-two-halves", one_chunk(data, half, 1), "unpacks to fewer bytes")
    empty = packed + zlib.compress(b"")
    yield refused("zlib-second-is-empty", one_chunk(data, empty, 1), "bytes follow the zlib stream")
    yield refused("zlib-checksum", one_chunk(data, packed[:-1] + bytes([packed[-1] ^ 1]), 1), "not a sound zlib stream")
    yield refused("zlib-raw", one_chunk(data, deflate(data, -15), 1), "not a sound zlib stream")
    yield refused("zlib-gzip", one_chunk(data, deflate(data, 31), 1), "not a sound zlib stream")
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 8, 0, data[:100])
    with_dictionary = packer.compress(data) + packer.flush()
    yield refused("zlib-dictionary", one_chunk(data, with_dictionary, 1), "not a sound zlib stream")
    # Fixed codes, whose first is a match of 3 bytes at distance 1: there is nothing yet to copy.
    too_far = b"\x78\x9c" + bytes([0b00000011, 0b00000010]) + bytes(8)
    yield refused("zlib-copies-from-before", one_chunk(data, too_far, 1), "not a sound zlib stream")
    yield refused("zlib-block-type-3", one_chunk(data, b"\x78\x9c\x07" + bytes(8), 1), "not a sound zlib stream")
    yield refused("zlib-noise", one_chunk(data, noise(100), 1), "not a sound zlib stream")

    image = one_chunk(data, packed, 1, size=4095)
    yield refused("zlib-1-byte-too-much", image, "unpacks to more bytes")
    image = one_chunk(data, packed, 1, size=4097)
    yield refused("zlib-1-byte-too-little", image, "unpacks to fewer bytes")
    image = one_chunk(data, zlib.compress(b""), 1)
    yield refused("zlib-of-nothing", image, "unpacks to fewer bytes")
    # 64 MiB for a chunk of 1 MiB, whose first MiB has the right CRC-32 and SHA-256.
    bomb = one_chunk(bytes(1 << 20), zlib.compress(bytes(64 << 20), 9), 1)
    yield refused("zlib-bomb", bomb, "unpacks to more bytes")


def of_signatures(base):
    """What is wrong with the form of a signature, which needs no key to be seen."""
    change, index = Changes(base), base.index()
    signify, legacy = KEY.sign(index), KEY.sign(index, b"Ed", b"legacy")
    minisign = KEY.sign(index, b"ED", b"timestamp:1\tfile:x\thashed")
    one, two, three, four = minisign.split(b"\n")[:4]
    old_two = signify.split(b"\n")[1]

    def lines(*parts):
        return change.signature(b"\n".join(parts) + b"\n")

    yield allowed("signed", change.signature(signify))
    yield allowed("signed-minisign", change.signature(minisign))
    yield allowed("signed-minisign-legacy", change.signature(legacy))
    yield allowed("signify-no-last-newline", change.signature(signify[:-1]))
    yield allowed("minisign-no-last-newline", change.signature(minisign[:-1]))
    yield allowed("comments-empty", lines(fwi.UNTRUSTED, two, fwi.TRUSTED, four))
    yield allowed("comments-8-bit", lines(fwi.UNTRUSTED + b"\x80\xff", two, fwi.TRUSTED + b"\x80\xff", four))
    image = change.signature(minisign)
    image.preamble = {"signature_crc": zlib.crc32(minisign) ^ 1}
    yield refused("signature-crc", image, "signature: CRC-32 is wrong")
    image = change.signature(signify).build()
    yield refused("file-cut-in-signature", image[: 40 + len(index) + 50], "cut short")

    # Lines of 1024 bytes without their newline are too long if it counts: the document does not tell.
    most = [head + b"x" * (1023 - len(head)) for head in (fwi.UNTRUSTED, fwi.TRUSTED)]
    yield allowed("lines-1023-bytes", lines(most[0], two, most[1], four))
    yield refused("line-1-1025-bytes", lines(most[0] + b"xx", two, three, four), "more than 1024 bytes")
    yield refused("line-3-1025-bytes", lines(one, two, most[1] + b"xx", four), "more than 1024 bytes")
    yield refused("signature-4096-bytes", lines(fwi.UNTRUSTED + b"x" * 3975, old_two), "more than 1024 bytes")
    yield refused("signature-4097-bytes", lines(fwi.UNTRUSTED + b"x" * 3976, old_two), "the signature is above 4096")

    for name, parts in (
        ("1", (one,)),
        ("3", (one, two, three)),
        ("5", (one, two, three, four, four)),
        ("5-last-is-empty", (one, two, three, four, b"")),
        ("3-last-is-empty", (one, old_two, b"")),
        ("4-last-are-empty", (one, old_two, b"", b"")),
        ("twice", (one, old_two, one, old_two)),
        ("first-is-empty", (b"", one, old_two)),
    ):
        reason = "signature: line 3" if len(parts) == 4 else "lines, not 2 or 4"
        yield refused(f"signature-lines-{name}", lines(*parts), reason)
    yield refused("signature-1-newline", change.signature(b"\n"), "lines, not 2 or 4")
    yield refused("signature-zeros", change.signature(bytes(100)), "lines, not 2 or 4")
    yield refused("signature-goes-on", change.signature(signify + b"\0"), "lines, not 2 or 4")
    yield refused("signature-crlf", change.signature(minisign.replace(b"\n", b"\r\n")), "line 2 is not base64")
    yield refused("line-1-no-comment", lines(b"a comment: x", old_two), "line 1 is no untrusted comment")
    yield refused("line-1-no-space", lines(b"untrusted comment:", old_two), "line 1 is no untrusted comment")
    yield refused("line-1-upper-case", lines(b"Untrusted comment: x", old_two), "line 1 is no untrusted comment")
    yield refused("line-3-no-comment", lines(one, two, b"comment: x", four), "line 3 is no trusted comment")
    yield refused("line-3-untrusted", lines(one, two, one, four), "line 3 is no trusted comment")
    raw = base64.b64decode(two)
    for name, bad in (
        ("empty", b""),
        ("no-padding", two[:-1]),
        ("more-padding", two + b"="),
        ("space-first", b" " + two),
        ("space-last", two + b" "),
        ("space-inside", two[:8] + b" " + two[8:]),
        ("goes-on", two + b"AAAA"),
        ("padding-inside", two[:4] + b"=" + two[4:]),
        ("other-alphabet", two[:-4] + b"_-" + two[-2:]),
        ("not-base64", two[:-4] + b"!?" + two[-2:]),
        ("8-bit", two[:-4] + b"\xff\xff" + two[-2:]),
        ("nul", two[:-4] + b"\0\0" + two[-2:]),
        ("73-bytes", base64.b64encode(raw[:-1])),
        ("75-bytes", base64.b64encode(raw + b"\0")),
        ("1024-bytes", b"A" * 1024),
    ):
        yield refused(f"line-2-{name}", lines(one, bad, three, four), "line 2 is not base64 of 74 bytes")
    for name, bad in (
        ("empty", b""),
        ("no-padding", four.rstrip(b"=")),
        ("63-bytes", base64.b64encode(raw[:63])),
        ("65-bytes", base64.b64encode(raw[:65])),
        ("74-bytes", two),
    ):
        yield refused(f"line-4-{name}", lines(one, two, three, bad), "line 4 is not base64 of 64 bytes")
    for name, algorithm in (("rsa", b"RS"), ("lower-case", b"ed"), ("swapped", b"dE"), ("zero", bytes(2))):
        bad = base64.b64encode(algorithm + raw[2:])
        yield refused(f"algorithm-{name}", lines(one, bad, three, four), "unknown algorithm")
    yield refused("prehashed-2-lines", lines(one, two), "prehashed, but without a trusted comment")


def cases(base):
    """For a reader without keys."""
    yield allowed("sample", base)
    for of in (of_preamble, of_fields, of_payloads, of_volumes, of_chunk_tables, of_chunks, of_signatures):
        yield from of(base)


def keyed_cases(base):
    """For a reader with KEY's public key."""
    change, index = Changes(base), base.index()
    comment = b"timestamp:1\tfile:x"
    yield refused("keyed-unsigned", base, "not signed")
    signed = {
        "signify": KEY.sign(index),
        "minisign": KEY.sign(index, b"ED", comment),
        "legacy": KEY.sign(index, b"Ed", comment),
    }
    other = {
        "signify": OTHER_KEY.sign(index),
        "minisign": OTHER_KEY.sign(index, b"ED", comment),
        "legacy": OTHER_KEY.sign(index, b"Ed", comment),
    }
    same_id = fwi.SecretKey(OTHER_KEY.seed, KEY.key_id)
    same_key = fwi.SecretKey(KEY.seed, OTHER_KEY.key_id)
    reason = "by none of the keys"
    for form, signature in signed.items():
        parts = signature.split(b"\n")
        raw = base64.b64decode(parts[1])

        def with_line_2(value, rest=tuple(parts)):
            return change.signature(b"\n".join((rest[0], base64.b64encode(value)) + rest[2:]))

        yield allowed(f"keyed-{form}", change.signature(signature))
        yield refused(f"keyed-{form}-other-key", change.signature(other[form]), reason)
        trusted = () if form == "signify" else (comment,)
        algorithm = raw[:2]
        yield refused(f"keyed-{form}-same-id", change.signature(same_id.sign(index, algorithm, *trusted)), reason)
        yield refused(f"keyed-{form}-other-id", change.signature(same_key.sign(index, algorithm, *trusted)), reason)
        for name, at in (("id", 2), ("r", 10), ("s", 42), ("last-byte", 73)):
            flipped = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
            yield refused(f"keyed-{form}-{name}-flipped", with_line_2(flipped), reason)
        yield refused(f"keyed-{form}-zeros", with_line_2(raw[:10] + bytes(64)), reason)
        wrong = KEY.sign(index + base.chunks, algorithm, *trusted)
        yield refused(f"keyed-{form}-over-chunks-too", change.signature(wrong), reason)
        wrong = KEY.sign(base.build()[:40] + index, algorithm, *trusted)
        yield refused(f"keyed-{form}-over-preamble-too", change.signature(wrong), reason)
        newer = change.value(VERSION, b"1.2.4")
        newer.signature = signature
        yield refused(f"keyed-{form}-other-index", newer, reason)
        if trusted:
            other_algorithm = b"Ed" if algorithm == b"ED" else b"ED"
            yield refused(f"keyed-{form}-other-algorithm", with_line_2(other_algorithm + raw[2:]), reason)
            changed = signature.replace(comment, b"timestamp:2\tfile:x")
            yield refused(f"keyed-{form}-other-comment", change.signature(changed), reason)
            changed = b"\n".join(parts[:3] + other[form].split(b"\n")[3:])
            yield refused(f"keyed-{form}-comment-by-other-key", change.signature(changed), reason)
            changed = b"\n".join(parts[:3] + [base64.b64encode(raw[10:]), b""])
            yield refused(f"keyed-{form}-comment-has-first-signature", change.signature(changed), reason)
    # The first two lines of a legacy signature are a whole signature: the comment is what is lost.
    yield allowed("keyed-legacy-comment-removed", change.signature(b"\n".join(signed["legacy"].split(b"\n")[:2])))
    changed = signed["minisign"].replace(b"signature", b"x", 1)
    yield allowed("keyed-untrusted-comment-changed", change.signature(changed))
    yield from fine_print_cases(base)


def fine_print_cases(base):
    """For a reader with KEY's public key: what implementations of the same standards do not agree upon."""
    change, index = Changes(base), base.index()
    comment, line, _ = KEY.sign(index).split(b"\n")
    raw = base64.b64decode(line)

    def signed(comment, line):
        return change.signature(comment + b"\n" + line + b"\n")

    yield allowed("line-1-1024-bytes", signed(fwi.UNTRUSTED + b"x" * (1024 - len(fwi.UNTRUSTED)), line))
    yield allowed("comment-with-carriage-return", signed(comment + b"\r", line))
    yield allowed("comment-with-nul", signed(comment + b"\0x", line))
    # Two bits of the last character before the padding mean nothing.
    spare = line[:-2] + bytes([line[-2] + 1]) + line[-1:]
    assert base64.b64decode(spare) == raw
    yield refused("line-2-spare-bits", signed(comment, spare), "line 2 is not base64")
    # Another S for the same signature: RFC 8032 and minisign refuse it, signify does not.
    response = int.from_bytes(raw[42:], "little") + ed25519.L
    above = base64.b64encode(raw[:42] + response.to_bytes(32, "little"))
    yield refused("signature-s-above-order", signed(comment, above), "by none of the keys")
    for size in (1, 99):
        image = change.put(VOLUME, 0, "Q", size)
        image.signature = KEY.sign(image.index())
        yield refused(f"volume-size-{size}-below-contents", image, "smaller than its contents")


def key_cases():
    """Public key files, to check an image with that KEY signed."""
    good = KEY.public()
    comment, line, _ = good.split(b"\n")
    raw = base64.b64decode(line)
    yield allowed("key", good)
    yield allowed("key-no-last-newline", good[:-1])
    yield allowed("key-other-comment", fwi.UNTRUSTED + b"\n" + line + b"\n")
    yield refused("key-other", OTHER_KEY.public(), "by none of the keys")
    yield refused("key-other-same-id", fwi.SecretKey(OTHER_KEY.seed, KEY.key_id).public(), "by none of the keys")
    yield refused("key-no-point", comment + b"\n" + base64.b64encode(raw[:10] + b"\xff" * 32), "by none of the keys")
    yield refused("key-empty", b"", "0 lines")
    yield refused("key-1-line", line + b"\n", "1 lines")
    yield refused("key-3-lines", good + line + b"\n", "3 lines")
    yield refused("key-no-comment", b"comment: x\n" + line + b"\n", "line 1 is no untrusted comment")
    yield refused("key-crlf", good.replace(b"\n", b"\r\n"), "line 2 is not base64")
    yield refused("key-41-bytes", comment + b"\n" + base64.b64encode(raw[:-1]), "line 2 is not base64")
    yield refused("key-74-bytes", comment + b"\n" + base64.b64encode(raw + bytes(32)), "line 2 is not base64")
    yield refused("key-prehashed", comment + b"\n" + base64.b64encode(b"ED" + raw[2:]), "unknown algorithm")


def verdict(data, keys):
    """What fwi.py says against an image, or None; keys are the texts of public key files."""
    try:
        fwi.Image.parse(data, [fwi.PublicKey.parse(key) for key in keys])
    except fwi.Refused as refusal:
        return str(refusal)
    return None


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: hostile.py OUTDIR")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.pub").write_bytes(KEY.public())
    base = sample()
    signed = Changes(base).signature(KEY.sign(base.index())).build()
    lists = (
        ("cases.txt", ".fwi", cases(base), lambda data: verdict(data, [])),
        ("keyed.txt", ".fwi", keyed_cases(base), lambda data: verdict(data, [KEY.public()])),
        ("keys.txt", ".pub", key_cases(), lambda data: verdict(signed, [data])),
    )
    names, wrong = set(), 0
    for listing, suffix, some_cases, judge in lists:
        with open(folder / listing, "w", encoding="utf-8") as file:
            for case in some_cases:
                assert case.name not in names, f"two cases have the name {case.name}"
                names.add(case.name)
                (folder / (case.name + suffix)).write_bytes(case.data)
                fault = judge(case.data)
                print(case.name, "allowed" if case.allowed else "refused", fault or "-", file=file)
                if case.allowed != (fault is None) or (fault and case.reason not in fault):
                    print(f"{case.name}: fwi.py says: {fault or 'allowed'}; meant: {case.reason}", file=sys.stderr)
                    wrong += 1
    print(f"{len(names)} cases, {wrong} of which fwi.py gets wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
