# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write of a UBI volume (kind=ubivol), held against ubiupdatevol."""

from pathlib import Path

from labkit import image, nandsim, ubi, workbench
from labkit.image import Geometry
from labkit.nandsim import ERASEBLOCK
from labkit.scenario import scenario
from labkit.writing import (BUSY, UNFIT, Files, check_image, check_same, raw, sample, write,
                            write_nothing)

_PART = nandsim.name(0)
_GEOMETRY = Geometry("nand", ERASEBLOCK, nandsim.PAGE, nandsim.SUBPAGE)
_LEB = image.leb_size(_GEOMETRY)


def _volume(w, content, name, *options):
    return raw(w, _PART, content, "kind=ubivol", f"volume={name}", *options)


def _bench(lab):
    """A UBI device of 64 eraseblocks, two of them bad, as ubi0."""
    w = workbench.on_qemu(lab)
    w.run("modprobe ubi; modprobe ubifs")
    nandsim.load(w, 64, badblocks=[0, 9])
    w.run("ubiformat -q -y /dev/mtd0 && ubiattach -p /dev/mtd0 -b 2")
    return w


def _volumes(w):
    """{name: (ID, type, logical eraseblocks, bytes of data)} as sysfs has it."""
    listing = w.run("cd /sys/class/ubi && for v in ubi0_*; do [ -e $v ] && (cd $v && "
                    "echo $(cat name) ${v#ubi0_} $(cat type reserved_ebs data_bytes)); done; cd /")
    words = (line.split() for line in listing.splitlines())
    return {name: (int(number), kind, int(lebs), int(data))
            for name, number, kind, lebs, data in words}


@scenario(timeout=300)
def write_volume(lab):
    """Volumes that are there, dynamic and static: every byte is as ubiupdatevol's."""
    w = _bench(lab)
    for number, (name, kind) in enumerate((("ours", "dynamic"), ("theirs", "dynamic"),
                                           ("ours-static", "static"),
                                           ("theirs-static", "static"))):
        w.run(f"ubimkvol /dev/ubi0 -n {number} -N {name} -t {kind} -S 10")
    before = {name: fields[:3] for name, fields in _volumes(w).items()}
    for content in (sample(9 * _LEB + 77, 1), sample(1, 2), sample(10 * _LEB, 3),
                    b"\xff" * (2 * _LEB) + b"x" + b"\xff" * _LEB):
        stock = w.put("stock", content)
        for first, name, options in ((0, "ours", []), (2, "ours-static", ["volume-type=static"])):
            words = _volume(w, content, name, *options)
            write(w, words)
            w.run(f"ubiupdatevol /dev/ubi0_{first + 1} {stock}")
            found, wanted = (w.get(f"cat /dev/ubi0_{first + other}") for other in (0, 1))
            check_same(found, wanted, f"{name}, {len(content)} bytes: not as ubiupdatevol's")
            check_same(found[:len(content)], content, f"{name}: not the image")
            write_nothing(w, words)
    lab.check_equal({name: fields[:3] for name, fields in _volumes(w).items()}, before,
                    "the volumes' IDs, types and sizes")


@scenario(timeout=300)
def write_volume_made(lab):
    """Volumes that are not there, or of another size or type: made as asked, or left untouched."""
    w = _bench(lab)
    content = sample(5 * _LEB + 5, 1)
    write(w, _volume(w, content, "new"))
    write(w, _volume(w, content, "wide", f"volume-size={8 * _LEB}", "volume-type=static"))
    lab.check_equal(_volumes(w), {"new": (0, "dynamic", 6, 6 * _LEB),
                                  "wide": (1, "static", 8, len(content))}, "volumes made")
    write(w, _volume(w, content, "new", f"volume-size={12 * _LEB}"))
    write(w, _volume(w, content, "wide", "volume-type=static", f"volume-size={7 * _LEB}"))
    lab.check_equal({name: fields[:3] for name, fields in _volumes(w).items()},
                    {"new": (0, "dynamic", 12), "wide": (1, "static", 7)}, "volumes resized")
    for number in 0, 1:
        found = w.get(f"cat /dev/ubi0_{number}")
        check_image(found, content, f"volume {number}: not the image")
    before = _volumes(w), w.get("cat /dev/ubi0_0"), w.get("cat /dev/ubi0_1")
    large = b"y" * (60 * _LEB)
    for refused in (_volume(w, content, "huge", f"volume-size={60 * _LEB}"),
                    _volume(w, large, "huge"), _volume(w, large, "new"),
                    _volume(w, content, "new", f"volume-size={60 * _LEB}"),
                    _volume(w, content, "wide", "volume-type=static", f"volume-size={60 * _LEB}")):
        write(w, refused, UNFIT)
        after = _volumes(w), w.get("cat /dev/ubi0_0"), w.get("cat /dev/ubi0_1")
        lab.check(after == before, f"{refused}: refused, but something was changed")
    w.run("ubidetach -p /dev/mtd0")
    write(w, _volume(w, content, "new"), UNFIT)


@scenario(timeout=300)
def write_volume_ubifs(lab):
    """A UBIFS in a volume: it mounts; while it is mounted or open for ubiblock, exit code 6."""
    w, old, new = _bench(lab), Files(lab, "old", 2000000), Files(lab, "new", 2200000)
    first, second = (image.pack_ubifs_volume(files.tree, f"{files.tree}.volume", _GEOMETRY)
                     for files in (old, new))
    size = f"volume-size={32 * _LEB}"
    write(w, _volume(w, Path(first), "rootfs", size))
    w.kernel_log()
    w.run("mount -t ubifs ubi0:rootfs /mnt")
    old.check(w, "/mnt")
    words = _volume(w, Path(second), "rootfs", size)
    write(w, words, BUSY, ["/mnt"])
    old.check(w, "/mnt")
    w.run("umount /mnt && ubiblock --create /dev/ubi0_0")
    write(w, words, BUSY, ["ubiblock0_0"])
    w.run("ubiblock --remove /dev/ubi0_0")
    write(w, words)
    w.run("mount -t ubifs ubi0:rootfs /mnt")
    new.check(w, "/mnt")
    w.run("umount /mnt")
    lab.check_equal(ubi.complaints(w.kernel_log()), [], "what the kernel complains about")
