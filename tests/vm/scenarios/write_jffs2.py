# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write of JFFS2: the kernel mounts what was written, and has nothing to say about it."""

from labkit import nandsim, workbench
from labkit.image import Geometry
from labkit.nandsim import ERASEBLOCK
from labkit.scenario import scenario
from labkit.writing import Files, check_same, raw, write, write_nothing

_NAND = Geometry("nand", ERASEBLOCK, nandsim.PAGE)
_NOR = Geometry("nor", 64 << 10, 1)
_MARKER_NAND = bytes.fromhex("85190320 08000000")
_MARKER_NOR = bytes.fromhex("85190320 0c000000 b1b01ee4")
# The last: its garbage collector has filled an eraseblock to the end, and leaves out the summary.
_NO_COMPLAINTS = ("version 2.2", "complete building xattr subsystem",
                  "Not enough space for summary")


def _check_quiet(lab, w, what):
    """The kernel has not said a word of JFFS2 but that it is there."""
    words = [line for line in w.kernel_log().splitlines()
             if "jffs2" in line and not any(fine in line for fine in _NO_COMPLAINTS)]
    lab.check_equal(words, [], f"{what}: what JFFS2 complains about")


def _check_mounts(lab, w, device, files, what):
    """Read-only first: nothing changes. Then read and write, twice."""
    w.kernel_log()
    for options in "ro", "rw", "ro":
        w.run(f"mount -t jffs2 -o {options} {device} /mnt")
        files.check(w, "/mnt")
        if options == "rw":
            w.run("head -c 500000 /dev/urandom >/mnt/written && sync && rm /mnt/written && sync")
        w.run("umount /mnt")
        _check_quiet(lab, w, f"{what}, mounted {options}")


def _write_both_tails(lab, w, part, number, geometry, check_tail):
    """Over an older and larger file system, with and without cleanmarkers behind the image."""
    old, new = Files(lab, f"old-{part[:4]}", 1500000), Files(lab, f"new-{part[:4]}")
    image = new.pack("jffs2", geometry)
    for tail in "jffs2", "erase":
        words = raw(w, part, image, f"tail={tail}")
        write(w, raw(w, part, old.pack("jffs2", geometry)))
        w.run(f"mount -t jffs2 mtd{number} /mnt && echo later >/mnt/later && umount /mnt")
        w.kernel_log()
        write(w, words)
        check_tail(tail, image.read_bytes())
        w.run(f"mount -t jffs2 -o ro mtd{number} /mnt")
        new.check(w, "/mnt")
        w.run("umount /mnt")
        _check_quiet(lab, w, f"tail={tail}, mounted for the first time")
        write_nothing(w, words)
        _check_mounts(lab, w, f"mtd{number}", new, f"tail={tail}")


@scenario(timeout=300)
def write_jffs2_nand(lab):
    """JFFS2 on NAND with bad blocks: cleanmarkers are as those of flash_erase -j."""
    w = workbench.on_qemu(lab)
    nandsim.load(w, 24, 24, badblocks=[0, 3, 24, 27])
    w.run("modprobe mtdblock; modprobe jffs2; flash_erase -q -j /dev/mtd1 0 0 2>/dev/null")
    record = nandsim.PAGE + 64
    cleared = nandsim.dump(w, 1, bad="skipbad", oob=True)
    lab.check(_MARKER_NAND in cleared[nandsim.PAGE:record], "flash_erase -j left no cleanmarker")

    def check_tail(tail, image):
        size = nandsim.PAGES * record
        used = -(-len(image) // ERASEBLOCK)
        found = nandsim.dump(w, 0, bad="skipbad", oob=True)
        wanted = cleared[used * size:] if tail == "jffs2" else b"\xff" * len(found[used * size:])
        check_same(found[used * size:], wanted, f"tail={tail}: OOB or data behind the image")

    _write_both_tails(lab, w, nandsim.name(0), 0, _NAND, check_tail)


@scenario(timeout=300)
def write_jffs2_nor(lab):
    """JFFS2 on NOR: cleanmarkers are as those of flash_erase -j."""
    w = workbench.on_qemu(lab)
    w.run("modprobe mtdram total_size=3072 erase_size=64; modprobe mtdblock; modprobe jffs2; "
          "flash_erase -q -j /dev/mtd0 0 0")
    marker = w.get(f"head -c {_NOR.eraseblock} /dev/mtd0")
    lab.check_equal(marker, _MARKER_NOR.ljust(_NOR.eraseblock, b"\xff"), "flash_erase -j")

    def check_tail(tail, image):
        used = -(-len(image) // _NOR.eraseblock)
        found = w.get("cat /dev/mtd0")[used * _NOR.eraseblock:]
        wanted = marker if tail == "jffs2" else b"\xff" * _NOR.eraseblock
        check_same(found, wanted * (len(found) // _NOR.eraseblock), f"tail={tail}: the tail")

    _write_both_tails(lab, w, "mtdram test device", 0, _NOR, check_tail)
