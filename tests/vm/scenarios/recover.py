# SPDX-License-Identifier: GPL-2.0-or-later
"""Recovery: flashinit is /init of an initramfs, finds an image, and writes it."""

from pathlib import Path

from labkit import bench, paths, rootfs
from labkit.scenario import scenario

_LAYOUT = "jffs2-nand"
_PARTS = "10M(rootfs),-(spare)"


def initramfs(lab, config, files=None):
    """The path of an initramfs that is nothing but flashinit and its configuration."""
    tree = Path(lab.folder / "recovery-tree")
    for folder in ("dev", "etc", "proc", "sys"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
    rootfs.put(tree, "init", Path(paths.FLASHINIT))
    rootfs.put(tree, "etc/flashinit.conf", config)
    for name, content in (files or {}).items():
        rootfs.put(tree, name, content)
    return lab.initramfs(tree)


class Recovery:
    """Flash with firmware 1, of which half is gone, and a machine that recovers it."""

    def __init__(self, lab, **geometry):
        self.lab = lab
        self.flash = lab.flash("nand", parts=_PARTS, **geometry)
        self.old = lab.firmware(1, _LAYOUT, flash=self.flash)
        self.flash.write("rootfs", self.old)
        self.flash.erase_block(self.flash.good_blocks("rootfs")[0])

    def firmware(self, version, filler="1M"):
        """A partition image, and the firmware image that brings it."""
        new = self.lab.firmware(version, _LAYOUT, flash=self.flash, filler=filler)
        return new, Path(bench.pack(self.lab, version, {"rootfs": new}))

    def start(self, config="", disks=(), files=None, **options):
        """Switch the machine on."""
        archive = initramfs(self.lab, "mode = recover\nafter = poweroff\n" + config, files)
        return self.lab.uml(self.flash, initrd=archive, disks=disks, **options)

    def check(self, new, version):
        """It is off, flash is that firmware, and that boots."""
        self.lab.check_flash(self.flash, "rootfs", new)
        self.lab.uml(self.flash, "jffs2").up(version)


@scenario(timeout=60)
def recover_from_stick(lab):
    """An image on a stick that is there from the start: found, written, and it boots."""
    r = Recovery(lab)
    new, image = r.firmware(2)
    m = r.start(disks=[lab.disk({"fw.fwi": image})])
    m.expect("looking for an image: file:[*].fwi")
    m.expect("found /media/ubda/fw.fwi: firmware 2")
    m.expect("written and proven")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


@scenario(timeout=60)
def recover_from_late_stick(lab):
    """Nothing is there: it waits, says for what, and takes the stick that is plugged in."""
    r = Recovery(lab)
    new, image = r.firmware(2)
    stick = lab.disk({"fw.fwi": image})
    m = r.start()
    m.expect("no image that will do: waiting for a medium")
    lab.mconsole(f"config ubd1r={stick.path}")
    m.expect("found /media/ubdb/fw.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


@scenario(timeout=60)
def recover_from_partition(lab):
    """An image in an MTD partition, around bad eraseblocks, with rubbish behind it."""
    r = Recovery(lab, badblocks=[80, 82, 83, 90])
    new, image = r.firmware(2)
    r.flash.write("spare", image.read_bytes() + bytes(range(256)) * 100)
    m = r.start("source = mtd:spare\n")
    m.expect("looking for an image: mtd:spare")
    m.expect("found /dev/mtd1: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)
