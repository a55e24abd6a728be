# SPDX-License-Identifier: GPL-2.0-or-later
"""End to end: from the command to the new firmware's init, beside the published shell procedure.

All runs in QEMU with -icount: the clock counts instructions, and what is measured repeats.
"""

import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from labkit import bench, journal, qemu, rootfs
from labkit.errors import CheckFailed
from shellway import procedure_files, procedure_links
from table import Table, figure

NAME = "endtoend"

# By million instructions per second.
_CLOCKS = {125: qemu.COUNTED_CLOCK,
           500: [word.replace("=3,", "=1,") for word in qemu.COUNTED_CLOCK]}
_LOGGING = "loglevel=8 printk.devkmsg=on tp_printk"
_PATIENCE = 300

# Each call of mtd_erase() is told in the kernel's log.
_WATCH_ERASE = """\
#!/bin/sh
mount -t tracefs tracefs /sys/kernel/tracing
echo p:erase mtd_erase >/sys/kernel/tracing/kprobe_events
echo 1 >/sys/kernel/tracing/events/kprobes/erase/enable
umount /sys/kernel/tracing
"""

_FLASHINIT_SAYS = {
    "quit": "flashinit: init is ready, and is told to restart",
    "pid1": "flashinit: this is PID 1 now",
    "cleared": "flashinit: the old root is unmounted and nothing uses the flash",
    "written": "flashinit: the new firmware is written and proven",
}


@dataclass(frozen=True)
class Job:
    """A way to update; the command is for the shell of the old firmware."""
    name: str
    after: str
    command: str
    mips: int = 125


_JOBS = [
    *(Job("flashinit, from the stick", after, f"flashinit update --after {after} /mnt/fw.fwi")
      for after in ("reboot", "boot")),
    *(Job("shell procedure, from the stick", after,
          f"update-firmware /mnt/fw.img rootfs stick {after}") for after in ("reboot", "boot")),
    Job("flashinit, through a pipe into RAM", "boot",
        "cat /mnt/fw.fwi | flashinit update --after boot -"),
    Job("shell procedure, copied to RAM", "boot", "update-firmware /mnt/fw.img rootfs ram boot"),
    Job("flashinit, from the stick", "boot", "flashinit update --after boot /mnt/fw.fwi", 500),
    Job("flashinit, through a pipe into RAM", "boot",
        "cat /mnt/fw.fwi | flashinit update --after boot -", 500),
]
_QUICK_JOBS = (1, 3)


def _stamps(console):
    """{label: seconds since the machine was switched on} of all that told its time."""
    times, offset = {}, None
    for at, text in re.findall(r"\[ *(\d+\.\d{6})\] ([^\n]*)", console):
        at = float(at)
        stamp = re.match(r"stamp (\S+) (\d+)", text)
        if stamp:
            offset = int(stamp.group(2)) * 1e-9 - at
            times.setdefault(stamp.group(1), []).append(at + offset)
        elif offset is not None:
            says = [label for label, what in _FLASHINIT_SAYS.items() if text.startswith(what)]
            label = says[0] if says else "erase" if text.startswith("erase: ") else None
            if label:
                times.setdefault(label, []).append(at + offset)
    return times


def _first_after(times, label, when):
    found = [time for time in times.get(label, []) if time >= when]
    if not found:
        raise CheckFailed(f"the console does not tell of \"{label}\"")
    return found[0]


