#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads, checks and writes firmware images (*.fwi), by nothing but the words of their specification.

It shares no code with the programs under test, so that it can be a second opinion on them. Its write side makes wrong
images as readily as right ones: see Image and hostile.py. It is for tests: it reads a whole image into memory.
"""

import argparse
import base64
import functools
import hashlib
import json
import re
import struct
import sys
import zlib
from dataclasses import dataclass, field

import ed25519

MAGIC = b"\x89FWI\r\n\x1a\n"
PREAMBLE = struct.Struct("<8sHHIIQIII")
# The preamble's numbers, in order.
PREAMBLE_NUMBERS = (
    "version preamble_size index_size signature_size chunks_size index_crc signature_crc preamble_crc".split()
)
INDEX_MOST, SIGNATURE_MOST = 1 << 20, 4096
CHUNK_LEAST, CHUNK_MOST = 4096, 1 << 20
BOARDS_MOST, PAYLOADS_MOST = 16, 8
TEXT_MOST, LINE_MOST = 63, 1024

CRITICAL = 0x8000
IDENTITY, BOARD, VERSION, PAYLOAD, CHUNK_TABLE, ANTI_ROLLBACK, VOLUME = range(0x8000, 0x8007)
FIELD_NAMES = {
    IDENTITY: "identity",
    BOARD: "board",
    VERSION: "firmware version",
    PAYLOAD: "payload",
    CHUNK_TABLE: "chunk table",
    ANTI_ROLLBACK: "anti-rollback number",
    VOLUME: "UBI volume",
}
KINDS = {1: "mtd", 2: "ubi", 3: "ubivol", 4: "block"}
MTD, UBIVOL = 1, 3
TAILS = {1: "erase", 2: "keep", 3: "jffs2"}
VOLUME_TYPES = {1: "dynamic", 2: "static"}
PLAIN, ZLIB, ERASED = range(3)
ENCODINGS = {PLAIN: "plain", ZLIB: "zlib", ERASED: "0xFF"}
CHUNK_LINE = struct.Struct("<IIB3x32s")

UNTRUSTED, TRUSTED = b"untrusted comment: ", b"trusted comment: "


class Refused(Exception):
    """The document does not allow this; the message says what."""


def demand(condition, message):
    if not condition:
        raise Refused(message)


# Read side


class Cursor:
    """Takes the items of a part of the image one by one, and notes each (offset, bytes, meaning) for the hex dump."""

    def __init__(self, data, start, end, what, notes):
        self.data, self.at, self.end, self.what, self.notes = data, start, end, what, notes

    def left(self):
        return self.end - self.at

    def raw(self, size):
        demand(size <= self.left(), f"{self.what} is too short")
        self.at += size
        return self.data[self.at - size : self.at]

    def note(self, value, meaning):
        self.notes.append((self.at - len(value), value, f"{self.what}: {meaning}"))

    def bytes(self, size, meaning):
        value = self.raw(size)
        self.note(value, f"{meaning} {value.hex()}")
        return value

    def number(self, size, meaning, names=None, hexadecimal=False):
        """A number; with names, one that must be among them."""
        value = self.raw(size)
        number = int.from_bytes(value, "little")
        text = f"{meaning} 0x{number:0{2 * size}x}" if hexadecimal else f"{meaning} {number}"
        if names is not None:
            demand(number in names, f"{self.what}: unknown {text}")
            text += f" ({names[number]})"
        self.note(value, text)
        return number

    def reserved(self, size):
        value = self.raw(size)
        self.note(value, "reserved")
        demand(not any(value), f"{self.what}: a reserved byte is not zero")

    def text(self, meaning):
        """Text that takes all that is left."""
        value = self.raw(self.left())
        demand(1 <= len(value) <= TEXT_MOST, f"{self.what}: {meaning} has {len(value)} bytes, not 1 to {TEXT_MOST}")
        demand(re.fullmatch(rb"[\x20-\x7e]+", value), f"{self.what}: {meaning} is not printable ASCII")
        self.note(value, f'{meaning} "{value.decode()}"')
        return value.decode()

    def name(self):
        name = self.text("name")
        demand("/" not in name, f"{self.what}: the name has a slash")
        demand(name not in (".", ".."), f'{self.what}: the name is "{name}"')
        return name

    def part(self, size, what):
        """A cursor over the next bytes, which this one skips."""
        self.raw(size)
        return Cursor(self.data, self.at - size, self.at, what, self.notes)


@functools.lru_cache
def digest_of_erased(size):
    """Cached: a small image may well say that it holds gigabytes of 0xFF."""
    return hashlib.sha256(b"\xff" * size).digest()


@dataclass
class Chunk:
    size: int  # when unpacked
    stored_size: int
    crc32: int
    encoding: int
    sha256: bytes
    offset: int = 0  # in the image

    def check_sizes(self, where):
        if self.encoding == PLAIN:
            demand(self.stored_size == self.size, f"{where}: stored plainly, but stored size is not the unpacked size")
        elif self.encoding == ERASED:
            demand(self.stored_size == 0, f"{where}: all 0xFF, but stored size is not 0")
        else:
            fits = 1 <= self.stored_size < self.size
            demand(fits, f"{where}: packed, but stored size is not 1 to the unpacked size less 1")

    def unpack(self, image):
        stored = image[self.offset : self.offset + self.stored_size]
        if self.encoding == PLAIN:
            return stored
        if self.encoding == ERASED:
            return b"\xff" * self.size
        stream = zlib.decompressobj()
        try:
            # One byte more than allowed tells a stream that is too long; no more of it is unpacked.
            contents = stream.decompress(stored, self.size + 1)
        except zlib.error as error:
            raise Refused(f"not a sound zlib stream: {error}") from error
        demand(len(contents) <= self.size, "unpacks to more bytes than it should")
        demand(stream.eof, "the zlib stream does not end with the stored bytes")
        demand(len(contents) == self.size, "unpacks to fewer bytes than it should")
        demand(not stream.unused_data, "bytes follow the zlib stream")
        return contents

    def check(self, image, where):
        stored = image[self.offset : self.offset + self.stored_size]
        demand(zlib.crc32(stored) == self.crc32, f"{where}: CRC-32 is wrong")
        try:
            if self.encoding == ERASED:
                sha256 = digest_of_erased(self.size)
            else:
                sha256 = hashlib.sha256(self.unpack(image)).digest()
        except Refused as refused:
            raise Refused(f"{where}: {refused}") from refused
        demand(sha256 == self.sha256, f"{where}: SHA-256 is wrong")


@dataclass
class Payload:
    size: int
    chunk_size: int
    kind: int
    tail: int
    name: str
    volume: dict = None
    chunks: list = None

    def shares_target(self, other):
        if self.name != other.name:
            return False
        return not self.volume or not other.volume or self.volume["name"] == other.volume["name"]

    def contents(self, image):
        return b"".join(chunk.unpack(image) for chunk in self.chunks)


def lines_of(text, what):
    lines = text.split(b"\n")
    if not lines[-1]:
        del lines[-1]
    demand(all(len(line) <= LINE_MOST for line in lines), f"{what}: a line has more than {LINE_MOST} bytes")
    return lines


def from_base64(line, size, what):
    try:
        value = base64.b64decode(line, validate=True)
    except ValueError:
        value = b""
    # There are many ways to write almost base64, and decoders tolerate some of them.
    demand(base64.b64encode(value) == line and len(value) == size, f"{what} is not base64 of {size} bytes")
    return value


@dataclass
class PublicKey:
    key_id: bytes
    key: bytes

    @classmethod
    def parse(cls, text):
        lines = lines_of(text, "public key file")
        demand(len(lines) == 2, f"public key file: {len(lines)} lines, not 2")
        demand(lines[0].startswith(UNTRUSTED), "public key file: line 1 is no untrusted comment")
        value = from_base64(lines[1], 42, "public key file: line 2")
        demand(value[:2] == b"Ed", "public key file: unknown algorithm")
        return cls(value[2:10], value[10:])


@dataclass
class Signature:
    algorithm: bytes
    key_id: bytes
    signature: bytes
    trusted_comment: bytes = None
    comment_signature: bytes = None

    @classmethod
    def parse(cls, cursor):
        lines = lines_of(cursor.data[cursor.at : cursor.end], "signature")
        demand(len(lines) in (2, 4), f"signature: {len(lines)} lines, not 2 or 4")
        demand(lines[0].startswith(UNTRUSTED), "signature: line 1 is no untrusted comment")
        value = from_base64(lines[1], 74, "signature: line 2")
        self = cls(value[:2], value[2:10], value[10:])
        demand(self.algorithm in (b"Ed", b"ED"), "signature: unknown algorithm")
        demand(self.algorithm == b"Ed" or len(lines) == 4, "signature: prehashed, but without a trusted comment")
        meanings = [
            ascii(lines[0].decode("latin-1"))[1:-1],
            f"base64 of {self.algorithm.decode()}, key id {self.key_id.hex()}, Ed25519 signature",
        ]
        if len(lines) == 4:
            demand(lines[2].startswith(TRUSTED), "signature: line 3 is no trusted comment")
            self.trusted_comment = lines[2][len(TRUSTED) :]
            self.comment_signature = from_base64(lines[3], 64, "signature: line 4")
            meanings += [ascii(lines[2].decode("latin-1"))[1:-1], "base64 of an Ed25519 signature"]
        for number, (line, meaning) in enumerate(zip(lines, meanings), 1):
            cursor.note(cursor.raw(min(len(line) + 1, cursor.left())), f"line {number}: {meaning}")
        return self

    def is_by(self, key, index):
        message = hashlib.blake2b(index).digest() if self.algorithm == b"ED" else index
        if key.key_id != self.key_id or not ed25519.verify(key.key, message, self.signature):
            return False
        signed = self.signature + (self.trusted_comment or b"")
        return self.trusted_comment is None or ed25519.verify(key.key, signed, self.comment_signature)


@dataclass
class Field:
    """A field of the index. The length is that of the value unless it is given, wrong as it may be."""

    number: int
    value: bytes = b""
    reserved: int = 0
    length: int = None

    def build(self):
        length = len(self.value) if self.length is None else self.length
        return struct.pack("<HHI", self.number, self.reserved, length) + self.value

    def put(self, offset, form, *numbers):
        """Overwrites a part of the value, as struct.pack() would write it."""
        value = bytearray(self.value)
        struct.pack_into("<" + form, value, offset, *numbers)
        self.value = bytes(value)


@dataclass
class Image:
    """An image.

    The first four members are all that build() looks at, and it checks nothing. The members of preamble override what
    build() would reckon: see PREAMBLE_NUMBERS, and magic. The other members are what parse() has found out.
    """

    fields: list = field(default_factory=list)
    signature: bytes = b""
    chunks: bytes = b""
    preamble: dict = field(default_factory=dict)

    numbers: dict = field(default_factory=dict)  # of the preamble
    version: str = None
    boards: list = field(default_factory=list)
    anti_rollback: int = None
    payloads: list = field(default_factory=list)
    unknown: list = field(default_factory=list)  # (number, value) of each field that was skipped
    parsed_signature: Signature = None
    signed_by: PublicKey = None
    notes: list = field(default_factory=list)  # (offset, bytes, meaning) of each item

    def find(self, number, nth=0):
        return [item for item in self.fields if item.number == number][nth]

    def index(self):
        """What a signature is made over."""
        return b"".join(item.build() for item in self.fields)

    def build(self):
        index = self.index()
        numbers = {
            "magic": MAGIC,
            "version": 1,
            "preamble_size": PREAMBLE.size,
            "index_size": len(index),
            "signature_size": len(self.signature),
            "chunks_size": len(self.chunks),
            "index_crc": zlib.crc32(index),
            "signature_crc": zlib.crc32(self.signature),
            "preamble_crc": 0,
        } | self.preamble
        preamble = PREAMBLE.pack(*numbers.values())
        if "preamble_crc" not in self.preamble:
            preamble = preamble[:-4] + struct.pack("<I", zlib.crc32(preamble[:-4]))
        return preamble + index + self.signature + self.chunks

    @classmethod
    def parse(cls, data, keys=()):
        """The image, if the document allows it to a reader that has these public keys; otherwise raises Refused."""
        self = cls()
        index = self.parse_preamble(data)
        signature = Cursor(data, index.end, index.end + self.numbers["signature_size"], "signature", self.notes)
        self.signature = data[signature.at : signature.end]
        self.chunks = data[signature.end :]
        signed = data[index.at : index.end]
        demand(zlib.crc32(signed) == self.numbers["index_crc"], "index: CRC-32 is wrong")
        demand(zlib.crc32(self.signature) == self.numbers["signature_crc"], "signature: CRC-32 is wrong")
        self.parse_index(index)
        if self.signature:
            self.parsed_signature = Signature.parse(signature)
        if keys:
            demand(self.signature, "signature: the image is not signed")
            self.signed_by = next((key for key in keys if self.parsed_signature.is_by(key, signed)), None)
            demand(self.signed_by, "signature: by none of the keys")
        self.check_chunks(data, signature.end)
        return self

    def parse_preamble(self, data):
        """Returns a cursor over the index."""
        demand(data[: len(MAGIC)] == MAGIC, "preamble: not a firmware image")
        cursor = Cursor(data, 0, min(PREAMBLE.size, len(data)), "preamble", self.notes)
        cursor.note(cursor.raw(len(MAGIC)), "magic")
        for name, size in zip(PREAMBLE_NUMBERS, (2, 2, 4, 4, 8, 4, 4, 4)):
            meaning = name.replace("_", " ").replace("crc", "CRC-32")
            self.numbers[name] = cursor.number(size, meaning, hexadecimal=name.endswith("crc"))
        numbers = self.numbers
        demand(zlib.crc32(data[: cursor.at - 4]) == numbers["preamble_crc"], "preamble: CRC-32 is wrong")
        demand(numbers["version"] == 1, f"preamble: unknown format version {numbers['version']}")
        demand(numbers["preamble_size"] == PREAMBLE.size, f"preamble: its size is not {PREAMBLE.size}")
        demand(1 <= numbers["index_size"] <= INDEX_MOST, f"preamble: size of the index is not 1 to {INDEX_MOST}")
        demand(numbers["signature_size"] <= SIGNATURE_MOST, f"preamble: the signature is above {SIGNATURE_MOST} bytes")
        end = PREAMBLE.size + numbers["index_size"] + numbers["signature_size"] + numbers["chunks_size"]
        demand(len(data) >= end, "the file is cut short")
        demand(len(data) <= end, "the file goes on behind the last chunk")
        return Cursor(data, PREAMBLE.size, PREAMBLE.size + numbers["index_size"], "index", self.notes)

    def parse_index(self, cursor):
        readers = {
            IDENTITY: self.read_identity,
            BOARD: self.read_board,
            VERSION: self.read_version,
            PAYLOAD: self.read_payload,
            CHUNK_TABLE: self.read_chunk_table,
            ANTI_ROLLBACK: self.read_anti_rollback,
            VOLUME: self.read_volume,
        }
        while cursor.left():
            header = cursor.part(8, "field")
            number = header.number(2, "number", hexadecimal=True)
            header.reserved(2)
            length = header.number(4, "length")
            first = not self.fields
            demand(first == (number == IDENTITY), "index: the identity is not there once, as the first field")
            if number in readers:
                part = cursor.part(length, FIELD_NAMES[number])
                self.fields.append(Field(number, part.data[part.at : part.end]))
                readers[number](part)
                demand(not part.left(), f"{part.what} is too long")
            else:
                demand(not number & CRITICAL, f"index: unknown critical field 0x{number:04x}")
                value = cursor.raw(length)
                cursor.note(value, "skipped, unknown")
                self.fields.append(Field(number, value))
                self.unknown.append((number, value))
        demand(self.version is not None, "index: no firmware version")
        demand(self.payloads, "index: no payload")
        for number, payload in enumerate(self.payloads, 1):
            where = f"payload {number}"
            demand(payload.chunks is not None, f"{where} has no chunk table")
            demand(payload.kind != UBIVOL or payload.volume, f"{where} is of kind ubivol and has no UBI volume")
            clash = any(payload.shares_target(other) for other in self.payloads[: number - 1])
            demand(not clash, f"{where}: an earlier payload has its name")

    def read_identity(self, cursor):
        value = cursor.raw(10)
        demand(value == identity().value, "identity is not the preamble's first 10 bytes")
        cursor.note(value, "the preamble's first 10 bytes")

    def read_board(self, cursor):
        board = cursor.text("name")
        demand(board not in self.boards, f'board "{board}" is there twice')
        self.boards.append(board)
        demand(len(self.boards) <= BOARDS_MOST, f"more than {BOARDS_MOST} boards")

    def read_version(self, cursor):
        demand(self.version is None, "a second firmware version")
        self.version = cursor.text("text")

    def read_anti_rollback(self, cursor):
        demand(self.anti_rollback is None, "a second anti-rollback number")
        self.anti_rollback = cursor.number(4, "number")

    def read_payload(self, cursor):
        demand(len(self.payloads) < PAYLOADS_MOST, f"more than {PAYLOADS_MOST} payloads")
        size = cursor.number(8, "size")
        demand(size, "payload of no bytes")
        chunk_size = cursor.number(4, "chunk size")
        demand(CHUNK_LEAST <= chunk_size <= CHUNK_MOST, f"payload: chunk size is not {CHUNK_LEAST} to {CHUNK_MOST}")
        kind = cursor.number(1, "kind", KINDS)
        tail = cursor.number(1, "tail policy", TAILS if kind == MTD else {0: "none"})
        cursor.reserved(2)
        self.payloads.append(Payload(size, chunk_size, kind, tail, cursor.name()))

    def latest_payload(self, cursor):
        demand(self.payloads, f"{cursor.what} before the first payload")
        return self.payloads[-1]

    def read_volume(self, cursor):
        payload = self.latest_payload(cursor)
        demand(payload.kind == UBIVOL, "UBI volume for a payload that is not of kind ubivol")
        demand(payload.volume is None, "a second UBI volume for a payload")
        size = cursor.number(8, "size")
        kind = cursor.number(1, "type", VOLUME_TYPES)
        cursor.reserved(3)
        demand(size == 0 or size >= payload.size, "UBI volume smaller than its contents")
        payload.volume = {"name": cursor.name(), "size": size, "type": VOLUME_TYPES[kind]}

    def read_chunk_table(self, cursor):
        payload = self.latest_payload(cursor)
        demand(payload.chunks is None, "a second chunk table for a payload")
        count = -(-payload.size // payload.chunk_size)
        demand(cursor.left() == count * CHUNK_LINE.size, f"chunk table does not have the {count} lines of the contents")
        payload.chunks = []
        for number in range(1, count + 1):
            line = cursor.part(CHUNK_LINE.size, f"chunk {number}")
            size = payload.chunk_size if number < count else payload.size - (count - 1) * payload.chunk_size
            stored_size = line.number(4, "stored size")
            crc32 = line.number(4, "CRC-32", hexadecimal=True)
            encoding = line.number(1, "encoding", ENCODINGS)
            line.reserved(3)
            chunk = Chunk(size, stored_size, crc32, encoding, line.bytes(32, "SHA-256"))
            chunk.check_sizes(f"payload {len(self.payloads)}: chunk {number}")
            payload.chunks.append(chunk)

    def check_chunks(self, data, offset):
        places = [
            (f"payload {i}: chunk {j}", chunk)
            for i, payload in enumerate(self.payloads, 1)
            for j, chunk in enumerate(payload.chunks, 1)
        ]
        sizes = sum(chunk.stored_size for _, chunk in places)
        demand(sizes == self.numbers["chunks_size"], "preamble: size of chunks is not the sum of their stored sizes")
        for where, chunk in places:
            chunk.offset = offset
            offset += chunk.stored_size
            chunk.check(data, where)
            if chunk.stored_size:
                meaning = f"{where}: {chunk.stored_size} bytes ({ENCODINGS[chunk.encoding]}) for {chunk.size}"
                self.notes.append((chunk.offset, data[chunk.offset : offset], meaning))


# Write side


def chunk_line(contents, stored, encoding):
    """A line of a chunk table."""
    return CHUNK_LINE.pack(len(stored), zlib.crc32(stored), encoding, hashlib.sha256(contents).digest())


def store(contents):
    """The shortest way to store a chunk, and its encoding."""
    if contents == b"\xff" * len(contents):
        return b"", ERASED
    packed = zlib.compress(contents, 9)
    return (packed, ZLIB) if len(packed) < len(contents) else (contents, PLAIN)


def payload_fields(name, contents, kind=MTD, tail=None, chunk_size=CHUNK_LEAST, volume=None):
    """The fields of a payload, and its stored chunks. The volume, if any, is (size, type, name)."""
    tail = tail if tail is not None else int(kind == MTD)
    fields = [Field(PAYLOAD, struct.pack("<QIBB2x", len(contents), chunk_size, kind, tail) + name)]
    if volume:
        fields.append(Field(VOLUME, struct.pack("<QB3x", *volume[:2]) + volume[2]))
    table, chunks = b"", b""
    for at in range(0, len(contents), chunk_size):
        chunk = contents[at : at + chunk_size]
        stored, encoding = store(chunk)
        table += chunk_line(chunk, stored, encoding)
        chunks += stored
    return fields + [Field(CHUNK_TABLE, table)], chunks


def identity():
    return Field(IDENTITY, struct.pack("<8sH", MAGIC, 1))


@dataclass
class SecretKey:
    seed: bytes
    key_id: bytes

    def public(self):
        key = base64.b64encode(b"Ed" + self.key_id + ed25519.public_key(self.seed))
        return UNTRUSTED + b"public key\n" + key + b"\n"

    def sign(self, index, algorithm=b"Ed", trusted_comment=None):
        """A signature file: as signify makes it, or, with a trusted comment, as minisign does."""
        message = hashlib.blake2b(index).digest() if algorithm == b"ED" else index
        signature = ed25519.sign(self.seed, message)
        lines = [UNTRUSTED + b"signature", base64.b64encode(algorithm + self.key_id + signature)]
        if trusted_comment is not None:
            lines.append(TRUSTED + trusted_comment)
            lines.append(base64.b64encode(ed25519.sign(self.seed, signature + trusted_comment)))
        return b"\n".join(lines) + b"\n"


# Program


def description(image):
    """Everything that the index and the signature say, for JSON."""

    def of_chunk(chunk):
        return {
            "offset": chunk.offset,
            "stored_size": chunk.stored_size,
            "size": chunk.size,
            "encoding": ENCODINGS[chunk.encoding],
            "crc32": f"{chunk.crc32:08x}",
            "sha256": chunk.sha256.hex(),
        }

    def of_payload(number, payload):
        result = {
            "number": number,
            "name": payload.name,
            "kind": KINDS[payload.kind],
            "tail": TAILS.get(payload.tail),
            "size": payload.size,
            "chunk_size": payload.chunk_size,
            "volume": payload.volume,
        }
        return result | {"chunks": [of_chunk(chunk) for chunk in payload.chunks]}

    signature = image.parsed_signature
    return {
        "version": image.version,
        "boards": image.boards,
        "anti_rollback": image.anti_rollback or 0,
        "payloads": [of_payload(number, payload) for number, payload in enumerate(image.payloads, 1)],
        "unknown_fields": [{"number": f"0x{number:04x}", "value": value.hex()} for number, value in image.unknown],
        "signature": signature
        and {
            "algorithm": signature.algorithm.decode(),
            "key_id": signature.key_id.hex(),
            "trusted_comment": signature.trusted_comment and signature.trusted_comment.decode("latin-1"),
        },
    }


def hexdump(image):
    """One line for each item: its offset, its first bytes, what it means."""
    for offset, value, meaning in image.notes:
        text = value.hex(" ") if len(value) <= 10 else value[:8].hex(" ") + " ..."
        yield f"{offset:6}  {text:29}  {meaning}"


def verdict(image):
    if image.signed_by:
        return f"allowed; signed by key {image.signed_by.key_id.hex()}"
    return "allowed; its signature has not been verified" if image.signature else "allowed; not signed"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def arguments():
    parser = argparse.ArgumentParser(description="Reads firmware images. Exits with 3 if an image is not allowed.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="tell whether the document allows the image")
    check.add_argument("--key", metavar="PUBFILE", action="append", default=[], help="a public key to verify with")
    check.add_argument("image")
    commands.add_parser("dump", help="print what the index says, as JSON").add_argument("image")
    extract = commands.add_parser("extract", help="write the contents of a payload to a file")
    extract.add_argument("image")
    extract.add_argument("number", type=int, metavar="PAYLOAD-NUMBER", help="the first is 1")
    extract.add_argument("out")
    commands.add_parser("hexdump", help="print what each byte of the image means").add_argument("image")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        data = read(options.image)
        keys = [PublicKey.parse(read(path)) for path in options.key] if options.command == "check" else []
        image = Image.parse(data, keys)
        if options.command == "check":
            print(verdict(image))
        elif options.command == "dump":
            print(json.dumps(description(image), indent=2))
        elif options.command == "hexdump":
            print("\n".join(hexdump(image)))
        else:
            demand(1 <= options.number <= len(image.payloads), f"there is no payload {options.number}")
            with open(options.out, "wb") as file:
                file.write(image.payloads[options.number - 1].contents(data))
    except Refused as refused:
        print(f"{options.image}: {refused}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
