# SPDX-License-Identifier: GPL-2.0-or-later
"""Partition images: a file tree packed for a kind of flash, and how a kernel boots from it.

A layout is named after the file system and the kind of flash: jffs2-nand, squashfs-nor.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from labkit import tools
from labkit.errors import LabError

FILE_SYSTEMS = ("jffs2", "squashfs", "cramfs", "ubifs", "ubiblock")
LAYOUTS = [f"{fs}-{kind}" for fs in FILE_SYSTEMS for kind in ("nand", "nor")]


@dataclass(frozen=True)
class Geometry:
    """What the packers have to know of a chip."""
    kind: str
    eraseblock: int
    page: int
    subpage: int = 0  # what UBI shall make use of; 0: none


DEFAULT_GEOMETRY = {
    "nand": Geometry("nand", 128 << 10, 2048),
    "nor": Geometry("nor", 64 << 10, 1),
}


def split_layout(layout):
    """File system and kind of flash of a layout's name."""
    if layout not in LAYOUTS:
        raise LabError(f"no such layout: {layout} (there are {', '.join(LAYOUTS)})")
    return tuple(layout.split("-"))


def _pack_jffs2(tree, image, geometry):
    """NAND keeps its cleanmarkers in the OOB (-n); NOR gets them in its blocks, padded (-p)."""
    kind = ["-n", f"--pagesize={geometry.page}"] if geometry.kind == "nand" else ["-p"]
    tools.run_as_owner("mkfs.jffs2", "-l", "-U", f"--eraseblock={geometry.eraseblock}", *kind,
                       "-d", tree, "-o", image)


def _pack_squashfs(tree, image, _geometry):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    tools.run_as_owner("mksquashfs", tree, image, "-all-root", "-noappend", "-no-xattrs",
                       "-no-progress", "-quiet", env=environment)


def _pack_cramfs(tree, image, _geometry):
    tools.run_as_owner("mkfs.cramfs", tree, image)


def _round_up(number, unit):
    return -(-number // unit) * unit


def leb_size(geometry):
    """A physical eraseblock less UBI's two headers of 64 bytes, each in (sub-)pages of its own."""
    vid_header = _round_up(64, geometry.subpage or geometry.page)
    data = _round_up(vid_header + 64, geometry.page)
    return geometry.eraseblock - data


def ubinize(volume, image, geometry, volume_type, volume_size=None):
    """One volume named rootfs; a dynamic one takes all room at first attach if it has no size."""
    flags = f"vol_size={volume_size}\n" if volume_size else ""
    if volume_type == "dynamic" and not volume_size:
        flags = "vol_flags=autoresize\n"
    recipe = Path(f"{image}.ini")
    recipe.write_text(f"[rootfs]\nmode=ubi\nimage={volume}\nvol_id=0\nvol_name=rootfs\n"
                      f"vol_type={volume_type}\n{flags}", encoding="utf-8")
    subpage = ["-s", geometry.subpage] if geometry.subpage else []
    tools.run("ubinize", "-o", image, "-p", geometry.eraseblock, "-m", geometry.page, *subpage,
              "-Q", 1, recipe)
    return image


def pack_ubifs_volume(tree, volume, geometry, blocks=1000):
    """What a volume with UBIFS holds; it can be as large as that number of logical eraseblocks."""
    tools.run_as_owner("mkfs.ubifs", "-r", tree, "-o", volume, "-U", "-x", "zlib",
                       "-m", max(geometry.page, 8), "-e", leb_size(geometry), "-c", blocks,
                       "-j", "1MiB")
    return volume


def _pack_ubifs(tree, image, geometry):
    volume = pack_ubifs_volume(tree, Path(f"{image}.volume"), geometry)
    ubinize(volume, image, geometry, "dynamic")


def _pack_ubiblock(tree, image, geometry):
    volume = Path(f"{image}.volume")
    _pack_squashfs(tree, volume, geometry)
    ubinize(volume, image, geometry, "static")


_PACKERS = {
    "jffs2": _pack_jffs2,
    "squashfs": _pack_squashfs,
    "cramfs": _pack_cramfs,
    "ubifs": _pack_ubifs,
    "ubiblock": _pack_ubiblock,
}


def pack(tree, image, file_system, geometry):
    """Pack a tree into a partition image."""
    _PACKERS[file_system](tree, image, geometry)
    return image


def root_arguments(file_system, flash, partition="rootfs"):
    """Kernel arguments that mount the root from that partition."""
    mtdblock = f"root=/dev/mtdblock{flash.number(partition)}"
    if file_system == "jffs2":
        return [f"root=mtd:{partition}", "rootfstype=jffs2", "rw"]
    if file_system == "squashfs":
        return [mtdblock, "rootfstype=squashfs", "ro"]
    if file_system == "cramfs":
        direct = flash.kind == "nor"
        return [f"root=mtd:{partition}" if direct else mtdblock, "rootfstype=cramfs", "ro"]
    if file_system == "ubifs":
        return [f"ubi.mtd={partition}", "root=ubi0:rootfs", "rootfstype=ubifs", "rw"]
    return [f"ubi.mtd={partition}", "ubi.block=0,rootfs", "root=/dev/ubiblock0_0",
            "rootfstype=squashfs", "ro"]
