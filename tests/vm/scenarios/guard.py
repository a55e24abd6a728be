# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit as the kernel's first process: whether it boots, and what the real init sees of it."""

import difflib

from labkit import image, initstate
from labkit.scenario import scenario

_ARGUMENTS = "one=two -- first second"
_GUARD = "init=/sbin/flashinit"


def _on_flash(lab, layout, **options):
    """A chip with firmware 1 of that layout, and the layout's file system."""
    file_system, kind = image.split_layout(layout)
    flash = lab.flash(kind)
    flash.write("rootfs", lab.firmware(1, layout, flash=flash, **options))
    return flash, file_system


def _state(lab, flash, root, **options):
    """What init sees, once firmware 1 is up."""
    machine = lab.uml(flash, root, **options)
    state, _ = initstate.read(machine)
    machine.up(1).kill()
    return state, machine


def _check_same(lab, found, wanted):
    changes = difflib.unified_diff(wanted.splitlines(), found.splitlines(), lineterm="", n=0)
    lab.check_equal(list(changes), [], "what init sees otherwise than from the kernel")


def _healthy(lab, layout):
    """The guard boots what is whole, and init sees what it sees when the kernel starts it."""
    flash, root = _on_flash(lab, layout)
    direct, _ = _state(lab, flash, root, append=f"init=/usr/bin/initstate {_ARGUMENTS}")
    words = f"{_GUARD} flashinit.init=/usr/bin/initstate {_ARGUMENTS}"
    guarded, machine = _state(lab, flash, root, append=words)
    _check_same(lab, guarded, direct)
    lab.check("flashinit: " not in machine.console, "the guard is not silent")


@scenario()
def guard_jffs2(lab):
    """init=/sbin/flashinit on JFFS2 that is whole: init is started as by the kernel."""
    _healthy(lab, "jffs2-nand")


@scenario()
def guard_ubifs(lab):
    """init=/sbin/flashinit on UBIFS that is whole: init is started as by the kernel."""
    _healthy(lab, "ubifs-nand")


@scenario()
def guard_squashfs(lab):
    """init=/sbin/flashinit on SquashFS by mtdblock: init is started as by the kernel."""
    _healthy(lab, "squashfs-nor")


@scenario()
def guard_ubiblock(lab):
    """init=/sbin/flashinit on SquashFS on a ubiblock: init is started as by the kernel."""
    _healthy(lab, "ubiblock-nand")


@scenario()
def guard_cramfs(lab):
    """init=/sbin/flashinit on CRAMFS, read in place from NOR: init is started as by the kernel."""
    _healthy(lab, "cramfs-nor")
