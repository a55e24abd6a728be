# SPDX-License-Identifier: GPL-2.0-or-later
"""How long writing takes, and how many erases: flashinit write beside mtd-utils, BusyBox and dd."""

import gzip
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from labkit import bench, image, nandsim, qemu, rootfs, workbench
from labkit.errors import CheckFailed
from labkit.image import Geometry
from labkit.nandsim import ERASEBLOCK, PAGE
from table import Table, figure

NAME = "writes"

MIB = 1 << 20
_PART = nandsim.name(0)
_GEOMETRY = Geometry("nand", ERASEBLOCK, PAGE, nandsim.SUBPAGE)
# nandsim's times in seconds, where do_delays=1 and nothing else is said: it reads a page in 25 us and
# 2048 times 50 ns, and programs one in 200 us and 2048 times 40 ns, in whole microseconds each.
_READ, _PROGRAM, _ERASE = (25 + 102) * 1e-6, (200 + 81) * 1e-6, 2e-3
_PATIENCE = 600


def _mib(size):
    return f"{size / MIB:g} MiB"


def contents(length, seed):
    """An image: every other 4 KiB packed already, as SquashFS has it, the rest text."""
    dense = rootfs.filler(length // 2, seed)
    words = [rootfs.filler(6, f"{seed}/{word}").hex() for word in range(64)]
    text = bytearray()
    for at in range(length // 2 // 8 + 1):
        text += f"{words[dense[at] % 64][:7]} ".encode()
    pieces = (dense[at:at + 4096] + bytes(text[at:at + 4096])
              for at in range(0, length // 2, 4096))
    return b"".join(pieces)


@dataclass
class Measured:
    """One run: seconds, and erases."""
    wall: float
    user: float
    system: float
    peak: int
    erases: int


class Images:
    """Two images, each wholly unlike the other, in all forms, in the guest's RAM."""

    def __init__(self, lab, w, size, variants=("A", "B")):
        self.size = size
        self.bytes = {name: contents(size, name) for name in variants}
        for name, content in self.bytes.items():
            Path(lab.folder / f"{name}.bin").write_bytes(content)
            w.put(f"{name}.bin", content)
            w.put(f"{name}.gz", gzip.compress(content, 9, mtime=0))
            w.put(f"{name}.fwi", Path(bench.pack(lab, name, {_PART: lab.folder / f"{name}.bin"})))
        w.run("mkdir -p /ram; mount -t tmpfs -o size=90% ram /ram; "
              "mv /host/*.bin /host/*.gz /host/*.fwi /ram; sync", _PATIENCE)


# The shell sees $new, the image's name, $size, its bytes, and $dev, the MTD device. The first word
# tells what is read back.
_COMPARE = "nanddump -q --bb=skipbad -l $size $dev 2>/dev/null | cmp - /ram/$new.bin"
_NANDWRITE = "flash_erase -q $dev 0 0 >/dev/null && nandwrite -q -p $dev"
FLASHINIT_RAW = f"flashinit write --raw '{_PART}=/ram/'$new.bin"
WAYS = {
    "flashinit write, image": ("all", "flashinit write /ram/$new.fwi"),
    "flashinit write, plain file": ("all", FLASHINIT_RAW),
    "flashinit write, image from a pipe": ("all", "cat /ram/$new.fwi | flashinit write -"),
    "flash_erase, nandwrite": ("none", f"{_NANDWRITE} /ram/$new.bin"),
    "flash_erase, nandwrite, nanddump, cmp":
        ("all", f"{_NANDWRITE} /ram/$new.bin && {_COMPARE}"),
    "flashcp": ("all", "flashcp /ram/$new.bin $dev"),
    "cat, flash_erase, nandwrite from a pipe": ("none", f"cat /ram/$new.bin | ({_NANDWRITE} -)"),
    "gzip -dc, flash_erase, nandwrite": ("none", f"gzip -dc /ram/$new.gz | ({_NANDWRITE} -)"),
    "gzip -dc, flash_erase, nandwrite, nanddump, cmp":
        ("all", f"gzip -dc /ram/$new.gz | ({_NANDWRITE} -) && "
                "nanddump -q --bb=skipbad -l $size $dev 2>/dev/null >/ram/back && "
                "gzip -dc /ram/$new.gz | cmp - /ram/back; code=$?; rm /ram/back; (exit $code)"),
    "dd to mtdblock": ("none", "dd if=/ram/$new.bin of=/dev/mtdblock0 bs=128k conv=fsync 2>&1"),
    "the driver alone: erase, write, read":
        ("all, not compared",
         "mtdraw erase $dev 0 $((size / 131072)) && mtdraw write $dev 0 131072 </ram/$new.bin && "
         "dd if=$dev of=/dev/null bs=128k count=$((size / 131072)) 2>/dev/null"),
}
_FEW_WAYS = [
    "flashinit write, image", "flashinit write, plain file", "flashinit write, image from a pipe",
    "flash_erase, nandwrite", "flash_erase, nandwrite, nanddump, cmp",
    "gzip -dc, flash_erase, nandwrite, nanddump, cmp", "the driver alone: erase, write, read"]


def measure(w, command, variables=""):
    """Run a command in the guest, its processes and those of its pipes; gives what it took."""
    w.count_operations()
    w.run(f"cat >/tmp/command <<'EOF'\n{variables}\n{command}\nEOF\nsync", _PATIENCE)
    done = w.sh("measure '. /tmp/command' 2>&1", timeout=_PATIENCE)
    found = re.search(r"measured: (\d+) (\d+) (\d+) (\d+)", done.out)
    if done.code or not found:
        raise CheckFailed(f"{command}: exit code {done.code}\n{done.out[-2000:]}")
    wall, user, system, peak = map(int, found.groups())
    return Measured(wall / 1e6, user / 1e6, system / 1e6, peak, w.operations()["erase"])


def chip_times(size, read=True):
    """What the chip itself takes to erase and program that much, and to give it back: seconds."""
    pages = size // PAGE
    return size // ERASEBLOCK * _ERASE + pages * (_PROGRAM + (_READ if read else 0))


def _check(w, new, size):
    w.run(f"nanddump -q --bb=skipbad -l {size} /dev/mtd0 2>/dev/null | cmp - /ram/{new}.bin",
          _PATIENCE)


def _take_turns(names, rounds, run_one):
    """{name: [Measured]} of what run_one(name, round) measures, in alternating order."""
    found = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(run_one(name, number))
    return found


def _rounds(w, images, names, rounds):
    """Each way writes the image that is not there, in alternating order; {name: [Measured]}."""
    turn = {"new": "A"}
    w.run("flash_erase -q /dev/mtd0 0 0 2>/dev/null; nandwrite -q -p /dev/mtd0 /ram/A.bin",
          _PATIENCE)

    def one(name, _number):
        turn["new"] = "B" if turn["new"] == "A" else "A"
        found = measure(w, WAYS[name][1], f"new={turn['new']} size={images.size} dev=/dev/mtd0")
        _check(w, turn["new"], images.size)
        return found

    return _take_turns(names, rounds, one)


def _chip(w, size, delays):
    w.run("rmmod mtdblock 2>/dev/null; true")
    nandsim.load(w, size // ERASEBLOCK, do_delays=int(delays))
    w.run("modprobe mtdblock")


def _different(w, images, rounds, ways, mips):
    _chip(w, images.size, True)
    slow = _rounds(w, images, ways, rounds)
    _chip(w, images.size, False)
    fast = _rounds(w, images, ways, rounds)
    table = Table(f"A wholly different image of {_mib(images.size)} onto NAND, {mips} MIPS",
                  ["way", "read back", "seconds", "of the chip's own", "without delays: seconds",
                   "user CPU", "system CPU"])
    for name in ways:
        walls = [run.wall for run in slow[name]]
        read = WAYS[name][0] != "none"
        own = statistics.median(walls) / chip_times(images.size, read=read)
        table.rows.append([name, WAYS[name][0], figure(walls), f"{own:.3f}",
                           figure([run.wall for run in fast[name]]),
                           figure([run.user for run in fast[name]]),
                           figure([run.system for run in fast[name]])])
    table.notes.append(f"The chip's own times are {chip_times(images.size, read=False):.3f} s for "
                       f"erasing and programming, and {chip_times(images.size):.3f} s with reading "
                       "all back.")
    return table


# Some eraseblocks changed

_SHARES = (0, 1, 10, 50, 100)
# flashcp -p of mtd-utils 2.1.5 reads an eraseblock into 10 KiB of stack, and crashes with larger.
_NOR_BLOCK = 8 << 10
_NAND_UPDATES = {
    "flashinit write, image": "flashinit write /ram/$new.fwi",
    "flashinit write, image from a pipe": "cat /ram/$new.fwi | flashinit write -",
    "flash_erase, nandwrite": WAYS["flash_erase, nandwrite"][1],
    "flash_erase, nandwrite, nanddump, cmp": WAYS["flash_erase, nandwrite, nanddump, cmp"][1],
}
_NOR_UPDATES = {
    "flashinit write, image": "flashinit write /ram/$new.fwi",
    "flashcp -p": "flashcp -p /ram/$new.bin $dev",
    "flashcp": "flashcp /ram/$new.bin $dev",
}
_NOR_PART = "mtdram test device"


def _changed(size, block):
    """{percentage: image}; 0 is the one that the others are measured from."""
    old, new = contents(size, "A"), contents(size, "B")
    images, blocks = {}, size // block
    for share in _SHARES:
        wanted = max(1, blocks * share // 100) if share else 0
        changed = {number * blocks // wanted for number in range(wanted)}
        images[share] = b"".join((new if number in changed else old)[number * block:][:block]
                                 for number in range(blocks))
    return images


def _put_changed(lab, w, size, block, suffix, part):
    for share, content in _changed(size, block).items():
        plain = lab.folder / f"{share}{suffix}.bin"
        plain.write_bytes(content)
        w.put(plain.name, content)
        w.put(f"{share}{suffix}.fwi", Path(bench.pack(lab, f"{share}{suffix}", {part: plain})))
    w.run("mv /host/*.bin /host/*.fwi /ram", _PATIENCE)


# Each erases the whole partition in one call, which counts as one.
_ERASE_ALL = ("flash_erase, nandwrite", "flash_erase, nandwrite, nanddump, cmp", "flashcp")


def _updates(w, size, block, ways, what, suffix, rounds):
    table = Table(f"{_mib(size)} with some eraseblocks changed, onto {what}",
                  ["eraseblocks changed", "way", "eraseblocks erased", "seconds", "user CPU"])
    for share in _SHARES:
        def one(way, _number):
            found = []
            for new in (share, 0):  # there, and back again for the next
                variables = f"new={new}{suffix} size={size} dev=/dev/mtd0"
                found.append(measure(w, ways[way], variables))
                w.run(f"head -c {size} /dev/mtd0 | cmp - /ram/{new}{suffix}.bin", _PATIENCE)
            return found[0]

        for way, runs in _take_turns(list(ways), rounds, one).items():
            erases = {size // block if way in _ERASE_ALL else run.erases for run in runs}
            table.rows.append([f"{share} %", way, " or ".join(map(str, sorted(erases))),
                               figure([run.wall for run in runs]),
                               figure([run.user for run in runs])])
    return table


def _some_changed(lab, w, size):
    _put_changed(lab, w, size, ERASEBLOCK, "", _PART)
    _chip(w, size, True)
    w.run("flash_erase -q /dev/mtd0 0 0 2>/dev/null; nandwrite -q -p /dev/mtd0 /ram/0.bin",
          _PATIENCE)
    nand = _updates(w, size, ERASEBLOCK, _NAND_UPDATES, "NAND, with the chip's times", "", 1)
    w.run("rmmod mtdblock; rmmod nandsim; rm /ram/*; "
          f"modprobe mtdram total_size={size >> 10} erase_size={_NOR_BLOCK >> 10}")
    _put_changed(lab, w, size, _NOR_BLOCK, "nor", _NOR_PART)
    w.run("flashcp /ram/0nor.bin /dev/mtd0", _PATIENCE)
    nor = _updates(w, size, _NOR_BLOCK, _NOR_UPDATES, "NOR, which takes no time here", "nor", 1)
    nor.notes.append("The eraseblocks have 8 KiB, since flashcp -p of mtd-utils 2.1.5 crashes "
                     "with any that do not fit into its buffer of 10 KiB.")
    w.run("rmmod mtdram; rm /ram/*")
    return [nand, nor]


# UBI

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
                  Path(bench.pack(lab, f"{name}{suffix}", {_PART: payload})))
    w.run("mv /host/*.ubi /host/*.gz /host/*.fwi /ram", _PATIENCE)


def _ubi_table(title, found):
    table = Table(title, ["way", "read back", "seconds", "user CPU", "system CPU"])
    for way, runs in found.items():
        read = "all" if "flashinit" in way or "cmp" in way else "none"
        table.rows.append([way, read, *(figure([getattr(run, what) for run in runs])
                                        for what in ("wall", "user", "system"))])
    return table


def _ubi(lab, w, images, rounds):
    _put_ubi(lab, w, images)
    _chip(w, images.size + 32 * ERASEBLOCK, True)
    w.run("modprobe ubi; ubiformat -q -y -f /ram/A.ubi /dev/mtd0", _PATIENCE)
    turn = {"new": "A"}

    def written(ways, before, after):
        def one(way, _number):
            turn["new"] = "B" if turn["new"] == "A" else "A"
            variables = f"new={turn['new']} size={images.size}"
            w.run(before)
            found = measure(w, ways[way], variables)
            w.run(f"{after}; head -c {images.size} /dev/ubi0_0 | cmp - /ram/{turn['new']}.bin",
                  _PATIENCE)
            return found
        return one

    attach, detach = "ubiattach -p /dev/mtd0 >/dev/null", "ubidetach -p /dev/mtd0"
    whole = _take_turns(list(_UBI_IMAGE), rounds,
                        written(_UBI_IMAGE, "ubidetach -p /dev/mtd0 2>/dev/null; true", attach))
    w.run(f"{detach}; {attach}")
    volume = _take_turns(list(_UBI_VOLUME), rounds, written(_UBI_VOLUME, "true", "true"))
    return [_ubi_table(f"A UBI image with a static volume of {_mib(images.size)} onto NAND", whole),
            _ubi_table(f"A static UBI volume of {_mib(images.size)}, UBI attached", volume)]


def _machine(lab, clock):
    w = workbench.on_qemu(lab, mem="768M", options=clock)
    w.run("modprobe mtdblock")
    return w


def _large_and_fast(lab):
    # One round: the figures of the first table tell how well they repeat.
    tables = []
    for size, clock, mips, ways in ((64, qemu.COUNTED_CLOCK, 125, _FEW_WAYS),
                                    (16, qemu.FASTER_CLOCK, 500, _FEW_WAYS)):
        part = lab.part(f"{size}-{mips}")
        w = _machine(part, clock)
        tables.append(_different(w, Images(part, w, size * MIB), 1, ways, mips))
        part.close()
    return tables


def run(lab, quick):
    """NAND, UBI, and changed eraseblocks on NAND and NOR."""
    rounds, size = (1, MIB // 2) if quick else (3, 16 * MIB)
    w = _machine(lab, qemu.COUNTED_CLOCK)
    images = Images(lab, w, size)
    different = _different(w, images, rounds, list(WAYS), 125)
    ubi = _ubi(lab, w, images, rounds)
    w.run("ubidetach -p /dev/mtd0; rm /ram/*")
    changed = _some_changed(lab, w, size)
    w.machine.kill()
    larger = [] if quick else _large_and_fast(lab)
    return [different, *larger, *changed, *ubi]
