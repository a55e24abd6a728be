# SPDX-License-Identifier: GPL-2.0-or-later
"""How long it takes to write a wholly different image: beside mtd-utils, BusyBox and dd."""

import statistics

from labkit import qemu
from table import Table, figure
from work import (MIB, PART, PATIENCE, Images, chip_times, load_chip, machine, measure, mib,
                  take_turns)

NAME = "writes"

# The shell sees $new, the image's name, $size, its bytes, and $dev, the MTD device. The first word
# tells what is read back.
_COMPARE = "nanddump -q --bb=skipbad -l $size $dev 2>/dev/null | cmp - /ram/$new.bin"
_NANDWRITE = "flash_erase -q $dev 0 0 >/dev/null && nandwrite -q -p $dev"
FLASHINIT_RAW = f"flashinit write --raw '{PART}=/ram/'$new.bin"
WAYS = {
    "flashinit write, image": ("all", "flashinit write /ram/$new.fwi"),
    "flashinit write, plain file": ("all", FLASHINIT_RAW),
    "flashinit write, image from a pipe": ("all", "cat /ram/$new.fwi | flashinit write -"),
    "flash_erase, nandwrite": ("none", f"{_NANDWRITE} /ram/$new.bin"),
    "flash_erase, nandwrite, nanddump, cmp":
        ("all", f"{_NANDWRITE} /ram/$new.bin && {_COMPARE}"),
    "flashcp": ("all", "flashcp /ram/$new.bin $dev"),
    "cat, flash_erase, nandwrite from a pipe": ("none", f"cat /ram/$new.bin | ({_NANDWRITE} -)"),
    "gzip -dc, flash_erase, nandwrite": ("none", f"gzip -dc /ram/$new.gz | ({_NANDWRITE} -)"),
    "gzip -dc, flash_erase, nandwrite, nanddump, cmp":
        ("all", f"gzip -dc /ram/$new.gz | ({_NANDWRITE} -) && "
                "nanddump -q --bb=skipbad -l $size $dev 2>/dev/null >/ram/back && "
                "gzip -dc /ram/$new.gz | cmp - /ram/back; code=$?; rm /ram/back; (exit $code)"),
    "dd to mtdblock": ("none", "dd if=/ram/$new.bin of=/dev/mtdblock0 bs=128k conv=fsync 2>&1"),
    "the driver alone: erase, write":
        ("none", "mtdraw erase $dev 0 $((size / 131072)) && "
                 "mtdraw write $dev 0 131072 </ram/$new.bin"),
    "the driver alone: erase, write, read":
        ("all, not compared",
         "mtdraw erase $dev 0 $((size / 131072)) && mtdraw write $dev 0 131072 </ram/$new.bin && "
         "dd if=$dev of=/dev/null bs=128k count=$((size / 131072)) 2>/dev/null"),
}
_FEW_WAYS = [
    "flashinit write, image", "flashinit write, plain file", "flashinit write, image from a pipe",
    "flash_erase, nandwrite", "flash_erase, nandwrite, nanddump, cmp",
    "gzip -dc, flash_erase, nandwrite, nanddump, cmp", "the driver alone: erase, write",
    "the driver alone: erase, write, read"]


def _check(w, new, size):
    w.run(f"nanddump -q --bb=skipbad -l {size} /dev/mtd0 2>/dev/null | cmp - /ram/{new}.bin",
          PATIENCE)


def _rounds(w, images, names, rounds):
    """Each way writes the image that is not there, in alternating order; {name: [Measured]}."""
    turn = {"new": "A"}
    w.run("flash_erase -q /dev/mtd0 0 0 2>/dev/null; nandwrite -q -p /dev/mtd0 /ram/A.bin",
          PATIENCE)

    def one(name, _number):
        turn["new"] = "B" if turn["new"] == "A" else "A"
        found = measure(w, WAYS[name][1], f"new={turn['new']} size={images.size} dev=/dev/mtd0")
        _check(w, turn["new"], images.size)
        return found

    return take_turns(names, rounds, one)


def _different(w, images, rounds, ways, mips):
    load_chip(w, images.size, True)
    slow = _rounds(w, images, ways, rounds)
    load_chip(w, images.size, False)
    fast = _rounds(w, images, ways, rounds)
    table = Table(f"A wholly different image of {mib(images.size)} onto NAND, {mips} MIPS",
                  ["way", "read back", "seconds", "of the chip's own", "without delays: seconds",
                   "user CPU", "system CPU"])
    for name in ways:
        walls = [run.wall for run in slow[name]]
        read = WAYS[name][0] != "none"
        own = statistics.median(walls) / chip_times(images.size, read=read)
        table.rows.append([name, WAYS[name][0], figure(walls), f"{own:.3f}",
                           figure([run.wall for run in fast[name]]),
                           figure([run.user for run in fast[name]]),
                           figure([run.system for run in fast[name]])])
    table.notes.append(f"The chip's own times are {chip_times(images.size, read=False):.3f} s for "
                       f"erasing and programming, and {chip_times(images.size):.3f} s with reading "
                       "all back.")
    return table


def _large_and_fast(lab):
    # One round: the figures of the first table tell how well they repeat.
    tables = []
    for size, clock, mips, ways in ((64, qemu.COUNTED_CLOCK, 125, _FEW_WAYS),
                                    (16, qemu.FASTER_CLOCK, 500, _FEW_WAYS)):
        part = lab.part(f"{size}-{mips}")
        w = machine(part, clock)
        tables.append(_different(w, Images(part, w, size * MIB), 1, ways, mips))
        part.close()
    return tables


def run(lab, quick):
    """Larger images and a faster processor, too, where there is time."""
    rounds, size = (1, MIB // 2) if quick else (3, 16 * MIB)
    w = machine(lab)
    different = _different(w, Images(lab, w, size), rounds, list(WAYS), 125)
    w.machine.kill()
    return [different] if quick else [different, *_large_and_fast(lab)]
