# SPDX-License-Identifier: GPL-2.0-or-later
"""Watchdogs: fed while an update gets on, left to bite where it cannot."""

import random
import re
import time

from labkit import bench, rootfs
from labkit.scenario import scenario

_TIMEOUT = 4  # seconds; the shortest that is left as it is
_SLOW = {"erasetime": 200}
_STATE = "cat /sys/class/watchdog/watchdog{}/state"

# Feeds a watchdog, and lets go of it only when it is killed: it goes on running.
_STUBBORN = """\
#!/bin/sh
trap '' HUP INT TERM QUIT
exec 3>/dev/$1
while echo >&3; do sleep 1 3>&-; done
"""


# Does not stop it either when it ends, at the first word.
_WEAK = """\
#!/bin/sh
exec 3>/dev/$1
while echo >&3; do usleep 200000 3>&-; done
"""


def _softdog(timeout, nowayout):
    return f"softdog.soft_margin={timeout} softdog.nowayout={nowayout}"


def _feed(b, command, name="watchdog0"):
    b.machine.sh(f"{command} & until grep -q ^active /sys/class/watchdog/{name}/state; do :; done",
                 check=True)


def _update_slowly(lab, b, after="poweroff", timeout=40):
    """An update that takes longer than the watchdog's timeout."""
    b.machine.send(f"flashinit update --after {after} /mnt/fw.fwi\n")
    b.machine.expect("watchdog[01] is fed from here on; its timeout is [0-9]+ s", timeout=timeout)
    start = time.monotonic()
    b.machine.expect("the new firmware is written and proven", timeout=timeout)
    took = time.monotonic() - start
    lab.check(took > _TIMEOUT + 1, f"flashing took {took:.1f} s only: nothing is shown by that")


