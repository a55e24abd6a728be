# SPDX-License-Identifier: GPL-2.0-or-later
"""Updates of a root on a block device (eMMC, SD, a disk), and of what is swapped to."""

import struct

from labkit import bench, cover, rootfs, tools
from labkit.scenario import scenario

_MIB = 1 << 20
_PARTITIONS = ((1, 12), (13, 3))  # start and size in MiB
_SIZE = 16 * _MIB


def _image(lab, version, file_system, files=None):
    """A firmware as an image of a file system for disks."""
    tree, path = lab.tree(version, files=files), lab.folder / f"{version}.{file_system}"
    if file_system == "ext4":
        tools.run_as_owner("mke2fs", "-q", "-t", "ext4", "-d", tree, path, "10M")
    else:
        tools.run_as_owner("mksquashfs", tree, path, "-all-root", "-quiet", "-no-progress")
    return path


def _system_disk(lab, content):
    """A disk with two partitions: firmware 1, and other data."""
    disk = lab.disk(size=_SIZE)
    table = b"".join(struct.pack("<4x B 3x II", 0x83, start * 2048, size * 2048)
                     for start, size in _PARTITIONS)
    data = bytearray(rootfs.filler(_SIZE, "disk"))
    data[:512] = bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"
    data[_MIB:_MIB + len(content)] = content
    disk.path.write_bytes(data)
    return disk


def _boot(lab, disk, stick, file_system, version, init="/sbin/init"):
    write = "rw" if file_system == "ext4" else "ro"
    return lab.uml(disks=[disk, stick],
                   append=f"root=/dev/ubda1 rootfstype={file_system} {write} init={init}").up(version)


def _update(lab, file_system, setup):
    disk = _system_disk(lab, _image(lab, 1, file_system).read_bytes())
    new = _image(lab, 2, file_system)
    stick = lab.disk({"fw.fwi": bench.pack(lab, 2, {"ubda1": f"{new},kind=block"})})
    old = disk.path.read_bytes()
    m = _boot(lab, disk, stick, file_system, 1)
    m.sh(f"mount /dev/ubdb /mnt; {setup}", check=True)
    m.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    found, wanted = disk.path.read_bytes(), new.read_bytes()
    lab.check(found[_MIB:_MIB + len(wanted)] == wanted, "the partition is not the image")
    lab.check(found[:_MIB] == old[:_MIB], "what is before it was changed")
    lab.check(found[13 * _MIB:] == old[13 * _MIB:], "the other partition was changed")
    m = _boot(lab, disk, stick, file_system, 2)
    lab.check_equal(m.sh("cat /etc/version").out, "2", "/etc/version")


@scenario()
def update_block_ext4(lab):
    """ext4 root on a partition of a disk, with a swap file on it and a loop device over it."""
    _update(lab, "ext4", "cd /root; dd if=/dev/zero of=swap bs=1k count=512 2>/dev/null; "
                         "mkswap swap >/dev/null; swapon swap; losetup /dev/loop0 /dev/ubda1; "
                         "grep -q /root/swap /proc/swaps")


@scenario()
def update_block_squashfs(lab):
    """SquashFS root on a partition of a disk."""
    _update(lab, "squashfs", "grep -q '^/dev/root / squashfs' /proc/mounts")


@scenario()
def exec_dd_and_boot(lab):
    """--exec with dd onto the partition of the root, which a loop device has, too; and --after boot."""
    disk = _system_disk(lab, _image(lab, 1, "ext4").read_bytes())
    new = _image(lab, 2, "squashfs")
    m = _boot(lab, disk, lab.disk({"new": new}), "ext4", 1)
    m.sh("mount /dev/ubdb /mnt; losetup /dev/loop0 /dev/ubda1", check=True)
    m.send("flashinit update --exec '/bin/dd if=/new of=/dev/ubda1 bs=64k' --include /bin/dd "
           "--include /mnt/new=/new --after boot\n")
    m.up(2, timeout=40).sh("grep '^/dev/root / squashfs' /proc/mounts", check=True)
    m.sh("sync")
    m.kill()
    wanted = new.read_bytes()
    lab.check(disk.path.read_bytes()[_MIB:_MIB + len(wanted)] == wanted, "the partition is not it")


