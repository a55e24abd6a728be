# SPDX-License-Identifier: GPL-2.0-or-later
"""UBI images and volumes, beside ubiformat and ubiupdatevol."""

import gzip
from pathlib import Path

from labkit import bench, image, nandsim
from labkit.image import Geometry
from labkit.nandsim import ERASEBLOCK, PAGE
from table import Table, figure
from work import MIB, PART, PATIENCE, Images, load_chip, machine, measure, mib, take_turns

NAME = "ubi"

_GEOMETRY = Geometry("nand", ERASEBLOCK, PAGE, nandsim.SUBPAGE)
_UBI_IMAGE = {
    "flashinit write, UBI image": "flashinit write /ram/$new.ubi.fwi",
    "ubiformat -f": "ubiformat -q -y -f /ram/$new.ubi /dev/mtd0",
    "gzip -dc, ubiformat -f -":
        "gzip -dc /ram/$new.ubi.gz | ubiformat -q -y -S $(stat -c %s /ram/$new.ubi) -f - /dev/mtd0",
}
_UBI_VOLUME = {
    "flashinit write, volume": "flashinit write /ram/$new.vol.fwi",
    "ubiupdatevol": "ubiupdatevol /dev/ubi0_0 /ram/$new.bin",
    "ubiupdatevol, cmp": "ubiupdatevol /dev/ubi0_0 /ram/$new.bin && "
                         "head -c $size /dev/ubi0_0 | cmp - /ram/$new.bin",
    "gzip -dc, ubiupdatevol": "gzip -dc /ram/$new.gz | ubiupdatevol -s $size /dev/ubi0_0 -",
}


def _put_ubi(lab, w, images):
    for name in images.bytes:
        plain = lab.folder / f"{name}.bin"
        ubi = Path(image.ubinize(plain, lab.folder / f"{name}.ubi", _GEOMETRY, "static"))
        w.put(ubi.name, ubi)
        w.put(f"{name}.ubi.gz", gzip.compress(ubi.read_bytes(), 9, mtime=0))
        for suffix, payload in (("ubi", f"{ubi},kind=ubi"),
                                ("vol", f"{plain},kind=ubivol,volume=rootfs,volume-type=static")):
            w.put(f"{name}.{suffix}.fwi",
                  Path(bench.pack(lab, f"{name}{suffix}", {PART: payload})))
    w.run("mv /host/*.ubi /host/*.gz /host/*.fwi /ram", PATIENCE)


def _ubi_table(title, found):
    table = Table(title, ["way", "read back", "seconds", "user CPU", "system CPU"])
    for way, runs in found.items():
        read = "all" if "flashinit" in way or "cmp" in way else "none"
        table.rows.append([way, read, *(figure([getattr(run, what) for run in runs])
                                        for what in ("wall", "user", "system"))])
    return table


def _ubi(lab, w, images, rounds):
    _put_ubi(lab, w, images)
    load_chip(w, images.size + 32 * ERASEBLOCK, True)
    w.run("modprobe ubi; ubiformat -q -y -f /ram/A.ubi /dev/mtd0", PATIENCE)
    turn = {"new": "A"}

    def written(ways, before, after):
        def one(way, _number):
            turn["new"] = "B" if turn["new"] == "A" else "A"
            variables = f"new={turn['new']} size={images.size}"
            w.run(before)
            found = measure(w, ways[way], variables)
            w.run(f"{after}; head -c {images.size} /dev/ubi0_0 | cmp - /ram/{turn['new']}.bin",
                  PATIENCE)
            return found
        return one

    attach, detach = "ubiattach -p /dev/mtd0 >/dev/null", "ubidetach -p /dev/mtd0"
    whole = take_turns(list(_UBI_IMAGE), rounds,
                        written(_UBI_IMAGE, "ubidetach -p /dev/mtd0 2>/dev/null; true", attach))
    w.run(f"{detach}; {attach}")
    volume = take_turns(list(_UBI_VOLUME), rounds, written(_UBI_VOLUME, "true", "true"))
    return [_ubi_table(f"A UBI image with a static volume of {mib(images.size)} onto NAND", whole),
            _ubi_table(f"A static UBI volume of {mib(images.size)}, UBI attached", volume)]


def run(lab, quick):
    """A whole device, then one volume."""
    rounds, size = (1, MIB // 2) if quick else (3, 16 * MIB)
    w = machine(lab)
    return _ubi(lab, w, Images(lab, w, size), rounds)
