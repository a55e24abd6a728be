# SPDX-License-Identifier: GPL-2.0-or-later
"""The least memory with which an update works, beside the published shell procedure.

All in User-Mode Linux: the root is SquashFS on NAND with eraseblocks of 128 KiB, the image on a
stick.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from labkit import bench
from labkit.errors import CheckFailed, MachineError
from shellway import procedure_files, procedure_links
from table import Table

NAME = "memory"

_MOST_KIB, _LEAST_KIB, _STEP_KIB = 96 << 10, 8 << 10, 256
_PATIENCE = 60
_MID_FLASH = 1000  # operations: pages of some fifteen eraseblocks
_PAGE_KIB = 4


@dataclass(frozen=True)
class Way:
    """A way to update; the command is for the shell of the old firmware."""
    name: str
    command: str


_TMP = "mount -o remount,size=100% /tmp;"  # by half of the memory it would fail sooner
_WAYS = [
    Way("flashinit, from the stick", "flashinit update /mnt/fw.fwi"),
    Way("flashinit, through a pipe into RAM", "cat /mnt/fw.fwi | flashinit update -"),
    Way("shell procedure, from the stick",
        f"{_TMP} update-firmware /mnt/fw.img rootfs stick reboot"),
    Way("shell procedure, copied to RAM",
        f"{_TMP} update-firmware /mnt/fw.img rootfs ram reboot"),
]


class _Machine:
    """A chip with firmware 1 and a stick; the same at the start of each attempt."""

    def __init__(self, lab, quick):
        self._lab = lab
        self.flash = lab.flash("nand", size="8M" if quick else "24M",
                               parts="7M(rootfs),-(data)" if quick else "20M(rootfs),-(data)")
        make = {"flash": self.flash, "files": procedure_files(), "links": procedure_links()}
        self.old = lab.firmware(1, "squashfs-nand", **make)
        self.new = lab.firmware(2, "squashfs-nand", filler="1M" if quick else "14800k", **make)
        fwi = bench.pack(lab, 2, {"rootfs": self.new})
        self._stick = lab.disk({"fw.fwi": Path(fwi), "fw.img": Path(self.new)})
        self.flash.write("rootfs", self.old)
        self._fresh = self.flash.snapshot()

    def start(self, kib, **options):
        """Switch it on with firmware 1 and that much memory, and mount the stick."""
        self.flash.restore(self._fresh)
        machine = self._lab.uml(self.flash, "squashfs", mem=f"{kib}K", disks=[self._stick],
                                **options).up(1, timeout=_PATIENCE)
        machine.sh("mount /dev/ubda /mnt; echo 3 >/proc/sys/vm/drop_caches", check=True)
        return machine

    def _end(self, machine):
        """How it ended: "" once the new firmware is up, or what became of the device."""
        try:
            seen = machine.expect(r"FIRMWARE ([12]) UP|GAVE UP WITH (\d+)|Kernel panic",
                                  timeout=_PATIENCE)
        except MachineError:
            seen = None
        if seen and seen.group(2):
            return f"exit code {seen.group(2)}, the old firmware goes on"
        if seen and seen.group(1) == "2":
            return ""
        machine.kill()
        if seen and seen.group(1):
            return "the old firmware after a reboot"
        if not self.flash.compare("rootfs", self.old):
            return "dead, with the old firmware on flash"
        return "dead in the midst of writing: no firmware"

    def attempt(self, way, kib):
        """Update with that much memory: ("" or how it failed, what the guest had free: KiB)."""
        try:
            machine = self.start(kib)
        except (MachineError, CheckFailed):
            return "it does not boot", None
        try:
            text = machine.sh("cat /proc/meminfo", check=True).out
            free, available = (int(re.search(rf"{key}: +(\d+)", text).group(1))
                               for key in ("MemFree", "MemAvailable"))
            machine.send(f"({way.command}) || (c=$?; [ $c -gt 128 ] || echo GAVE UP WITH $c)\n")
            ended = self._end(machine)
        finally:
            machine.kill()
        if not ended:
            self._lab.check_flash(self.flash, "rootfs", self.new)
        return ended, (free, available)


def _bisect(machine, way):
    """(the least KiB with which it works, what is free and available then, how less ends)."""
    failed, works = _LEAST_KIB, _MOST_KIB
    ended, found = machine.attempt(way, works)
    if ended:
        raise CheckFailed(f"{way.name}: does not work with {works} KiB: {ended}")
    how = "it does not boot"
    while works - failed > _STEP_KIB:
        kib = (works + failed) // 2 // _STEP_KIB * _STEP_KIB
        ended, memory = machine.attempt(way, kib)
        if ended:
            failed, how = kib, ended
        else:
            works, found = kib, memory
    return works, found, how


def _least(machine, quick):
    rows = []
    for way in _WAYS:
        if quick:
            ended, memory = machine.attempt(way, 64 << 10)
            if ended:
                raise CheckFailed(f"{way.name}: {ended}")
            works, how = 64 << 10, "not tried"
        else:
            works, memory, how = _bisect(machine, way)
        rows.append([way.name, works, *memory, how])
    size = machine.new.stat().st_size / 1048576
    return Table(f"The least memory that updates to an image of {size:.1f} MiB on a stick, KiB",
                 ["update", "mem=", "MemFree before", "MemAvailable before", "with less"], rows)


def _held(lab, machine):
    """What an update from the stick has in memory when it is in the midst of writing."""
    m = machine.start(64 << 10, faults={"hang": _MID_FLASH}, quiet=False)
    asked = m.sh("flashinit check --json /mnt/fw.fwi 2>/dev/null").out
    needed = next(event["needed"] for event in map(json.loads, asked.splitlines())
                  if event.get("name") == "memory")
    m.send("flashinit update /mnt/fw.fwi\n")
    m.expect(r"flashsim: .*hang", timeout=_PATIENCE)
    lab.mconsole("sysrq f")  # kills the worker, and tells what it had
    m.expect(r"Killed process \d+ \(flashinit\)", timeout=_PATIENCE)
    m.expect("pgtables")
    m.kill()
    text = m.console[m.console.rindex("Mem-Info"):]
    staged = int(re.search(r" shmem:(\d+)", text).group(1)) * _PAGE_KIB
    locked, worker = (int(re.search(rf"{key}:(\d+)kB", text).group(1))
                      for key in ("mlocked", "anon-rss"))
    rows = [["the staged root (a tmpfs)", staged],
            ["PID 1, locked, with the program's text", locked],
            ["the worker's own", worker],
            ["together", staged + locked + worker],
            ["asked for before anything is changed", needed >> 10]]
    return Table("Memory in the midst of writing eraseblocks of 128 KiB from a stick",
                 ["what", "KiB"], rows,
                 ["\"Together\" counts the program's text twice: it lies in the staged root."])


def run(lab, quick):
    """The tables."""
    machine = _Machine(lab, quick)
    tables = [_least(machine, quick), _held(lab, machine)]
    lab.check_rules()
    return tables