@scenario(timeout=180)
def update_qemu_ext4(lab):
    """QEMU with Debian's kernel: ext4 root on the whole of a virtio disk."""
    behind = rootfs.filler(6 * _MIB, "behind")
    disk, new = lab.disk(size=_SIZE), _image(lab, 2, "ext4")
    disk.path.write_bytes(_image(lab, 1, "ext4").read_bytes() + behind)
    disks = [disk, lab.disk({"fw.fwi": bench.pack(lab, 2, {"vda": f"{new},kind=block"})})]
    m = lab.qemu(lab.flash("nor"), "ext4", disks=disks).up(1)
    m.sh("mount /dev/vdb /mnt", check=True)
    m.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    lab.check(disk.path.read_bytes() == new.read_bytes() + behind, "the disk is another")
    lab.qemu(lab.flash("nor"), "ext4", disks=disks).up(2)


@scenario()
def update_swapped_to(lab):
    """Swap on the block device of an MTD partition that is written, and a loop device on it."""
    data = bytes(range(256)) * 2048
    b = bench.on(lab, "squashfs-nand", payloads={"data": data})
    b.machine.sh("mkswap /dev/mtdblock1 >/dev/null; swapon /dev/mtdblock1; "
                 "losetup /dev/loop0 /dev/mtdblock1; grep -q mtdblock1 /proc/swaps", check=True)
    b.machine.sh("flashinit check /mnt/fw.fwi", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    lab.check_flash(b.flash, "data", data)


@scenario()
def hidden_layer_on_disk(lab):
    """The partition is mounted below an overlay, where no path leads to: exit code 6, unchanged."""
    image = _image(lab, 1, "squashfs", {"etc/cover": cover.INIT})
    disk = _system_disk(lab, image.read_bytes())
    stick = lab.disk({"fw.fwi": bench.pack(lab, 2, {"ubda1": f"{image},kind=block"})})
    before = disk.path.read_bytes()
    m = _boot(lab, disk, stick, "squashfs", 1, "/etc/cover")
    m.sh("mount /dev/ubdb /mnt", check=True)
    result = m.sh("flashinit update /mnt/fw.fwi")
    lab.check_equal(result.code, 6, "exit code")
    lab.check("ubda1 is in use: mounted on / (squashfs, /dev/root)" in result.out, result.out)
    m.kill()
    lab.check(disk.path.read_bytes() == before, "the disk was changed")


@scenario()
def update_block_of_the_image(lab):
    """The image is on the very partition that it goes to: it is copied to RAM."""
    new = lab.folder / "new"
    new.write_bytes(rootfs.filler(_MIB, "new"))
    tree = lab.folder / "home"
    tree.mkdir()
    rootfs.put(tree, "fw.fwi", bench.pack(lab, 2, {"ubda2": f"{new},kind=block"}))
    home = lab.folder / "home.ext4"
    tools.run_as_owner("mke2fs", "-q", "-t", "ext4", "-d", tree, home, "3M")
    disk = _system_disk(lab, _image(lab, 1, "squashfs").read_bytes())
    data = disk.path.read_bytes()
    disk.path.write_bytes(data[:13 * _MIB] + home.read_bytes())
    m = lab.uml(disks=[disk], append="root=/dev/ubda1 rootfstype=squashfs ro").up(1)
    m.sh("mount /dev/ubda2 /mnt", check=True)
    m.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    found = disk.path.read_bytes()
    lab.check(found[13 * _MIB:14 * _MIB] == new.read_bytes(), "the partition is not the image")
    lab.check(found[:13 * _MIB] == data[:13 * _MIB], "what is before it was changed")
