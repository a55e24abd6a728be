# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal as docs/journal.md has it, read and written without a line of flashinit's code."""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

_RECORD = struct.Struct("<4sIBBHI65s3s64sI")
_MAGIC = b"fiJ1"
_SLOT = 256
STATES = ("empty", "begun", "done")


@dataclass(frozen=True)
class Record:
    """What one record says."""
    state: str
    image: str
    firmware: str
    good: bool = False
    tries: int = 0


def image_id(path):
    """What tells an image (*.fwi) from every other one: the SHA-256 of its index."""
    content = Path(path).read_bytes()
    return hashlib.sha256(content[40:40 + int.from_bytes(content[12:16], "little")]).hexdigest()


def make(record, sequence=1):
    """The bytes of a record."""
    head = _RECORD.pack(_MAGIC, sequence, STATES.index(record.state), record.good, 0, record.tries,
                        record.image.encode(), b"", record.firmware.encode(), 0)[:-4]
    return head + struct.pack("<I", zlib.crc32(head))


def _parse(data):
    magic, sequence, state, good, _, tries, image, _, firmware, crc = _RECORD.unpack(data)
    if magic != _MAGIC or crc != zlib.crc32(data[:-4]):
        return None
    return sequence, Record(STATES[state], image.rstrip(b"\0").decode(),
                            firmware.rstrip(b"\0").decode(), bool(good), tries)


def records(flash, part="journal"):
    """All whole records in the partition's good eraseblocks, the oldest first."""
    slot = max(_SLOT, flash.page)
    data = flash.read(part)
    found = (_parse(data[at:at + _RECORD.size]) for at in range(0, len(data), slot))
    return [record for _, record in sorted((f for f in found if f), key=lambda pair: pair[0])]
