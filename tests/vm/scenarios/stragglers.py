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
