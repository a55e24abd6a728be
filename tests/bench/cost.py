# SPDX-License-Identifier: GPL-2.0-or-later
"""What writing costs: processor time, instructions, system calls, and the memory of each process."""

import re

from labkit.errors import CheckFailed
from table import Table
from work import MIB, PATIENCE, Images, load_chip, machine, measure, mib
from writes import WAYS

NAME = "cost"

_WAYS = [
    "flashinit write, image", "flashinit write, plain file", "flashinit write, image from a pipe",
    "flash_erase, nandwrite, nanddump, cmp", "flashcp", "gzip -dc, flash_erase, nandwrite",
    "gzip -dc, flash_erase, nandwrite, nanddump, cmp", "dd to mtdblock"]
_MIPS = 125
_GLUE = ("sh", "rm")  # what joins the programs of each way


def _processes(w, command, variables):
    """[(name, system calls, peak in KiB)] of the programs that a command runs."""
    w.run(f"cat >/tmp/command <<'EOF'\n{variables}\n{command}\nEOF\nsync", PATIENCE)
    done = w.sh("calls '. /tmp/command' 2>&1", timeout=PATIENCE)
    found = re.findall(r"^process: (\S+) (\d+) (\d+)\r?$", done.out, re.MULTILINE)
    if done.code or not found:
        raise CheckFailed(f"{command}: exit code {done.code}\n{done.out[-2000:]}")
    return [(name, int(calls), int(peak)) for name, calls, peak in found if name not in _GLUE]


def _row(w, name, size):
    command = WAYS[name][1]
    used = measure(w, command, f"new=B size={size} dev=/dev/mtd0")
    found = _processes(w, command, f"new=A size={size} dev=/dev/mtd0")
    w.run(f"nanddump -q --bb=skipbad -l {size} /dev/mtd0 2>/dev/null | cmp - /ram/A.bin", PATIENCE)
    peaks = ", ".join(f"{program} {peak}" for program, _calls, peak in found)
    return [name, f"{used.user:.3f}", f"{used.system:.3f}",
            f"{used.user * _MIPS * 1e6 / size:.1f}", f"{used.system * _MIPS * 1e6 / size:.1f}",
            round(sum(calls for _name, calls, _peak in found) / (size / MIB)), peaks]


def run(lab, quick):
    """One round, the chip taking no time; the calls in a run of their own, which nobody times."""
    size = MIB // 2 if quick else 16 * MIB
    w = machine(lab)
    images = Images(lab, w, size)
    load_chip(w, images.size, False)
    table = Table(
        f"What {mib(size)} onto NAND cost, {_MIPS} MIPS",
        ["way", "user CPU, seconds", "system CPU, seconds", "instructions a byte, user",
         "instructions a byte, kernel", "system calls a MiB", "peak of each process, KiB"])
    w.run("flash_erase -q /dev/mtd0 0 0 2>/dev/null; nandwrite -q -p /dev/mtd0 /ram/A.bin",
          PATIENCE)
    table.rows = [_row(w, name, size) for name in _WAYS]
    table.notes.append("Instructions are the processor's time at so many of them a second, which "
                       "Linux samples; the kernel's are with those of the simulated chip.")
    return [table]
