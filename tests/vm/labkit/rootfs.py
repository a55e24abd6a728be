# SPDX-License-Identifier: GPL-2.0-or-later
"""Firmware: a small BusyBox system, as a file tree."""

import hashlib
import os
import shutil
from pathlib import Path

from labkit import guest, paths, tools, units

_FOLDERS = ["dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "usr/share", "var"]

INITTAB = """\
::sysinit:/etc/rc
::respawn:/bin/sh /sbin/holderd
::respawn:-/bin/sh
::once:/bin/sh -c 'echo done >/run/once'
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
::shutdown:/sbin/swapoff -a
::restart:/sbin/init
"""

_RC = """\
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
[ -w /var ] || mount -t tmpfs tmpfs /var
echo "FIRMWARE $(cat /etc/version) UP"
"""

_HOLDERD = """\
#!/bin/sh
# A daemon that keeps a file of the root file system open.
exec 3</etc/version
while sleep 3600; do :; done
"""

_PROFILE = """\
PS1="firmware $(cat /etc/version)# "
"""


def put(tree, name, content, mode=0o644):
    """Place a file: content is bytes, text or the path of a file whose mode is kept."""
    target = tree / name.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink():
        target.unlink()
    if isinstance(content, Path):
        shutil.copy(content, target)
        return
    target.write_bytes(content.encode() if isinstance(content, str) else content)
    target.chmod(0o755 if content[:2] in ("#!", b"#!") else mode)


def install_busybox(tree):
    """Debian's static BusyBox and a link for each of its applets."""
    busybox = Path(tools.find("busybox"))
    put(tree, "bin/busybox", busybox)
    for applet in tools.run("busybox", "--list-full").split():
        link = tree / applet
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to("/bin/busybox")


def filler(length, seed):
    """Bytes that do not compress, the same for the same seed."""
    out = bytearray()
    while len(out) < length:
        out += hashlib.sha512(f"{seed}/{len(out)}".encode()).digest()
    return bytes(out[:length])


def _forget_times(tree):
    """The same firmware, built again, is the same bytes."""
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (0, 0), follow_symlinks=False)


def build(tree, version, inittab=None, files=None, filler_size=0, links=None):
    """Make the tree of a firmware that prints "FIRMWARE <version> UP" when it has started."""
    for folder in _FOLDERS:
        (tree / folder).mkdir(parents=True, exist_ok=True)
    install_busybox(tree)
    put(tree, "etc/version", f"{version}\n")
    put(tree, "etc/inittab", INITTAB if inittab is None else inittab)
    put(tree, "etc/rc", _RC)
    put(tree, "etc/profile", _PROFILE)
    put(tree, "etc/fstab", "# all mounts are made by /etc/rc\n")
    put(tree, "etc/passwd", "root::0:0:root:/root:/bin/sh\n")
    put(tree, "sbin/holderd", _HOLDERD)
    for name, program in guest.helpers().items():
        put(tree, f"usr/bin/{name}", program)
    if paths.FLASHINIT.exists():
        put(tree, "sbin/flashinit", paths.FLASHINIT)
    if filler_size:
        put(tree, "usr/share/filler", filler(units.size(filler_size), version))
    for name, content in (files or {}).items():
        put(tree, name, content)
    for name, to in (links or {}).items():
        if (tree / name).is_dir():
            (tree / name).rmdir()
        (tree / name).unlink(missing_ok=True)
        (tree / name).symlink_to(to)
    _forget_times(tree)
    return tree
