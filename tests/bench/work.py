# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tables share: images, a workbench whose clock counts instructions, and measuring."""

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

from labkit import bench, nandsim, qemu, rootfs, workbench
from labkit.errors import CheckFailed
from labkit.nandsim import ERASEBLOCK, PAGE

MIB = 1 << 20
PART = nandsim.name(0)
# nandsim's times in seconds, where do_delays=1 and nothing else is said: it reads a page in 25 us
# and 2048 times 50 ns, and programs one in 200 us and 2048 times 40 ns, in whole microseconds each.
_READ, _PROGRAM, _ERASE = (25 + 102) * 1e-6, (200 + 81) * 1e-6, 2e-3
PATIENCE = 600


def mib(size):
    """As in a title."""
    return f"{size / MIB:g} MiB"


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
            w.put(f"{name}.fwi", Path(bench.pack(lab, name, {PART: lab.folder / f"{name}.bin"})))
        w.run("mkdir -p /ram; mount -t tmpfs -o size=90% ram /ram; "
              "mv /host/*.bin /host/*.gz /host/*.fwi /ram; sync", PATIENCE)


def measure(w, command, variables=""):
    """Run a command in the guest, its processes and those of its pipes; gives what it took."""
    w.count_operations()
    w.run(f"cat >/tmp/command <<'EOF'\n{variables}\n{command}\nEOF\nsync", PATIENCE)
    done = w.sh("measure '. /tmp/command' 2>&1", timeout=PATIENCE)
    found = re.search(r"measured: (\d+) (\d+) (\d+)", done.out)
    if done.code or not found:
        raise CheckFailed(f"{command}: exit code {done.code}\n{done.out[-2000:]}")
    wall, user, system = map(int, found.groups())
    return Measured(wall / 1e6, user / 1e6, system / 1e6, w.operations()["erase"])


def chip_times(size, read=True):
    """What the chip itself takes to erase and program that much, and to give it back: seconds."""
    pages = size // PAGE
    return size // ERASEBLOCK * _ERASE + pages * (_PROGRAM + (_READ if read else 0))


def take_turns(names, rounds, run_one):
    """{name: [Measured]} of what run_one(name, round) measures, in alternating order."""
    found = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(run_one(name, number))
    return found


def load_chip(w, size, delays):
    """Make /dev/mtd0 a blank NAND chip of that many bytes, with its times or without."""
    w.run("rmmod mtdblock 2>/dev/null; true")
    nandsim.load(w, size // ERASEBLOCK, do_delays=int(delays))
    w.run("modprobe mtdblock")


def machine(lab, clock=None):
    """A workbench with flash tools, on the clock of qemu.COUNTED_CLOCK if nothing else is said."""
    w = workbench.on_qemu(lab, mem="768M", options=clock or qemu.COUNTED_CLOCK)
    w.run("modprobe mtdblock")
    return w
