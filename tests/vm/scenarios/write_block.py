# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write of block devices (kind=block), held against dd."""

import struct

from labkit import rootfs, workbench
from labkit.scenario import scenario
from labkit.writing import BUSY, FLASH_FAILED, UNFIT, check_same, raw, sample, write

_SECTOR = 512
_PARTITIONS = ((2048, 16384), (18432, 6144))  # first sector, sectors
_SIZE = 12 << 20


def _disk(lab):
    """A disk with two partitions, full of old data."""
    disk = lab.disk(size=_SIZE)
    table = b"".join(struct.pack("<4x B 3x II", 0x83, *place) for place in _PARTITIONS)
    boot_record = bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"
    disk.path.write_bytes(boot_record + rootfs.filler(_SIZE - _SECTOR, "old"))
    return disk


def _with_image(disk_content, partition, content):
    """What dd would leave, but for the rest of the last sector, which becomes 0xFF."""
    content = content.ljust(-(-len(content) // _SECTOR) * _SECTOR, b"\xff")
    start = _PARTITIONS[partition - 1][0] * _SECTOR
    return disk_content[:start] + content + disk_content[start + len(content):]


def _done_to(w, disk):
    """Sectors written and flushes so far."""
    fields = w.run(f"cat /sys/block/{disk}/stat").split()
    return int(fields[6]), int(fields[15])


@scenario(timeout=300)
def write_block(lab):
    """A partition of a disk: each sector is as dd leaves it, none behind the image is touched."""
    disk = _disk(lab)
    w = workbench.on_qemu(lab, disks=[disk])
    for partition, content in ((1, sample(2 << 20, 1)), (2, sample(3 << 20, 2)),
                               (1, sample(3 * _SECTOR, 3)), (2, sample(100001, 4)),
                               (1, b"x")):
        wanted = _with_image(disk.path.read_bytes(), partition, content)
        words = raw(w, f"vda{partition}", content, "kind=block")
        before = _done_to(w, "vda")
        write(w, words)
        check_same(disk.path.read_bytes(), wanted, f"vda{partition}, {len(content)} bytes")
        after = _done_to(w, "vda")
        # The old start is gone before the rest is written, and all that before the new start.
        lab.check(after[1] >= before[1] + 3, f"flushes: {after[1]} after {before[1]}")
        write(w, words)
        lab.check_equal(_done_to(w, "vda")[0], after[0], "sectors written, the second time")
    write(w, raw(w, "vda2", sample((3 << 20) + 1, 5), "kind=block"), UNFIT)
    check_same(disk.path.read_bytes(), wanted, "an image that is too large changed something")


@scenario(timeout=300)
def write_block_in_use(lab):
    """Mounted, swapped to, or with such a partition in it: exit code 6; read-only, not there: 4."""
    disk, readonly = _disk(lab), lab.disk({"file": b"x" * 100000})
    w = workbench.on_qemu(lab, disks=[disk, readonly])
    content = sample(200000, 1)
    words = raw(w, "vda1", content, "kind=block")
    w.run("mke2fs /dev/vda1 >/dev/null; modprobe ext4; mount -t ext4 /dev/vda1 /mnt")
    write(w, words, BUSY, ["vda1", "/mnt"])
    write(w, raw(w, "vda", content, "kind=block"), BUSY, ["vda"])
    write(w, raw(w, "vda2", content, "kind=block"))
    w.run("umount /mnt; mkswap /dev/vda1 >/dev/null; swapon /dev/vda1")
    before = disk.path.read_bytes()
    write(w, words, BUSY, ["vda1", "swap"])
    write(w, raw(w, "vdb", content, "kind=block"), UNFIT, ["vdb"])
    write(w, raw(w, "vdc", content, "kind=block"), UNFIT, ["vdc"])
    check_same(disk.path.read_bytes(), before, "a refused disk was changed")
    w.run("swapoff /dev/vda1")
    write(w, words)


@scenario(timeout=300)
def write_block_vanishes(lab):
    """The disk is pulled while it is written: exit code 5, not success."""
    w = workbench.on_qemu(lab)
    w.run("modprobe sd_mod; modprobe scsi_debug dev_size_mb=8 delay=3; "
          "until [ -b /dev/sda ]; do sleep 0.1; done")
    words = raw(w, "sda", sample(6 << 20, 1), "kind=block")
    done = w.sh(f"flashinit write {words} >/tmp/out 2>&1 & pid=$!; "
                "until [ $(awk '{ print $7 }' /sys/block/sda/stat) -gt 2000 ] || "
                "! kill -0 $pid; do :; done; "
                "echo 1 >/sys/block/sda/device/delete; wait $pid; code=$?; cat /tmp/out; "
                "(exit $code)", timeout=60)
    lab.check_equal(done.code, FLASH_FAILED, f"exit code, after\n{done.out}\n")
