# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian with an init of its own on a disk, as the old system of an update."""

import shutil

from labkit import bench, paths, tools
from labkit.lab import Disk

_NEW_SIZE = "10M"


class Debian:
    """The machine, its disk, and the new firmware, a BusyBox one, for the whole of the disk."""

    def __init__(self, lab, init, stick=None):
        self._lab = lab
        path = lab.folder / "disk.ext4"
        tools.run("cp", "--sparse=always", tools.build("../roots/build.sh", init), path)
        self.disk = Disk(path, False)
        self.put(paths.FLASHINIT, "/usr/sbin/flashinit")
        self.new = lab.folder / "new.ext4"
        tree = lab.tree(2)
        tools.run_as_owner("mke2fs", "-q", "-t", "ext4", "-d", tree, self.new, _NEW_SIZE)
        shutil.rmtree(tree)
        firmware = bench.pack(lab, 2, {"ubda": f"{self.new},kind=block"})
        self.stick = lab.disk({"fw.fwi": firmware, **(stick or {})})
        self.before = path.read_bytes()[:self.new.stat().st_size]
        self.machine = None

    def put(self, file, path):
        """Put a program into the root, before the machine is started."""
        said = tools.run("debugfs", "-w", "-R", f"write {file} {path}", self.disk.path)
        said += tools.run("debugfs", "-w", "-R", f"sif {path} mode 0100755", self.disk.path)
        self._lab.check("Allocated inode" in said, said)

    def boot(self, *disks):
        """Start it, and wait until its services are up; the stick is on /mnt then."""
        self.machine = self._lab.uml(disks=[self.disk, self.stick, *disks], mem="160M",
                                     append="root=/dev/ubda rootfstype=ext4 rw")
        self.machine.up(1, timeout=120)
        return self.machine

    def check_written(self):
        """Fail unless the disk begins with the new firmware, and that boots."""
        wanted = self.new.read_bytes()
        with self.disk.path.open("rb") as file:
            self._lab.check(file.read(len(wanted)) == wanted, "the disk is not the image")
        m = self._lab.uml(disks=[self.disk], append="root=/dev/ubda rootfstype=ext4 rw init=/sbin/init")
        m.up(2)
        self._lab.check_equal(m.sh("cat /etc/version").out, "2", "/etc/version")
        m.kill()
