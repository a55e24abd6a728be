# SPDX-License-Identifier: GPL-2.0-or-later
"""PID 1 after the take-over: whatever happens to its children and to it, it stays and tells the truth."""

import re

from labkit import bench
from labkit.scenario import scenario

_UPDATE = "flashinit update --after poweroff /mnt/fw.fwi\n"


def _finish(lab, b, timeout=60):
    """The update ends well: the flash is the image, firmware 2 boots, and nothing panicked."""
    lab.check_equal(b.machine.wait_exit(timeout), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    lab.check("Kernel panic" not in b.machine.console, "a panic")
    b.restart(2)


def _operations(lab):
    """How many operations the update of a SquashFS on NAND takes."""
    b = bench.on(lab, "squashfs-nand", filler="1M")
    b.machine.send(_UPDATE)
    done = b.machine.expect(r"flashsim: (\d+) erases, (\d+) programs", timeout=40)
    b.machine.wait_exit(30)
    return int(done.group(1)) + int(done.group(2))


def _killed(console):
    """The signals that the flash worker was killed by, in order."""
    return [int(n) for n in re.findall(r"the flash worker was killed by signal (\d+)", console)]


@scenario(timeout=120)
def worker_killed(lab):
    """The flash worker is killed again and again, by KILL, SEGV, ABRT, BUS, ILL: another one goes on."""
    # Far enough apart that each attempt gets further than the one before.
    signals = [9, 11, 6, 9, 7, 9, 4]
    at = [150 * n + 7 * n for n in range(1, len(signals) + 1)]
    b = bench.on(lab, "squashfs-nand",
                 faults={"signals": [f"{s}@{n}" for s, n in zip(signals, at)]})
    b.machine.send(_UPDATE)
    _finish(lab, b, timeout=100)
    console = b.machines[0].console
    lab.check_equal(_killed(console), signals, "signals that killed the worker")
    lab.check_equal(console.count("DO NOT TURN OFF; trying again in 1 s"), len(signals),
                    "attempts that followed within a second")


@scenario(timeout=120)
def worker_killed_at_the_ends(lab):
    """The flash worker is killed at the first operation, and at the last."""
    last = _operations(lab)
    for at in 1, last:
        b = bench.on(lab, "squashfs-nand", filler="1M", faults={"signals": [f"9@{at}"]})
        b.machine.send(_UPDATE)
        _finish(lab, b)
        lab.check_equal(_killed(b.machines[0].console), [9], f"killed at operation {at}")


@scenario()
def worker_stopped(lab):
    """The flash worker is stopped, several times: it is let go on at once."""
    at = [1, 100, 300, 800, 1500]
    b = bench.on(lab, "squashfs-nand", faults={"signals": [f"19@{n}" for n in at]})
    b.machine.send(_UPDATE)
    b.machine.expect("this is PID 1 now", timeout=20)
    _finish(lab, b, timeout=15)
    words = "the flash worker was stopped by signal 19; it goes on"
    lab.check_equal(b.machines[0].console.count(words), len(at), "times that it was let go on")
    lab.check("trying again" not in b.machines[0].console, "the worker was started again")


@scenario()
def signals_to_pid1(lab):
    """PID 1 gets every signal there is, at many moments: it takes no notice, and goes on flashing."""
    at = [1, 2, 3, 50, 66, 67, 400, 700]
    b = bench.on(lab, "squashfs-nand", faults={"storm": at})
    b.machine.send(_UPDATE)
    _finish(lab, b)
    console = b.machines[0].console
    lab.check_equal(console.count("flashsim: every signal to PID 1"), len(at), "storms")
    lab.check("trying again" not in console, "the worker was started again")


@scenario()
def ctrl_alt_del(lab):
    """Ctrl-Alt-Del in mid-flash: it is off; the machine goes on."""
    b = bench.on(lab, "squashfs-nand", faults={"tell": 30})
    b.machine.send(_UPDATE)
    b.machine.expect("flashsim: operation 30$", timeout=20)
    lab.check_equal(lab.mconsole("cad"), "", "the kernel's answer to Ctrl-Alt-Del")
    lab.check("is written and proven" not in b.machine.console, "it came too late to be a test")
    _finish(lab, b)


@scenario()
def unmounter_killed(lab):
    """The child that unmounts the old root is killed: nothing is erased, firmware 1 is back."""
    b = bench.on(lab, "jffs2-nand", faults={"syncsignal": 9})
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect(r"unmounting was killed by signal 9 \(last: unmounting the old root\)", timeout=20)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1)
    lab.check("flashsim: signal 9 to process" in b.machine.console, "another signal")
    b.mount_stick()
    b.machine.sh("echo 0 >/sys/module/flashsim/parameters/syncsignal", check=True)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.up(2, timeout=40)


@scenario()
def unmounter_stopped(lab):
    """The child that unmounts the old root is stopped: it is let go on at once, and all goes well."""
    b = bench.on(lab, "jffs2-nand", faults={"syncsignal": 19})
    b.machine.send(_UPDATE)
    b.machine.expect("unmounting was stopped by signal 19; it goes on", timeout=20)
    _finish(lab, b)
