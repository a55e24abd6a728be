# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit as /init of the initial RAM file system that flashpack makes."""

from labkit import paths, tools
from labkit.scenario import scenario


def _initramfs(lab, *words, name="initramfs.cpio"):
    """The path of an initramfs with the flashinit under test, made by flashpack."""
    path = lab.folder / name
    tools.run(paths.FLASHPACK, "initramfs", "-o", path, "--program", paths.FLASHINIT, *words)
    return path


@scenario()
def initramfs_starts_as_init(lab):
    """Plain and compressed, the kernel unpacks it and starts its /init."""
    for name in ("a.cpio", "a.cpio.gz"):
        machine = lab.uml(initrd=_initramfs(lab, name=name))
        machine.expect("^flashinit: ")
        machine.kill()
