# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario has in its hands: flash, firmware, disks, machines and checks."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from labkit import cpio, image, paths, qemu, rootfs, uml, units
from labkit.errors import CheckFailed, LabError
from labkit.flash import Flash
from labkit.machine import Machine

_SHOWN_DIFFERENCES = 5


@dataclass(frozen=True)
class Disk:
    """A block device image for a machine."""
    path: Path
    readonly: bool


class Lab:
    """The bench of one scenario; everything it makes is in its work folder."""

    def __init__(self, name, live=None):
        self.folder = paths.RUNS / name
        self._live = live
        self._machines = []
        self._parts = []
        self._counter = 0
        self.violations_expected = False
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def part(self, name):
        """A bench in a folder of this one, for one of many machines that run side by side."""
        part = Lab(f"{self.folder.name}/{name}")
        self._parts.append(part)
        return part

    def _new_path(self, name):
        """A name that nothing in the work folder has yet."""
        self._counter += 1
        return self.folder / f"{self._counter:02}-{name}"

    # Things

    def flash(self, kind="nand", **geometry):
        """A blank chip; see labkit.flash.Flash for the geometry."""
        path = self.folder / "flash.bin"
        return Flash(self._new_path("flash.bin") if path.exists() else path, kind, **geometry)

    def firmware(self, version, layout, flash=None, inittab=None, files=None, filler=0,
                 links=None):
        """The path of a partition image with a firmware of that version.

        Without `flash` it is packed for the default geometry of the layout's kind of flash.
        """
        file_system, kind = image.split_layout(layout)
        if flash and flash.kind != kind:
            raise LabError(f"{layout} does not go onto {flash.kind}")
        geometry = (image.Geometry(kind, flash.eraseblock, flash.page) if flash
                    else image.DEFAULT_GEOMETRY[kind])
        path = self._new_path(f"firmware-{version}.{layout}")
        tree = rootfs.build(Path(f"{path}.tree"), version, inittab, files, filler, links)
        image.pack(tree, path, file_system, geometry)
        shutil.rmtree(tree)
        return path

    def tree(self, version, inittab=None, files=None):
        """The path of a firmware as an unpacked file tree."""
        return rootfs.build(self._new_path(f"tree-{version}"), version, inittab, files)

    def initramfs(self, tree):
        """The path of an initial RAM file system made of a file tree (for lab.uml(initrd=…))."""
        path = self._new_path("initramfs.cpio")
        path.write_bytes(cpio.archive(Path(tree)))
        return path

    def disk(self, files=None, size=None):
        """A disk: read-only SquashFS with the given files, or blank and writable of a size."""
        path = self._new_path("disk.img")
        if size:
            path.write_bytes(b"")
            with path.open("r+b") as file:
                file.truncate(units.size(size))
            return Disk(path, False)
        tree = Path(f"{path}.tree")
        tree.mkdir()
        for name, content in (files or {}).items():
            rootfs.put(tree, name, content)
        image.pack(tree, path, "squashfs", None)
        shutil.rmtree(tree)
        return Disk(path, True)

    def share(self):
        """A folder for a workbench to share with the host."""
        path = self._new_path("share")
        path.mkdir()
        return path

    # Machines

    def start(self, command):
        """Start the machine of a command line."""
        machine = Machine(command, self.folder, self.folder / "console.log", self._live)
        self._machines.append(machine)
        return machine

    def uml(self, flash=None, root=None, **options):
        """Start a User-Mode Linux machine; see labkit.uml.command for the options."""
        return self.start(uml.command(self.folder, flash, root, **options))

    def qemu(self, flash, root="jffs2", **options):
        """Start a QEMU machine; see labkit.qemu.command for the options."""
        return self.start(qemu.command(self.folder, flash, root, **options))

    def mconsole(self, command):
        """Have the one User-Mode Linux machine that is on do what its management console can."""
        return uml.mconsole(self.folder, command)

    def monitor(self, command):
        """Give the one QEMU machine that is on a command of its monitor."""
        return qemu.monitor(self.folder, command)

    def close(self):
        """Pull the plug of every machine."""
        for part in self._parts:
            part.close()
        for machine in self._machines:
            machine.kill()

    # Checks

    def check_rules(self):
        """Fail if flashsim saw a breach of the flash's rules that the scenario did not expect."""
        for machine in self._machines:
            breach = re.search(r"flashsim: (VIOLATION.*)", machine.console)
            if breach and not self.violations_expected:
                raise CheckFailed(breach.group(1))

    @staticmethod
    def check(condition, message):
        """Fail the scenario with the message unless the condition holds."""
        if not condition:
            raise CheckFailed(message)

    @staticmethod
    def check_equal(found, wanted, what):
        """Fail the scenario unless the two are equal."""
        if found != wanted:
            raise CheckFailed(f"{what}: found {found!r}, wanted {wanted!r}")

    @staticmethod
    def check_flash(flash, partition, content):
        """Fail unless the partition holds the image, and nothing but blank flash behind it."""
        differences = flash.compare(partition, content)
        if differences:
            shown = "\n  ".join(differences[:_SHOWN_DIFFERENCES])
            raise CheckFailed(f"{partition} is not the image, {len(differences)} eraseblocks "
                              f"differ, the first:\n  {shown}")
