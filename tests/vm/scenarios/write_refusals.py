# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write where it must not write: exit codes, the holder named, flash as before."""

from labkit import bench, nandsim, workbench
from labkit.image import Geometry
from labkit.nandsim import ERASEBLOCK
from labkit.scenario import scenario
from labkit.writing import (BUSY, DONE, FLASH_FAILED, REFUSED, UNFIT, Files, check_image, raw,
                            sample, write)

_BLOCKS = 24
_NAND = Geometry("nand", ERASEBLOCK, nandsim.PAGE)
_NEW = sample(3 * ERASEBLOCK + 10, "new")


def _bench(lab):
    """Two partitions full of old data."""
    w = workbench.on_qemu(lab)
    w.run("modprobe mtdblock; modprobe jffs2; modprobe ubi")
    nandsim.load(w, _BLOCKS, _BLOCKS)
    for number in 0, 1:
        w.run(f"nandwrite -q -p /dev/mtd{number} "
              f"{w.put('old', sample(_BLOCKS * ERASEBLOCK, number))}")
    return w


def _refused(lab, w, words, code, mentions=()):
    """The run ends with that code, and no MTD was erased or programmed."""
    w.count_operations()
    write(w, words, code, mentions)
    lab.check_equal(w.operations(), {"erase": 0, "program": 0}, f"{words}: operations")


@scenario(timeout=300)
def write_in_use(lab):
    """Mounted, attached to UBI, or open in a program: exit code 6, the holder is named."""
    w, part = _bench(lab), nandsim.name(0)
    files = Files(lab, "mounted")
    write(w, raw(w, part, files.pack("jffs2", _NAND)))
    w.run("mount -t jffs2 mtd0 /mnt && sync")
    _refused(lab, w, raw(w, part, _NEW), BUSY, ["/mnt", part])
    w.run("umount /mnt")
    write(w, raw(w, part, files.pack("squashfs", _NAND)))
    w.run("mount -t squashfs /dev/mtdblock0 /mnt")
    _refused(lab, w, raw(w, part, _NEW), BUSY, ["/mnt", part])
    w.run("umount /mnt && flash_erase -q /dev/mtd0 0 0 && ubiattach -b 1 -p /dev/mtd0")
    _refused(lab, w, raw(w, part, _NEW), BUSY, ["ubi0", part])
    _refused(lab, w, raw(w, part, files.pack("ubiblock", _NAND), "kind=ubi"), BUSY, ["ubi0", part])
    w.run("ubidetach -p /dev/mtd0")
    w.sh("sleep 1000 </dev/mtd0 & pid=$!")
    _refused(lab, w, raw(w, part, _NEW), BUSY, ["sleep", w.run("echo $pid"), part])
    w.run("kill $pid; wait $pid || true")
    write(w, raw(w, part, _NEW))


@scenario(timeout=300)
def write_unfit(lab):
    """No such partition, too small, one of two in use: exit codes 4 and 6, nothing is written."""
    w = _bench(lab)
    words = [raw(w, nandsim.name(number), _NEW) for number in (0, 1)]
    _refused(lab, w, raw(w, "nowhere", _NEW), UNFIT, ["nowhere"])
    large = sample(_BLOCKS * ERASEBLOCK + 1, "large")
    _refused(lab, w, raw(w, nandsim.name(0), large), UNFIT, [nandsim.name(0)])
    _refused(lab, w, f"{words[0]} {raw(w, 'nowhere', _NEW)}", UNFIT, ["nowhere"])
    _refused(lab, w, f"{words[0]} {raw(w, nandsim.name(1), large)}", UNFIT)
    w.run("flash_erase -q /dev/mtd1 0 0 && ubiattach -b 1 -p /dev/mtd1")
    _refused(lab, w, " ".join(words), BUSY, ["ubi0"])
    w.run("ubidetach -p /dev/mtd1")
    write(w, " ".join(words))
    for number in 0, 1:
        found = nandsim.dump(w, number)
        check_image(found, _NEW, f"mtd{number}: not the image")


@scenario(timeout=300)
def write_refused_images(lab):
    """Broken images and checksums that do not fit: exit code 3, and no flash is touched."""
    w, part = _bench(lab), nandsim.name(0)
    good = bench.pack(lab, 1, {part: _NEW}).read_bytes()
    broken = bytearray(good)
    broken[len(good) // 2] ^= 1
    for name, content in (("short", good[:-1]), ("long", good + b"\0"), ("broken", bytes(broken)),
                          ("empty", b""), ("not-one", _NEW)):
        _refused(lab, w, w.put(f"{name}.fwi", content), REFUSED)
    words = raw(w, part, _NEW)
    w.run(f"echo {'0' * 64} >{words.split('=')[1].strip(chr(39))}.sha256")
    _refused(lab, w, words, REFUSED)
    write(w, w.put("good.fwi", good))
    found = nandsim.dump(w, 0)
    check_image(found, _NEW, "not the image")


@scenario(timeout=300)
def write_closed_fds(lab):
    """Without standard input, output or errors: the same exit codes, and no word of it in flash."""
    w = workbench.on_qemu(lab)
    w.run("modprobe mtdram total_size=1024 erase_size=64")  # takes a word anywhere, unlike NAND
    words = raw(w, "mtdram test device", _NEW)
    for closed in "2>&-", ">&-", "<&-", "<&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>&1":
        w.run("flash_erase -q /dev/mtd0 0 0")
        done = w.sh(f"flashinit write {words} {closed}")
        lab.check_equal(done.code, DONE, f"exit code with {closed}, after\n{done.out}\n")
        check_image(w.get("cat /dev/mtd0"), _NEW, f"{closed}: the image, then blank flash")
        done = w.sh(f"flashinit write {raw(w, 'nowhere', _NEW)} {closed}")
        lab.check_equal(done.code, UNFIT, f"exit code with {closed} and no such partition")
    w.run("rmmod mtdram")
    nandsim.load(w, 4, weakblocks="2:0")
    done = w.sh(f"flashinit write {raw(w, nandsim.name(0), sample(4 * ERASEBLOCK, 1))} 2>&-")
    lab.check(done.code in (DONE, FLASH_FAILED), f"exit code {done.code} with failing flash")
