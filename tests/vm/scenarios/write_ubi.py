# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write of a whole UBI device (kind=ubi), held against ubiformat."""

import random
from pathlib import Path

from labkit import image, nandsim, ubi, workbench
from labkit.image import Geometry
from labkit.nandsim import ERASEBLOCK
from labkit.scenario import scenario
from labkit.writing import UNFIT, Files, raw, write, write_nothing

_BLOCKS = 48
_BAD = [0, 7, 8, 47]
_GOOD = _BLOCKS - len(_BAD)
_PART = nandsim.name(0)
_VOLUME = "4MiB"
_SUBPAGES = Geometry("nand", ERASEBLOCK, nandsim.PAGE, nandsim.SUBPAGE)
_PAGES = Geometry("nand", ERASEBLOCK, nandsim.PAGE)


def _vid_hdr_offset(geometry):
    return geometry.subpage or geometry.page


def _attach(w, number, geometry):
    w.run(f"ubiattach -p /dev/mtd{number} -O {_vid_hdr_offset(geometry)} -b 8")


def _detach(w, number):
    w.run(f"ubidetach -p /dev/mtd{number}")


def _ubi_image(files, geometry, volume_size=_VOLUME):
    """A ubinized image with a UBIFS in it."""
    base = files.tree.with_suffix(f".{_vid_hdr_offset(geometry)}")
    volume = image.pack_ubifs_volume(files.tree, f"{base}.volume", geometry)
    path = image.ubinize(volume, f"{base}.ubi", geometry, "dynamic", volume_size)
    return Path(path).read_bytes()


def _used_device(w, number, geometry):
    """A UBI device with years behind it: each eraseblock was erased another number of times.

    They differ by less than what makes UBI move data about to level the wear (4096).
    """
    offset, data_offset = _vid_hdr_offset(geometry), ERASEBLOCK - image.leb_size(geometry)
    dice = random.Random(number)
    headers = b"".join(
        ubi.EcHeader(dice.randrange(10, 3000), offset, data_offset, 77).pack()
        .ljust(ERASEBLOCK, b"\xff") for _ in range(_GOOD))
    w.run(f"flash_erase -q /dev/mtd{number} 0 0 2>/dev/null; "
          f"nandwrite -q -p /dev/mtd{number} {w.put('used', headers)}; "
          f"ubiformat -q -y -s {offset} -O {offset} /dev/mtd{number}")
    _attach(w, number, geometry)
    w.run("ubimkvol /dev/ubi0 -N old -s 2MiB && head -c 2000000 /dev/urandom >/tmp/old && "
          "ubiupdatevol /dev/ubi0_0 /tmp/old")
    _detach(w, number)


def _blocks(w, number):
    dump = nandsim.dump(w, number, bad="skipbad")
    return [dump[at:at + ERASEBLOCK] for at in range(0, len(dump), ERASEBLOCK)]


def _check_counters(lab, before, after):
    """Each eraseblock that was erased is known for it, each has a header, all of one device."""
    headers = [ubi.read(block) for block in after]
    lab.check(None not in headers, "an eraseblock has no erase counter header")
    lab.check_equal(len({header.image_seq for header in headers}), 1, "image sequence numbers")
    known = [ubi.read(block).ec for block in before if ubi.read(block)]
    for number, (old, new) in enumerate(zip(before, after)):
        old_header, ec = ubi.read(old), ubi.read(new).ec
        if not old_header:
            lab.check(min(known) <= ec <= max(known) + 1, f"eraseblock {number}: counter {ec}")
        elif old[ubi.SIZE:] != new[ubi.SIZE:]:
            lab.check_equal(ec, old_header.ec + 1, f"eraseblock {number}: counter")
        else:
            lab.check(ec - old_header.ec in (0, 1), f"eraseblock {number}: counter {ec}")


def _plain(block):
    """An eraseblock but for its counter and its device's number."""
    header = ubi.read(block)
    return header.vid_hdr_offset, header.data_offset, block[ubi.SIZE:]


def _check_as_ubiformat(lab, found, wanted):
    for number, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        lab.check(_plain(ours) == _plain(theirs), f"good eraseblock {number}: not as ubiformat's")


def _check_kernel(lab, w, files, geometry, mounts=("ro", "rw", "ro")):
    """The kernel attaches and mounts it, read-only and not, and complains about nothing."""
    w.kernel_log()
    for options in mounts:
        _attach(w, 0, geometry)
        w.run(f"mount -t ubifs -o {options} ubi0:rootfs /mnt")
        files.check(w, "/mnt")
        if options == "rw":
            w.run("head -c 30000 /dev/urandom >/mnt/written && sync && rm /mnt/written && sync")
        w.run("umount /mnt")
        _detach(w, 0)
    lab.check_equal(ubi.complaints(w.kernel_log()), [], "what the kernel complains about")


