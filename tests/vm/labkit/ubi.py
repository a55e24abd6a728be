# SPDX-License-Identifier: GPL-2.0-or-later
"""What UBI keeps at the start of each eraseblock: the erase counter header."""

import re
import struct
import zlib
from dataclasses import dataclass

_FORMAT = struct.Struct(">4sB3xQIII32xI")
SIZE = _FORMAT.size
_MAGIC = b"UBI#"
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


def complaints(kernel_log):
    """The lines in which UBI or UBIFS is not content with what it finds."""
    return [line for line in kernel_log.splitlines() if _COMPLAINT.search(line)]
