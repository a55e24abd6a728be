# SPDX-License-Identifier: GPL-2.0-or-later
"""The flash chip as the host sees it: a file in the layout that kernel/flashsim.c documents."""

import copy
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from labkit import units
from labkit.errors import LabError

_PROGRAMMED = b"\x00"
_BAD = b"\x00"
_UNREADABLE = 0x01
_COMPLEMENT = bytes(range(255, -1, -1))


@dataclass(frozen=True)
class Partition:
    """A part of the chip, in bytes."""
    name: str
    offset: int
    size: int


def parse_parts(text, chip_size):
    """Partitions from the kernel's notation: SIZE[@OFFSET](NAME)[ro], a size of "-" is the rest."""
    partitions, position = [], 0
    for item in text.split(","):
        match = re.fullmatch(r"(-|\w+)(?:@(\w+))?\((.+)\)(?:ro)?", item)
        if not match:
            raise LabError(f"cannot read the partition {item!r}")
        length, offset, name = match.groups()
        position = units.size(offset) if offset else position
        length = chip_size - position if length == "-" else units.size(length)
        if position + length > chip_size:
            raise LabError(f"partition {name} reaches beyond the chip")
        partitions.append(Partition(name, position, length))
        position += length
    return partitions


class Flash:
    """A chip in a file. Machines that run have it open; look at it or change it between runs."""

    def __init__(self, path, kind="nand", size=None, eraseblock=None, page=2048, oob=64,
                 parts=None, badblocks=(), inverted=False, regions=()):
        nand = kind == "nand"
        if kind not in ("nand", "nor"):
            raise LabError(f"no such kind of flash: {kind}")
        self.path = Path(path)
        self.kind = kind
        self.size = units.size(size or ("16M" if nand else "8M"))
        self.eraseblock = units.size(eraseblock or ("128k" if nand else "64k"))
        self.page = page if nand else 1
        self.oob = oob if nand else 0
        self.inverted = inverted
        self.regions = [units.size(number) for number in regions]
        default = "14M(rootfs),-(data)" if nand else "6M(rootfs),-(data)"
        self.parts = default if parts is None else parts
        self.partitions = parse_parts(self.parts or "-(flashsim)", self.size)
        self._make_blank()
        for block in badblocks:
            self.mark_bad(block)

    def _make_blank(self):
        size = self.size + (self.size // self.page * (self.oob + 1) if self.kind == "nand" else 0)
        with self.path.open("wb") as file:
            if self.inverted:
                file.truncate(size)
            else:
                file.write(b"\xff" * size)

    def partition(self, name):
        """The partition of that name."""
        for partition in self.partitions:
            if partition.name == name:
                return partition
        raise LabError(f"no partition {name} in {self.parts}")

    def number(self, name):
        """The MTD number of the partition of that name."""
        return self.partitions.index(self.partition(name))

    def blocks(self, name):
        """Numbers of the partition's eraseblocks, counted from the start of the chip."""
        partition = self.partition(name)
        first = partition.offset // self.eraseblock
        return range(first, first + partition.size // self.eraseblock)

    def good_blocks(self, name):
        """The same without the bad ones."""
        return [block for block in self.blocks(name) if not self.is_bad(block)]

    def _first_page(self, block):
        return block * self.eraseblock // self.page

    def _oob_offset(self, page):
        return self.size + page * self.oob

    def _state_offset(self, page):
        return self.size + self.size // self.page * self.oob + page

    def _as_stored(self, data):
        return data.translate(_COMPLEMENT) if self.inverted else data

    def _peek(self, offset, length):
        with self.path.open("rb") as file:
            file.seek(offset)
            return self._as_stored(file.read(length))

    def _poke(self, offset, data):
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(self._as_stored(data))

    def is_bad(self, block):
        """Is the eraseblock marked bad?"""
        return (self.kind == "nand"
                and self._peek(self._oob_offset(self._first_page(block)), 1) != b"\xff")

    def mark_bad(self, block):
        """Mark an eraseblock bad, as the factory does."""
        if self.kind != "nand":
            raise LabError("NOR has no bad blocks")
        self._poke(self._oob_offset(self._first_page(block)), _BAD)

    def erase_block(self, block):
        """Make an eraseblock blank."""
        self._poke(block * self.eraseblock, b"\xff" * self.eraseblock)
        if self.kind == "nand":
            first, count = self._first_page(block), self.eraseblock // self.page
            self._poke(self._oob_offset(first), b"\xff" * (count * self.oob))
            self._poke(self._state_offset(first), b"\xff" * count)

    def read_block(self, block):
        """The data of an eraseblock."""
        return self._peek(block * self.eraseblock, self.eraseblock)

    def oob_of(self, page):
        """The OOB bytes of a page (NAND; pages are counted from the start of the chip)."""
        return self._peek(self._oob_offset(page), self.oob)

    def is_programmed(self, page):
        """Was the page (NAND) programmed, wholly or in part, since its last erase?"""
        return self._peek(self._state_offset(page), 1) != b"\xff"

    def unreadable(self, name):
        """The pages (counted from the start of the chip) that a cut left so that ECC fails."""
        if self.kind != "nand":
            return []
        blocks = self.blocks(name)
        first, count = self._first_page(blocks[0]), len(blocks) * self.eraseblock // self.page
        states = self._peek(self._state_offset(first), count)
        return [first + n for n, state in enumerate(states) if state == _UNREADABLE]

    def _program_block(self, block, data):
        if self.kind == "nor":
            self._poke(block * self.eraseblock, data)
            return
        for start in range(0, len(data), self.page):
            content = data[start:start + self.page].ljust(self.page, b"\xff")
            if content.count(0xff) != self.page:
                page = self._first_page(block) + start // self.page
                self._poke(page * self.page, content)
                self._poke(self._state_offset(page), _PROGRAMMED)

    def write(self, name, image):
        """Erase the partition and lay an image (bytes or path) into its good blocks in order."""
        data = image if isinstance(image, bytes) else Path(image).read_bytes()
        good = self.good_blocks(name)
        if len(data) > len(good) * self.eraseblock:
            raise LabError(f"{len(data)} bytes do not fit into the {len(good)} good blocks "
                           f"of {name}")
        for index, block in enumerate(good):
            self.erase_block(block)
            self._program_block(block, data[index * self.eraseblock:(index + 1) * self.eraseblock])

    def read(self, name, length=None):
        """The content of the partition's good blocks in order."""
        data = b"".join(self.read_block(block) for block in self.good_blocks(name))
        return data if length is None else data[:length]

    def bytes(self, name):
        """The data of the whole partition, bad blocks included."""
        partition = self.partition(name)
        return self._peek(partition.offset, partition.size)

    def snapshot(self):
        """Everything the chip holds, for restore()."""
        return self.path.read_bytes()

    def restore(self, content):
        """Put the chip back into the state of a snapshot."""
        self.path.write_bytes(content)

    def copy(self, path):
        """Another chip of the same kind that holds the same, in a file of its own."""
        other = copy.copy(self)
        other.path = Path(path)
        shutil.copyfile(self.path, path)
        return other

    def compare(self, name, image):
        """Differences, in words, between the partition and an image followed by blank flash."""
        data = image if isinstance(image, bytes) else Path(image).read_bytes()
        found, differences = self.read(name), []
        wanted = data + b"\xff" * (len(found) - len(data))
        if len(data) > len(found):
            return [f"{name}: the image has {len(data)} bytes, the good blocks {len(found)}"]
        for index, block in enumerate(self.good_blocks(name)):
            start = index * self.eraseblock
            ours, theirs = (text[start:start + self.eraseblock] for text in (found, wanted))
            if ours != theirs:
                differences.append(self._describe(block, ours, theirs, start >= len(data)))
        return differences

    @staticmethod
    def _describe(block, found, wanted, is_tail):
        start = next(i for i, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1])
        ours, theirs = (text[start:start + 8].hex(" ") for text in (found, wanted))
        place = " (behind the image, should be blank)" if is_tail else ""
        if found.count(0xff) == len(found):
            return f"eraseblock {block}{place}: blank"
        return f"eraseblock {block}{place}: from byte {start:#x} {ours}, wanted {theirs}"
