# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines of User-Mode Linux: a kernel that is a program, with flashsim as its flash."""

import socket
import struct
import tempfile
from pathlib import Path

from labkit import image, tools
from labkit.errors import LabError

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


# Of the management console, arch/um/drivers/mconsole.h.
_REQUEST = struct.Struct("=III512s")
_REPLY = struct.Struct("=III")
_MAGIC, _VERSION = 0xcafebabe, 2
_PATIENCE = 10


def mconsole(folder, text):
    """Send a command to the management console of the machine that runs there; gives its answer."""
    sockets = sorted(Path(folder).glob("uml-*/*/mconsole"), key=lambda path: path.stat().st_mtime)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.settimeout(_PATIENCE)
        client.bind(b"")
        client.sendto(_REQUEST.pack(_MAGIC, _VERSION, len(text), text.encode()), str(sockets[-1]))
        answer = client.recv(4096)
    error, _, length = _REPLY.unpack(answer[:_REPLY.size])
    said = answer[_REPLY.size:_REPLY.size + length].rstrip(b"\0").decode().strip()
    if error:
        raise LabError(f"mconsole {text}: {said}")
    return said


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
