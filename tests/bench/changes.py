# SPDX-License-Identifier: GPL-2.0-or-later
"""How many erases, and how long: images of which some eraseblocks are new, on NAND and on NOR."""

from pathlib import Path

from labkit import bench
from labkit.nandsim import ERASEBLOCK
from table import Table
from work import MIB, PART, PATIENCE, contents, load_chip, machine, measure, mib
from writes import WAYS

NAME = "changes"

_SHARES = (0, 1, 10, 50, 100)
# flashcp -p of mtd-utils 2.1.5 reads an eraseblock into 10 KiB of stack, and crashes with larger.
_NOR_BLOCK = 8 << 10
_NAND_UPDATES = {
    "flashinit write, image": "flashinit write /ram/$new.fwi",
    "flashinit write, image from a pipe": "cat /ram/$new.fwi | flashinit write -",
    "flash_erase, nandwrite": WAYS["flash_erase, nandwrite"][1],
    "flash_erase, nandwrite, nanddump, cmp": WAYS["flash_erase, nandwrite, nanddump, cmp"][1],
}
_NOR_UPDATES = {
    "flashinit write, image": "flashinit write /ram/$new.fwi",
    "flashcp -p": "flashcp -p /ram/$new.bin $dev",
    "flashcp": "flashcp /ram/$new.bin $dev",
}
_NOR_PART = "mtdram test device"


def _changed(size, block, shares):
    """{percentage: image}; 0 is the one that the others are measured from."""
    old, new = contents(size, "A"), contents(size, "B")
    images, blocks = {}, size // block
    for share in shares:
        wanted = max(1, blocks * share // 100) if share else 0
        changed = {number * blocks // wanted for number in range(wanted)}
        images[share] = b"".join((new if number in changed else old)[number * block:][:block]
                                 for number in range(blocks))
    return images


def _put_changed(lab, w, size, block, shares, part, suffix=""):
    for share, content in _changed(size, block, shares).items():
        plain = lab.folder / f"{share}{suffix}.bin"
        plain.write_bytes(content)
        w.put(plain.name, content)
        w.put(f"{share}{suffix}.fwi", Path(bench.pack(lab, f"{share}{suffix}", {part: plain})))
    w.run("mv /host/*.bin /host/*.fwi /ram", PATIENCE)


# Each erases the whole partition in one call, which counts as one.
_ERASE_ALL = ("flash_erase, nandwrite", "flash_erase, nandwrite, nanddump, cmp", "flashcp")


def _updates(w, size, block, shares, ways, what, suffix=""):
    """One round: the first table of "writes" tells how well figures repeat."""
    table = Table(f"{mib(size)} with some eraseblocks changed, onto {what}",
                  ["eraseblocks changed", "way", "eraseblocks erased", "seconds", "user CPU"])
    for share in shares:
        for way, command in ways.items():
            found = []
            for new in (share, 0):  # there, and back again for the next
                variables = f"new={new}{suffix} size={size} dev=/dev/mtd0"
                found.append(measure(w, command, variables))
                w.run(f"head -c {size} /dev/mtd0 | cmp - /ram/{new}{suffix}.bin", PATIENCE)
            there = found[0]
            erases = size // block if way in _ERASE_ALL else there.erases
            table.rows.append([f"{share} %", way, erases, f"{there.wall:.3f}",
                               f"{there.user:.3f}"])
    return table


def _some_changed(lab, w, size, shares):
    _put_changed(lab, w, size, ERASEBLOCK, shares, PART)
    load_chip(w, size, True)
    w.run("flash_erase -q /dev/mtd0 0 0 2>/dev/null; nandwrite -q -p /dev/mtd0 /ram/0.bin",
          PATIENCE)
    nand = _updates(w, size, ERASEBLOCK, shares, _NAND_UPDATES, "NAND, with the chip's times")
    w.run("rmmod mtdblock; rmmod nandsim; rm /ram/*; "
          f"modprobe mtdram total_size={size >> 10} erase_size={_NOR_BLOCK >> 10}")
    _put_changed(lab, w, size, _NOR_BLOCK, shares, _NOR_PART, "nor")
    w.run("flashcp /ram/0nor.bin /dev/mtd0", PATIENCE)
    nor = _updates(w, size, _NOR_BLOCK, shares, _NOR_UPDATES,
                   "NOR, which takes no time here", "nor")
    nor.notes.append("The eraseblocks have 8 KiB, since flashcp -p of mtd-utils 2.1.5 crashes "
                     "with any that do not fit into its buffer of 10 KiB.")
    w.run("rmmod mtdram; rm /ram/*")
    return [nand, nor]


def run(lab, quick):
    """On NAND, then on NOR."""
    w = machine(lab)
    w.run("mkdir -p /ram; mount -t tmpfs -o size=90% ram /ram")
    size, shares = (MIB // 2, (0, 50)) if quick else (16 * MIB, _SHARES)
    return _some_changed(lab, w, size, shares)
