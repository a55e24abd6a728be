# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian with an init of its own, on a disk or on UBIFS, as the old system of an update."""

import shutil
from pathlib import Path

from labkit import bench, image, paths, tools, ubi, uml
from labkit.errors import LabError, Unavailable
from labkit.lab import Disk

_NEW_SIZE = "10M"
_MEMORY = "160M"
_PROGRAM = "usr/sbin/flashinit"
# Its tty1, on which nobody ever says anything: a getty waits there.
_WITH_TERMINAL = '[ -p tty1 ] || mkfifo tty1; exec 8<>tty1 9>/dev/null; exec "$@"'


class _Old:
    """A machine with that Debian, a stick with fw.fwi, and new, the image in that."""

    def __init__(self, lab):
        self.lab = lab
        self.machine = None

    def _start(self, *arguments, **options):
        command = uml.command(self.lab.folder, *arguments, mem=_MEMORY, **options)
        self.machine = self.lab.start(["sh", "-c", _WITH_TERMINAL, "sh", *command, "con1=fd:8,fd:9"])
        self.machine.up(1, timeout=120)
        return self.machine

    def check_services(self, names):
        """Fail unless there is a process of each of these names."""
        found = self.machine.sh("cat /proc/[0-9]*/comm").out.split()
        missing = [name for name in names if name not in found]
        self.lab.check(not missing, f"{missing} do not run, only {found}")

    def _check_boots(self, *arguments, **options):
        m = self.lab.uml(*arguments, **options)
        m.up(2)
        self.lab.check_equal(m.sh("cat /etc/version").out, "2", "/etc/version")
        m.kill()


class Debian(_Old):
    """On a disk; the new firmware, a BusyBox one, is for the whole of it. Suite "" is the machine's own."""

    def __init__(self, lab, init, stick=None, suite=""):
        super().__init__(lab)
        path = lab.folder / "disk.ext4"
        tools.run("cp", "--sparse=always", _root(init, suite), path)
        self.disk = Disk(path, False)
        self.put(paths.FLASHINIT, f"/{_PROGRAM}")
        self.new = lab.folder / "new.ext4"
        tree = lab.tree(2)
        tools.run_as_owner("mke2fs", "-q", "-t", "ext4", "-d", tree, self.new, _NEW_SIZE)
        shutil.rmtree(tree)
        firmware = bench.pack(lab, 2, {"ubda": f"{self.new},kind=block"})
        self.stick = lab.disk({"fw.fwi": firmware, **(stick or {})})
        self.before = path.read_bytes()[:self.new.stat().st_size]

    def put(self, file, path):
        """Put a program into the root, in place of what may be there, before the machine is started."""
        tools.run("debugfs", "-w", "-R", f"rm {path}", self.disk.path)
        said = tools.run("debugfs", "-w", "-R", f"write {file} {path}", self.disk.path)
        said += tools.run("debugfs", "-w", "-R", f"sif {path} mode 0100755", self.disk.path)
        self.lab.check("Allocated inode" in said, said)

    def boot(self, *disks, append=""):
        """Start it, and wait until its services are up; the stick is on /mnt then."""
        return self._start(disks=[self.disk, self.stick, *disks],
                           append=f"root=/dev/ubda rootfstype=ext4 rw {append}")

    def check_written(self):
        """Fail unless the disk begins with the new firmware, and that boots."""
        wanted = self.new.read_bytes()
        with self.disk.path.open("rb") as file:
            self.lab.check(file.read(len(wanted)) == wanted, "the disk is not the image")
        self.check_boots()

    def check_boots(self):
        """Fail unless the new firmware boots from the disk."""
        self._check_boots(disks=[self.disk],
                          append="root=/dev/ubda rootfstype=ext4 rw init=/sbin/init")


class DebianOnUbi(_Old):
    """On UBIFS on NAND; the new firmware, a BusyBox one, is for all of UBI."""

    def __init__(self, lab, init):
        super().__init__(lab)
        self._flash = lab.flash("nand", size="256M", parts="-(rootfs)")
        self._flash.write("rootfs", self._old(init))
        self.new = lab.firmware(2, "ubifs-nand", self._flash)
        self._stick = lab.disk({"fw.fwi": bench.pack(lab, 2, {"rootfs": f"{self.new},kind=ubi"})})

    def _old(self, init):
        tree, result = self.lab.folder / "tree", self.lab.folder / "old.ubi"
        tree.mkdir()
        tools.run("debugfs", "-R", f"rdump / {tree}", _root(init))
        shutil.copy(paths.FLASHINIT, tree / _PROGRAM)
        (tree / "etc/fstab").write_text("ubi0:rootfs / ubifs defaults 0 0\n", encoding="utf-8")
        geometry = image.DEFAULT_GEOMETRY["nand"]
        volume = image.pack_ubifs_volume(tree, Path(f"{result}.volume"), geometry, 2000)
        shutil.rmtree(tree)
        return image.ubinize(volume, result, geometry, "dynamic")

    def boot(self):
        """Start it, and wait until its services are up; the stick is on /mnt then."""
        return self._start(self._flash, "ubifs", disks=[self._stick])

    def check_written(self):
        """Fail unless UBI on the flash is that of the new firmware, and that boots."""
        differences = ubi.differences(self._flash, "rootfs", self.new)
        self.lab.check(not differences, f"the flash is not the image: {differences[:5]}")
        self._check_boots(self._flash, "ubifs")


def _root(init, suite=""):
    """The path of Debian's root with that init."""
    try:
        return tools.build("../roots/build.sh", init, suite)
    except LabError as error:
        if suite:
            raise Unavailable(f"Debian {suite} with {init} cannot be fetched: {error}") from error
        raise