def _write_and_compare(lab, w, geometry, content):
    """Over one used device with flashinit, over its twin with ubiformat."""
    for number in 0, 1:
        _used_device(w, number, geometry)
    before = _blocks(w, 0)
    words = raw(w, _PART, content, "kind=ubi")
    write(w, words)
    after = _blocks(w, 0)
    _check_counters(lab, before, after)
    offset = _vid_hdr_offset(geometry)
    w.run(f"ubiformat -q -y -f {w.put('stock', content)} -s {offset} -O {offset} /dev/mtd1")
    _check_as_ubiformat(lab, after, _blocks(w, 1))
    write_nothing(w, words)
    return words


def _bench(lab, **faults):
    w = workbench.on_qemu(lab)
    w.run("modprobe ubi; modprobe ubifs")
    bad = [part * _BLOCKS + block for part in (0, 1) for block in _BAD]
    nandsim.load(w, _BLOCKS, _BLOCKS, badblocks=bad, **faults)
    return w


@scenario(timeout=300)
def write_ubi_subpages(lab):
    """UBI with its headers in sub-pages, bad blocks: counters go on, the rest is as ubiformat's."""
    w, files = _bench(lab), Files(lab, "new", 2000000)
    content = _ubi_image(files, _SUBPAGES)
    words = _write_and_compare(lab, w, _SUBPAGES, content)
    _check_kernel(lab, w, files, _SUBPAGES, ["ro"])
    write_nothing(w, words)
    _check_kernel(lab, w, files, _SUBPAGES)
    write(w, words)
    _check_kernel(lab, w, files, _SUBPAGES)
    write(w, raw(w, _PART, content * 12, "kind=ubi"), UNFIT)


@scenario(timeout=300)
def write_ubi_pages(lab):
    """UBI with each header in a page of its own, a volume that takes all room at first attach."""
    w, files = _bench(lab), Files(lab, "new", 2000000)
    _write_and_compare(lab, w, _PAGES, _ubi_image(files, _PAGES, None))
    _check_kernel(lab, w, files, _PAGES)


@scenario(timeout=300)
def write_ubi_over_anything(lab):
    """UBI over flash that never was: blank, of another kind, and with some counters lost."""
    w, files = _bench(lab), Files(lab, "new", 2000000)
    content = _ubi_image(files, _SUBPAGES)
    words = raw(w, _PART, content, "kind=ubi")
    write(w, words)
    lab.check(None not in map(ubi.read, _blocks(w, 0)), "over blank flash: a header is missing")
    _check_kernel(lab, w, files, _SUBPAGES)
    garbage = w.put("garbage", random.Random(1).randbytes(_GOOD * ERASEBLOCK))
    w.run(f"flash_erase -q /dev/mtd0 0 0 2>/dev/null; nandwrite -q -p /dev/mtd0 {garbage}")
    write(w, words)
    lab.check(None not in map(ubi.read, _blocks(w, 0)), "over garbage: a header is missing")
    _check_kernel(lab, w, files, _SUBPAGES)
    _used_device(w, 0, _SUBPAGES)
    for block in 3, 20, 40:
        w.run(f"mtdraw erase /dev/mtd0 {block}")
    w.run(f"head -c 4096 /dev/urandom | mtdraw write /dev/mtd0 {20 * ERASEBLOCK}")
    before = _blocks(w, 0)
    write(w, words)
    _check_counters(lab, before, _blocks(w, 0))
    _check_kernel(lab, w, files, _SUBPAGES)


@scenario(timeout=300)
def write_ubi_goes_bad(lab):
    """Eraseblocks go bad in the image, behind it and as the first: UBI finds all it needs."""
    w, files = _bench(lab, weakblocks="1:0,5:0,40:0"), Files(lab, "new", 2000000)
    garbage = w.put("garbage", random.Random(1).randbytes(_GOOD * ERASEBLOCK))
    w.run(f"nandwrite -q -p /dev/mtd0 {garbage}")
    words = raw(w, _PART, _ubi_image(files, _SUBPAGES), "kind=ubi")
    write(w, words)
    lab.check_equal(nandsim.bad_blocks(w, 0), sorted([*_BAD, 1, 5, 40]), "bad eraseblocks")
    write_nothing(w, words)
    _check_kernel(lab, w, files, _SUBPAGES)


@scenario(timeout=300)
def write_ubi_boots(lab):
    """UBI on the strict chip, NAND and NOR, over garbage: a kernel boots from what was written."""
    for layout in "ubifs-nand", "ubiblock-nand", "ubifs-nor":
        file_system, kind = image.split_layout(layout)
        chip = lab.flash(kind, badblocks=[0, 5] if kind == "nand" else [])
        room = len(chip.good_blocks("rootfs")) * chip.eraseblock
        chip.write("rootfs", random.Random(1).randbytes(room))
        w = workbench.on_uml(lab, chip)
        words = raw(w, "rootfs", lab.firmware(1, layout, chip), "kind=ubi")
        write(w, words)
        write_nothing(w, words)
        w.machine.kill()
        machine = lab.uml(chip, file_system).up(1)
        log = machine.sh("dmesg | sed 's/^\\[[^]]*] //'").out
        lab.check("attached mtd0" in log, log)
        lab.check_equal(ubi.complaints(log), [], "what the kernel complains about")
        machine.kill()
