# SPDX-License-Identifier: GPL-2.0-or-later
"""What UBI keeps at the start of each eraseblock: the erase counter and the volume header."""

import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

_FORMAT = struct.Struct(">4sB3xQIII32xI")
SIZE = _FORMAT.size
_MAGIC = b"UBI#"
_VOLUME_FORMAT = struct.Struct(">4s4xII20x4xQ12x4x")
_VOLUME_MAGIC = b"UBI!"
_COMPLAINT = re.compile(r"ubi.*\b(error|warning|fail)|corrupted PEBs: [1-9]", re.IGNORECASE)


@dataclass(frozen=True)
class EcHeader:
    """An erase counter header; its numbers are as UBI's documents name them."""
    ec: int
    vid_hdr_offset: int
    data_offset: int
    image_seq: int

    def pack(self):
        """The header's 64 bytes."""
        fields = (_MAGIC, 1, self.ec, self.vid_hdr_offset, self.data_offset, self.image_seq)
        return _FORMAT.pack(*fields, _crc(_FORMAT.pack(*fields, 0)[:-4]))


def _crc(data):
    return zlib.crc32(data) ^ 0xffffffff


def read(block):
    """The header of an eraseblock, or None if it has none that is whole."""
    magic, version, ec, vid_hdr_offset, data_offset, image_seq, crc = _FORMAT.unpack(block[:SIZE])
    if magic != _MAGIC or version != 1 or crc != _crc(block[:SIZE - 4]):
        return None
    return EcHeader(ec, vid_hdr_offset, data_offset, image_seq)


def blocks(flash, partition):
    """The contents of the partition's good eraseblocks."""
    content = flash.read(partition)
    return [content[at:at + flash.eraseblock] for at in range(0, len(content), flash.eraseblock)]


def volume(flash, partition, number):
    """What the volume of that number holds: its eraseblocks that are mapped, up to the last."""
    newest = {}
    for block in filter(read, blocks(flash, partition)):
        header = read(block)
        magic, volume_id, logical, sequence = _VOLUME_FORMAT.unpack(
            block[header.vid_hdr_offset:header.vid_hdr_offset + _VOLUME_FORMAT.size])
        if magic == _VOLUME_MAGIC and volume_id == number:
            newest[logical] = max(newest.get(logical, (0, b"")),
                                  (sequence, block[header.data_offset:]))
    data = {logical: found for logical, (_, found) in newest.items()}
    blank = b"\xff" * len(next(iter(data.values()), b""))
    return b"".join(data.get(n, blank) for n in range(max(data, default=-1) + 1))


def differences(flash, partition, image):
    """How the partition is not the ubinized image (but for the erase counters), in words."""
    found, content = blocks(flash, partition), Path(image).read_bytes()
    wanted = [content[at:at + flash.eraseblock] for at in range(0, len(content), flash.eraseblock)]
    out = []
    for number, block in enumerate(found):
        header = read(block)
        if not header:
            out.append(f"good eraseblock {number}: no erase counter header")
        elif number >= len(wanted):
            if block[SIZE:].strip(b"\xff"):
                out.append(f"good eraseblock {number}: not blank behind the image")
        elif block[SIZE:] != wanted[number][SIZE:]:
            out.append(f"good eraseblock {number}: not the image's")
    return out


def complaints(kernel_log):
    """The lines in which UBI or UBIFS is not content with what it finds."""
    return [line for line in kernel_log.splitlines() if _COMPLAINT.search(line)]