def _check_new(lab, b):
    lab.check_equal(b.machine.wait_exit(20), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def watchdog_nowayout(lab):
    """A watchdog that nothing can stop, its feeder killed, flashing longer than its timeout."""
    b = bench.on(lab, "squashfs-nand", files={"bin/stubborn": _STUBBORN}, faults=_SLOW,
                 append=_softdog(_TIMEOUT, 1))
    _feed(b, "stubborn watchdog")
    result = b.machine.sh("flashinit check /mnt/fw.fwi", check=True)
    lab.check(re.search(r"watchdog: watchdog0 runs, timeout 4 s, fed by process \d+ \(stubborn\)",
                        result.out), result.out)
    _update_slowly(lab, b)
    _check_new(lab, b)
    lab.check("watchdog0 may not stop, and reset the machine in 4 s" in b.machine.console,
              "no word of it at poweroff")
    b.restart(2)


@scenario()
def watchdog_stopped_by_feeder(lab):
    """BusyBox's feeder, which init respawns, stops its watchdog when it ends: it is started again."""
    feeder = f"::respawn:/sbin/watchdog -F -t 1 -T {_TIMEOUT} /dev/watchdog\n"
    b = bench.on(lab, "jffs2-nand", faults=_SLOW, inittab=rootfs.INITTAB + feeder)
    b.machine.sh("until grep -q ^active /sys/class/watchdog/watchdog0/state; do :; done", check=True)
    _update_slowly(lab, b)
    _check_new(lab, b)
    lab.check("may not stop" not in b.machine.console, "it was not stopped at poweroff")
    b.restart(2)


@scenario()
def watchdog_very_short(lab):
    """One second: init takes that between its TERM and its KILL; then it is made longer."""
    b = bench.on(lab, "squashfs-nand", files={"bin/weak": _WEAK}, faults=_SLOW,
                 append=_softdog(1, 1))
    _feed(b, "weak watchdog")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("watchdog0 is fed from here on; its timeout is 10 s", timeout=40)
    b.machine.up(2, timeout=40)
    lab.check_equal(b.machine.sh(_STATE.format(0)).out, "inactive", "after the reboot")


@scenario()
def watchdog_without_feeder(lab):
    """Its feeder has died, nobody has it open, and it runs: the update is quick enough to save it."""
    b = bench.on(lab, "squashfs-nand", files={"bin/stubborn": _STUBBORN}, faults=_SLOW,
                 append=_softdog(8, 0))
    _feed(b, "stubborn watchdog")
    b.machine.sh("kill -9 $!", check=True)
    b.machine.send("flashinit check /mnt/fw.fwi; flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("watchdog0 runs, timeout 8 s, fed by nobody")
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


_START = """\
#!/bin/sh
exec 9>/dev/watchdog
exec /sbin/init
"""


@scenario()
def watchdog_of_init(lab):
    """Init itself has it open, as have all that it has started: flashinit closes and opens it."""
    b = bench.on(lab, "squashfs-nand", files={"bin/start": _START},
                 append=f"init=/bin/start {_softdog(30, 1)}")
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("watchdog0 is fed from here on; its timeout is 30 s", timeout=40)
    _check_new(lab, b)


@scenario()
def watchdog_handed_on(lab):
    """Booting without a reboot leaves it running, for a minute, and the new firmware can feed it."""
    b = bench.on(lab, "squashfs-nand", files={"bin/stubborn": _STUBBORN},
                 append=_softdog(_TIMEOUT, 0))
    _feed(b, "stubborn watchdog")
    b.machine.send("flashinit update --after boot /mnt/fw.fwi\n")
    b.machine.up(2, timeout=40)
    lab.check_equal(b.machine.sh(_STATE.format(0)).out, "active", "in the new firmware")
    lab.check_equal(b.machine.sh("cat /sys/class/watchdog/watchdog0/timeout").out, "60", "timeout")
    b.machine.sh("watchdog -F /dev/watchdog0 & until ls -l /proc/$!/fd | grep -q watchdog; do :; "
                 "done; kill $!; wait", check=True)
    lab.check_equal(b.machine.sh(_STATE.format(0)).out, "inactive", "stopped by its new feeder")


@scenario()
def watchdog_unopened(lab):
    """A watchdog that nobody has opened is not opened."""
    b = bench.on(lab, "squashfs-nand", faults=_SLOW, append=_softdog(1, 1))
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    lab.check("watchdog" not in b.machine.console, "there was word of a watchdog")


@scenario()
def watchdog_cannot_be_had(lab):
    """Something in the kernel has it open and does not feed it: nothing is erased."""
    b = bench.on(lab, "squashfs-nand")
    before = b.flash.snapshot()
    b.machine.sh("echo /dev/watchdog >/sys/module/flashsim/parameters/hold", check=True)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("cannot take over watchdog0, which would reset the machine in mid-flash: "
                     "(Device or r|R)esource busy", timeout=40)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1)
    b.machine.kill()
    lab.check(b.flash.snapshot() == before, "the flash was changed")


@scenario(timeout=240)
def watchdog_bites_frozen_worker(lab):
    """The worker hangs in the first erase and cannot be killed: reset, and firmware 1 is back."""
    b = bench.on(lab, "squashfs-nand", files={"bin/stubborn": _STUBBORN}, faults={"hang": 1},
                 append=_softdog(_TIMEOUT, 1))
    before = b.flash.read("rootfs")
    _feed(b, "stubborn watchdog")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("flashsim: hanging at operation 1", timeout=40)
    start = time.monotonic()
    b.machine.expect(r"cannot be killed .*, or for the watchdog's reset", timeout=100)
    b.machine.up(1, timeout=20)
    took = time.monotonic() - start
    lab.check(took > 60, f"reset after {took:.0f} s: a slow driver has no chance")
    b.machine.kill()
    lab.check(b.flash.read("rootfs") == before, "the flash was changed")


_NAND = "NAND simulator partition 0"


def _on_qemu(lab, erase_ms, payloads):
    """QEMU with two watchdogs, the second one fed, and NAND whose erases take their time."""
    stick = {"nand.fwi": bench.pack(lab, "nand", payloads)}
    b = bench.on(lab, "jffs2-nor", lab.qemu, files={"bin/stubborn": _STUBBORN}, payloads=payloads,
                 stick=stick, hardware={"devices": ["i6300esb"], "modules": {
                     "i6300esb": f"heartbeat={_TIMEOUT} nowayout=1",
                     "nandsim": f"do_delays=1 erase_delay={erase_ms} parts=96 "
                                "id_bytes=0x20,0xa1,0x00,0x15"}})
    lab.check_equal(b.machine.sh("cat /sys/class/watchdog/*/identity").out,
                    "Software Watchdog\ni6300ESB timer", "watchdogs")
    _feed(b, "stubborn watchdog1", "watchdog1")
    return b


@scenario(timeout=240)
def watchdog_qemu(lab):
    """QEMU's i6300ESB is fed, and resets the machine that halts; the one nobody opened is left alone."""
    b = _on_qemu(lab, 60, {_NAND: random.Random(1).randbytes(8 << 20)})
    _update_slowly(lab, b, "halt", timeout=120)
    b.machine.expect("halting")
    b.machine.expect("watchdog1 may not stop, and reset the machine in 4 s")
    b.machine.up(2)
    lab.check("watchdog0" not in b.machine.console.split("PID 1 now")[1], "watchdog0 was touched")
    b.machine.kill()
    lab.check_equal(b.flash.read("rootfs", 4096), b.new.read_bytes()[:4096], "start of the flash")


@scenario(timeout=240)
def watchdog_qemu_bites(lab):
    """The driver of another partition spins in the kernel: the i6300ESB resets, firmware 1 is back."""
    b = _on_qemu(lab, 1000000, {_NAND: b"new" * 5000})
    before = b.flash.read("rootfs", 4096)
    b.machine.send("flashinit update /mnt/nand.fwi\n")
    b.machine.expect("the old root is unmounted and nothing uses the flash", timeout=120)
    b.machine.up(1)
    b.machine.kill()
    lab.check(b.flash.read("rootfs", 4096) == before, "the flash was changed")
