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
LAYOUT_VOLUME = 0x7fffefff
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


def mapped(content):
    """The data of each logical eraseblock, by volume and number; `content` is a list of blocks."""
    newest = {}
    for block in content:
        header = read(block)
        if not header:
            continue
        head = block[header.vid_hdr_offset:header.vid_hdr_offset + SIZE]
        magic, volume_id, logical, sequence = _VOLUME_FORMAT.unpack(head[:_VOLUME_FORMAT.size])
        if magic == _VOLUME_MAGIC and struct.unpack(">I", head[-4:])[0] == _crc(head[:-4]):
            place = volume_id, logical
            newest[place] = max(newest.get(place, (0, b"")), (sequence, block[header.data_offset:]))
    return {place: found for place, (_, found) in newest.items()}


def same(found, wanted):
    """Do two results of mapped() hold the same? One of the volume table's two copies will do."""
    rest = [{place: data for place, data in of.items() if place[0] != LAYOUT_VOLUME}
            for of in (found, wanted)]
    tables = [data for place, data in found.items() if place[0] == LAYOUT_VOLUME]
    return rest[0] == rest[1] and any(data == wanted[LAYOUT_VOLUME, 0] for data in tables)


def volume(flash, partition, number):
    """What the volume of that number holds: its eraseblocks that are mapped, up to the last."""
    data = {logical: found for (volume_id, logical), found
            in mapped(blocks(flash, partition)).items() if volume_id == number}
    blank = b"\xff" * len(next(iter(data.values()), b""))
    return b"".join(data.get(n, blank) for n in range(max(data, default=-1) + 1))


def image_blocks(flash, image):
    """A ubinized image in pieces, for mapped()."""
    content = Path(image).read_bytes()
    return [content[at:at + flash.eraseblock] for at in range(0, len(content), flash.eraseblock)]


def differences(flash, partition, image):
    """How the partition is not the ubinized image (but for the erase counters), in words."""
    found, wanted = blocks(flash, partition), image_blocks(flash, image)
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
