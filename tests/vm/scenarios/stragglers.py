# SPDX-License-Identifier: GPL-2.0-or-later
"""Stragglers of every kind that tests/vm/guest/straggler has: none of them keeps the flash."""

from labkit import bench
from labkit.scenario import scenario


def _kinds(b, group):
    """The kinds that the guest's straggler lists in a file of its source."""
    listing = b.machine.sh(f"straggler --list {group}", check=True).out
    return [line.split()[0] for line in listing.splitlines()]


def _all_let_go(lab, layout, group, option="", timeout=60):
    """All kinds of a group at once, and an update."""
    b = bench.on(lab, layout)
    kinds = _kinds(b, group)
    lab.check(len(kinds) >= 5, f"{group}: only {kinds}")
    b.machine.sh(f"straggler {option} {' '.join(kinds)}", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    if option:
        for kind in kinds:
            b.machine.expect(f"straggler: {kind} is out")
    lab.check_equal(b.machine.wait_exit(timeout), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.power_on(2)


@scenario()
def stragglers_processes(lab):
    """Deaf, stopped, traced, headless, vforked processes and a fork bomb, while init still kills."""
    _all_let_go(lab, "jffs2-nand", "processes")


@scenario()
def stragglers_processes_late(lab):
    """The same let out when init has done its killing: flashinit's own sweep wins."""
    _all_let_go(lab, "jffs2-nand", "processes", "--late")


@scenario()
def stragglers_holders(lab):
    """Working directories, roots, programs, files open, mapped, deleted or on their way."""
    _all_let_go(lab, "jffs2-nand", "holders")


@scenario()
def stragglers_holders_late(lab):
    """The same let out when init has done its killing."""
    _all_let_go(lab, "jffs2-nand", "holders", "--late")


@scenario()
def stragglers_namespaces(lab):
    """Processes in other namespaces, and mount namespaces that nobody is in."""
    _all_let_go(lab, "squashfs-nand", "namespaces")


@scenario()
def stragglers_namespaces_late(lab):
    """The same let out when init has done its killing."""
    _all_let_go(lab, "jffs2-nand", "namespaces", "--late")


@scenario()
def stragglers_mounts(lab):
    """Mounts of the root bound, stacked, nested, covered, and a second one."""
    _all_let_go(lab, "jffs2-nand", "mounts")


@scenario()
def stragglers_mounts_late(lab):
    """The same, on SquashFS, made when init has done its killing."""
    _all_let_go(lab, "squashfs-nand", "mounts", "--late")


@scenario()
def stragglers_fuse(lab):
    """FUSE servers silent, stopped, dead or waiting for themselves, and processes that wait for them."""
    _all_let_go(lab, "jffs2-nand", "fuse")


@scenario()
def stragglers_fuse_late(lab):
    """The same, on SquashFS, let out when init has done its killing."""
    _all_let_go(lab, "squashfs-nand", "fuse", "--late")


def _alone(lab, layout, kind):
    """One kind alone, when init has done its killing: no other makes that the root comes free."""
    b = bench.on(lab, layout, filler="100k")
    b.machine.sh(f"straggler --late {kind}", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect(f"straggler: {kind} is out")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.power_on(2)


@scenario()
def straggler_headless(lab):
    """A process whose first thread has ended, and that ignores TERM, is no zombie: it gets the KILL."""
    _alone(lab, "jffs2-nand", "headless")


def _keeps_all(lab, layout, kinds, words):
    """A straggler that nothing ends: named, nothing is erased, firmware 1 boots."""
    b = bench.on(lab, layout)
    b.machine.sh(f"mke2fs /dev/ram0 >/dev/null && straggler {kinds}", check=True)
    before = b.flash.read("rootfs", 4096)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    for pattern in (r"process \d+ \(straggler\) will not die: state D", *words,
                    "nothing was erased: going back to the old firmware"):
        b.machine.expect(pattern, timeout=60)
    b.machine.up(1, timeout=40)
    b.machine.kill()
    lab.check_equal(b.flash.read("rootfs", 4096), before, "the flash's first page")


@scenario(timeout=120)
def straggler_unkillable(lab):
    """One that writes to a frozen file system, and ignores KILL: it and what it holds are named."""
    _keeps_all(lab, "squashfs-nand", "frozen",
               (r"process \d+ \(straggler\) holds /oldroot/etc as its cwd",
                "cannot unmount /oldroot"))


@scenario(timeout=120)
def straggler_unkillable_elsewhere(lab):
    """The same in a mount namespace of its own: here the root is unmounted, and there it is not."""
    _keeps_all(lab, "jffs2-nand", "--late frozen-ns",
               (r"mtd0 \(rootfs\) is in use: mounted on /oldroot \(jffs2, mtd:rootfs\)",))


@scenario()
def write_beside_silent_server(lab):
    """A process has a folder open whose server does not answer: write looks at it, and goes on."""
    b = bench.on(lab, "jffs2-nand", filler="100k")
    b.machine.sh("straggler fuse-open", check=True)
    b.machine.sh("head -c 200000 /bin/busybox >/tmp/image; "
                 "flashinit write --raw data=/tmp/image", check=True)
    b.machine.kill()
    found = b.flash.read("data", 4)
    lab.check_equal(found, b"\x7fELF", "the first bytes of data")