class _Machine:
    """Flash with firmware 1 and a stick, both phram; the same at the start of each job."""

    def __init__(self, lab, quick):
        self._lab = lab
        self.flash = lab.flash("nor", size="24M" if quick else "64M",
                               parts="8M(rootfs),1M(data),-(stick)" if quick
                               else "20M(rootfs),1M(data),-(stick)")
        self.flash.write("rootfs", self._firmware(1, quick))
        self.new = self._firmware(2, quick)
        fwi = bench.pack(lab, 2, {"rootfs": self.new})
        stick = lab.disk({"fw.fwi": Path(fwi), "fw.img": Path(self.new)})
        self.flash.write("stick", stick.path)
        self.flash.write("data", journal.make(journal.Record("done", "0" * 64, "1", good=True)))
        self._fresh = self.flash.snapshot()

    def _firmware(self, version, quick):
        """SquashFS; the first file in it, and most of the others, differ by the version."""
        files = {**procedure_files(), "bin/watch-erase": _WATCH_ERASE,
                 "aaa": rootfs.filler(256 << 10, f"first {version}")}
        return self._lab.firmware(version, "squashfs-nor", flash=self.flash, files=files,
                                  links=procedure_links(), filler="1M" if quick else "12M",
                                  inittab=f"::sysinit:/usr/bin/stamp init\n{rootfs.INITTAB}")

    def start(self, init="/sbin/init", append="", mips=125):
        """Switch it on with firmware 1."""
        self.flash.restore(self._fresh)
        machine = self._lab.qemu(self.flash, "squashfs", quiet=False, init=init,
                                 append=f"{_LOGGING} {append}", options=_CLOCKS[mips])
        return machine.up(1, timeout=_PATIENCE)

    def run(self, job):
        """Do a job; gives {step: seconds since the job's start}."""
        machine = self.start(mips=job.mips)
        machine.sh("mount -t squashfs -o ro /dev/mtdblock2 /mnt && watch-erase; "
                   "echo 3 >/proc/sys/vm/drop_caches", check=True)
        machine.send(f"stamp start && {job.command}\n")
        machine.up(2, timeout=_PATIENCE)
        machine.kill()
        self._lab.check_flash(self.flash, "rootfs", self.new)
        kernels = machine.console[machine.console.rindex("stamp start "):].count("Linux version")
        self._lab.check_equal(kernels, int(job.after == "reboot"), f"kernels started by {job}")
        times = _stamps(machine.console)
        found, when = {"start": times["start"][-1]}, times["start"][-1]
        for label in ("quit", "pid1", "cleared", "erase", "written", "init"):
            when = _first_after(times, label, when)
            found[label] = when
        return found


def _rounds(jobs, count):
    """The jobs of each round, forwards and backwards in turn."""
    return [jobs if number % 2 == 0 else jobs[::-1] for number in range(count)]


_SPANS = [("to QUIT", "start", "quit"), ("init's own", "quit", "pid1"),
          ("until the flash is free", "pid1", "cleared"),
          ("PID 1 to first erase", "pid1", "erase"), ("to the last byte", "erase", "written"),
          ("to the new init", "written", "init"), ("in all", "start", "init")]


def _updates(machine, quick):
    jobs = [_JOBS[number] for number in _QUICK_JOBS] if quick else _JOBS
    found = {job: [] for job in jobs}
    for order in _rounds(jobs, 1 if quick else 3):
        for job in order:
            found[job].append(machine.run(job))
    table = Table("End to end, seconds", ["update", "after", "MIPS", *(span[0] for span in _SPANS)])
    for job, runs in found.items():
        spans = [figure([run[end] - run[start] for run in runs]) for _, start, end in _SPANS]
        table.rows.append([job.name, job.after, job.mips, *spans])
    return table


def _healthy_boot(machine, way, mips):
    """Milliseconds from where the kernel's first program starts to init's first line."""
    init, append = way
    started = machine.start(f"/usr/bin/stamp kernel {init}", append, mips)
    started.kill()
    times = _stamps(started.console)
    return 1000 * (times["init"][0] - times["kernel"][0])


def _guard(machine):
    """What the guard adds to a healthy boot, with two targets and a journal."""
    words = "flashinit.target=rootfs flashinit.target=stick flashinit.journal=data"
    direct, guarded = ("/sbin/init", ""), ("/sbin/flashinit", words)
    found = {(mips, way): [] for mips in _CLOCKS for way in (direct, guarded)}
    for order in _rounds(list(found), 3):
        for mips, way in order:
            found[mips, way].append(_healthy_boot(machine, way, mips))
    table = Table("A healthy boot, milliseconds from the first program to init's first line",
                  ["MIPS", "init alone", "by the guard", "added"])
    for mips in _CLOCKS:
        alone, by_guard = found[mips, direct], found[mips, guarded]
        added = statistics.median(by_guard) - statistics.median(alone)
        table.rows.append([mips, figure(alone, 1), figure(by_guard, 1), f"{added:.1f}"])
    return table


def run(lab, quick):
    """The tables."""
    machine = _Machine(lab, quick)
    return [_updates(machine, quick)] + ([] if quick else [_guard(machine)])
