# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines of User-Mode Linux: a kernel that is a program, with flashsim as its flash."""

import tempfile
from pathlib import Path

from labkit import image, tools

_CONSOLE = ["con=null", "con0=fd:0,fd:1", "ssl=null"]


def _flash_arguments(flash, parameters):
    """flashsim's geometry, and what else the scenario wants of it (faults, a power cut)."""
    geometry = {"file": flash.path, "type": flash.kind, "size": flash.size,
                "eraseblock": flash.eraseblock}
    if flash.kind == "nand":
        geometry.update(page=flash.page, oob=flash.oob)
    if flash.inverted:
        geometry.update(inverted=1)
    if flash.regions:
        geometry.update(regions=flash.regions)
    arguments = [f"mtdparts=flashsim:{flash.parts}"] if flash.parts else []
    for name, value in {**geometry, **parameters}.items():
        if isinstance(value, (list, tuple)):
            value = ",".join(map(str, value))
        arguments.append(f"flashsim.{name}={value}")
    return arguments


def command(folder, flash=None, root=None, mem="64M", append="", disks=(), initrd=None, faults=None,
            quiet=True):
    """The command line of a machine; `root` is the file system that the partition rootfs holds."""
    private = Path(tempfile.mkdtemp(prefix="uml-", dir=folder)).name
    arguments = [tools.build("build.sh"), f"mem={mem}", *_CONSOLE, f"uml_dir={private}/", "panic=1"]
    if quiet:
        arguments.append("quiet")
    parameters = dict(faults or {})
    if flash and root == "cramfs" and flash.kind == "nor":
        parameters.setdefault("xip", 1)
    if flash:
        arguments += _flash_arguments(flash, parameters)
    if root:
        arguments += image.root_arguments(root, flash)
    if initrd:
        arguments.append(f"initrd={initrd}")
    for number, disk in enumerate(disks):
        arguments.append(f"ubd{number}{'r' if disk.readonly else ''}={disk.path}")
    return arguments + append.split()
