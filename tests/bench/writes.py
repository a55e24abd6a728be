# SPDX-License-Identifier: GPL-2.0-or-later
"""How long writing takes, and how many erases: flashinit write beside mtd-utils, BusyBox and dd."""

import gzip
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from labkit import bench, image, nandsim, qemu, rootfs, workbench
from labkit.errors import CheckFailed
from labkit.image import Geometry
from labkit.nandsim import ERASEBLOCK, PAGE
from table import Table, figure

NAME = "writes"

MIB = 1 << 20
_PART = nandsim.name(0)
_GEOMETRY = Geometry("nand", ERASEBLOCK, PAGE, nandsim.SUBPAGE)
# nandsim's own times where do_delays=1 and nothing else is said, in seconds.
_READ, _PROGRAM, _ERASE = 25e-6, 200e-6, 2e-3
_BYTE_IN, _BYTE_OUT = 50e-9, 40e-9
_PAGE_BYTES = PAGE + 64
_PATIENCE = 600


def contents(length, seed):
    """An image: every other 4 KiB packed already, as SquashFS has it, the rest text."""
    dense = rootfs.filler(length // 2, seed)
    words = [rootfs.filler(6, f"{seed}/{word}").hex() for word in range(64)]
    text = bytearray()
    for at in range(length // 2 // 8 + 1):
        text += f"{words[dense[at] % 64][:7]} ".encode()
    pieces = (dense[at:at + 4096] + bytes(text[at:at + 4096])
              for at in range(0, length // 2, 4096))
    return b"".join(pieces)


@dataclass
class Measured:
    """One run: seconds, and erases."""
    wall: float
    user: float
    system: float
    peak: int
    erases: int


class Images:
    """Two images, each wholly unlike the other, in all forms, in the guest's RAM."""

    def __init__(self, lab, w, size, variants=("A", "B")):
        self.size = size
        self.bytes = {name: contents(size, name) for name in variants}
        for name, content in self.bytes.items():
            Path(lab.folder / f"{name}.bin").write_bytes(content)
            w.put(f"{name}.bin", content)
            w.put(f"{name}.gz", gzip.compress(content, 9, mtime=0))
            w.put(f"{name}.fwi", Path(bench.pack(lab, name, {_PART: lab.folder / f"{name}.bin"})))
        w.run("mkdir -p /ram; mount -t tmpfs -o size=90% ram /ram; "
              "mv /host/*.bin /host/*.gz /host/*.fwi /ram; sync", _PATIENCE)


# The shell sees $new, the image's name, $size, its bytes, and $dev, the MTD device. The first word
# tells what is read back.
_COMPARE = "nanddump -q --bb=skipbad -l $size $dev 2>/dev/null | cmp - /ram/$new.bin"
_NANDWRITE = "flash_erase -q $dev 0 0 >/dev/null && nandwrite -q -p $dev"
FLASHINIT_RAW = f"flashinit write --raw '{_PART}=/ram/'$new.bin"
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
    "the driver alone: erase, write, read":
        ("all, not compared",
         "mtdraw erase $dev 0 $((size / 131072)) && mtdraw write $dev 0 131072 </ram/$new.bin && "
         "dd if=$dev of=/dev/null bs=128k count=$((size / 131072)) 2>/dev/null"),
}


def measure(w, command, variables=""):
    """Run a command in the guest, its processes and those of its pipes; gives what it took."""
    w.count_operations()
    w.run(f"cat >/tmp/command <<'EOF'\n{variables}\n{command}\nEOF\nsync", _PATIENCE)
    done = w.sh("measure '. /tmp/command' 2>&1", timeout=_PATIENCE)
    found = re.search(r"measured: (\d+) (\d+) (\d+) (\d+)", done.out)
    if done.code or not found:
        raise CheckFailed(f"{command}: exit code {done.code}\n{done.out[-2000:]}")
    wall, user, system, peak = map(int, found.groups())
    return Measured(wall / 1e6, user / 1e6, system / 1e6, peak, w.operations()["erase"])


def chip_times(size, erased=True, read=True):
    """What the chip itself takes to erase and program that much, and to give it back: seconds."""
    pages = size // PAGE
    erase = size // ERASEBLOCK * _ERASE if erased else 0
    program = pages * (_PROGRAM + _PAGE_BYTES * _BYTE_IN)
    back = pages * (_READ + _PAGE_BYTES * _BYTE_OUT) if read else 0
    return erase + program + back


def _check(w, new, size):
    w.run(f"nanddump -q --bb=skipbad -l {size} /dev/mtd0 2>/dev/null | cmp - /ram/{new}.bin",
          _PATIENCE)


def _rounds(w, images, names, rounds):
    """Each way writes the image that is not there, in alternating order; {name: [Measured]}."""
    found = {name: [] for name in names}
    w.run(f"flash_erase -q /dev/mtd0 0 0 2>/dev/null; nandwrite -q -p /dev/mtd0 /ram/A.bin",
          _PATIENCE)
    new = "B"
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            variables = f"new={new} size={images.size} dev=/dev/mtd0"
            found[name].append(measure(w, WAYS[name][1], variables))
            _check(w, new, images.size)
            new = "A" if new == "B" else "B"
    return found


def _chip(w, size, delays):
    w.run("rmmod mtdblock 2>/dev/null; true")
    nandsim.load(w, size // ERASEBLOCK, do_delays=int(delays))
    w.run("modprobe mtdblock")


def _different(w, images, rounds, ways):
    slow, fast = ({}, {})
    for delays, found in ((True, slow), (False, fast)):
        _chip(w, images.size, delays)
        found.update(_rounds(w, images, ways, rounds))
    table = Table(f"A wholly different image of {images.size // MIB} MiB onto NAND",
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


def _machine(lab):
    w = workbench.on_qemu(lab, mem="768M", options=qemu.COUNTED_CLOCK)
    w.run("modprobe mtdblock")
    return w


def run(lab, quick):
    """Items 1 to 3: NAND, changed eraseblocks, UBI."""
    rounds = 1 if quick else 3
    tables = []
    for size in (2 * MIB,) if quick else (16 * MIB, 64 * MIB):
        part = lab.part(f"{size // MIB}")
        w = _machine(part)
        images = Images(part, w, size)
        tables.append(_different(w, images, rounds, list(WAYS)))
        part.close()
    return tables
