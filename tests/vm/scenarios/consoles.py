# SPDX-License-Identifier: GPL-2.0-or-later
"""Consoles that are not there, go away, or take nothing: the update goes on as fast as ever."""

import time

from labkit import bench, rootfs
from labkit.scenario import scenario

# Fills the console, waits until it takes no more, and updates.
_FILL = ("#!/bin/sh\nyes 0123456789012345678901234567890123456789 >/dev/console &\nyes=$!\n"
         "until grep -q ') S' /proc/$yes/stat; do :; done\n"
         "exec flashinit update --after poweroff /mnt/fw.fwi >/dev/null 2>&1\n")
_UPDATE = "#!/bin/sh\nexec flashinit update --after poweroff /mnt/fw.fwi >/dev/null 2>&1\n"
_FILES = {"etc/fill": _FILL, "etc/update": _UPDATE}


def _time(lab, b):
    """Seconds until the machine is off; the flash must be the image then."""
    start = time.monotonic()
    lab.check_equal(b.machine.wait_exit(50), 0, "exit code after poweroff")
    seconds = time.monotonic() - start
    lab.check_flash(b.flash, "rootfs", b.new)
    return seconds


def _usual(lab, layout="squashfs-nand", start=None):
    """Seconds that it takes with a console that is read."""
    b = bench.on(lab, layout, start, files=_FILES)
    b.machine.send("sh /etc/update\n")
    return _time(lab, b)


def _check(lab, seconds, usual):
    """Who waits for a console waits for good; a host that is busy with others takes its time, too."""
    print(f"{seconds:.1f} s, {usual:.1f} s where the console is read", flush=True)
    lab.check(seconds < 3 * usual + 10, f"{seconds:.1f} s, and {usual:.1f} s with another console")


@scenario(timeout=240)
def console_blocked(lab):
    """The console is full: nobody reads it, or Ctrl-S stopped it. Neither init nor the update waits."""
    usual = _usual(lab, "squashfs-nor", lab.qemu)
    b = bench.on(lab, "squashfs-nor", lab.qemu, files=_FILES)
    b.machine.stop_reading()
    b.machine.send("sh /etc/fill\n")
    _check(lab, _time(lab, b), usual + 2)  # init is freed not at once, and pauses
    b.power_on(2)
    b = bench.on(lab, "squashfs-nor", lab.qemu, files=_FILES)
    b.machine.send("sh /etc/fill\n")
    b.machine.expect("0123456789")
    b.machine.send("\x13")
    _check(lab, _time(lab, b), usual + 2)  # init is freed not at once, and pauses


@scenario()
def console_hung_up(lab):
    """The console's terminal goes away in mid-flash."""
    usual = _usual(lab)
    b = bench.on(lab, "squashfs-nand", faults={"tell": 100})
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("flashsim: operation 100$", timeout=20)
    b.machine.hang_up()
    _check(lab, _time(lab, b), usual)
    b.power_on(2)


@scenario()
def console_absent(lab):
    """There is no console at all, from the start."""
    usual = _usual(lab)
    once = "#!/bin/sh\n[ $(cat /etc/version) = 1 ] || exit\nmount /dev/ubda /mnt\nexec sh /etc/update\n"
    b = bench.on(lab, "squashfs-nand", files={**_FILES, "etc/once": once}, prompt=False,
                 inittab=rootfs.INITTAB + "::once:/bin/sh /etc/once\n", append="con0=none")
    _check(lab, _time(lab, b), usual + 2)
    lab.check("FIRMWARE" not in b.machine.console, "there is a console")
    b.restart(2, append="")
