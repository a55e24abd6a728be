# SPDX-License-Identifier: GPL-2.0-or-later
"""The mission: a running firmware rewrites the flash it booted from, and the new one comes up."""

from labkit import bench, image
from labkit.scenario import scenario


def _update(lab, layout, start=None, **options):
    """Write, power off, compare the flash byte for byte, power on: the new firmware runs."""
    b = bench.on(lab, layout, start, **options)
    b.machine.send(f"flashinit update --after poweroff {b.mount_at}/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    machine = b.power_on(2)
    lab.check_equal(machine.sh("cat /etc/version").out, "2", "/etc/version")
    return b


@scenario()
def update_jffs2_nand(lab):
    """JFFS2 on NAND: every byte of the new firmware is in flash, and it runs."""
    _update(lab, "jffs2-nand")


@scenario()
def update_jffs2_nand_badblocks(lab):
    """JFFS2 on NAND with bad blocks first, in the midst of the image and last."""
    _update(lab, "jffs2-nand", badblocks=[0, 1, 7, 111])


@scenario()
def update_squashfs_nand(lab):
    """SquashFS on NAND through mtdblock."""
    _update(lab, "squashfs-nand")


@scenario()
def update_cramfs_nand(lab):
    """CRAMFS on NAND through mtdblock."""
    _update(lab, "cramfs-nand")


@scenario()
def update_jffs2_nor(lab):
    """JFFS2 on NOR that comes up locked."""
    _update(lab, "jffs2-nor", faults={"locked": 1})


@scenario()
def update_squashfs_nor(lab):
    """SquashFS on NOR through mtdblock."""
    _update(lab, "squashfs-nor")


@scenario()
def update_cramfs_nor(lab):
    """CRAMFS on NOR, read in place: the MTD itself is mounted, not its block device."""
    _update(lab, "cramfs-nor")


@scenario(timeout=180)
def update_qemu_jffs2(lab):
    """QEMU with Debian's kernel: JFFS2 root, the flash compared byte for byte."""
    _update(lab, "jffs2-nor", lab.qemu)


@scenario(timeout=180)
def update_qemu_squashfs(lab):
    """QEMU with Debian's kernel: SquashFS root, the flash compared byte for byte."""
    _update(lab, "squashfs-nor", lab.qemu)


@scenario()
def update_hangup(lab):
    """The terminal that the update was started from hangs up: it goes on, and reboots into 2."""
    b = bench.on(lab, "jffs2-nand")
    # The hang-up comes with the first word, while the image is still being verified.
    b.machine.send("hangup flashinit: sh -c 'flashinit update /mnt/fw.fwi'\n")
    b.machine.up(2, timeout=40)
    lab.check_equal(b.machine.sh("cat /etc/version").out, "2", "/etc/version")


@scenario()
def update_readonly_everything(lab):
    """A root that cannot be written, without any tmpfs: the RAM root goes over an existing folder."""
    rc = ("#!/bin/sh\nmount -t proc proc /proc\nmount -t sysfs sysfs /sys\n"
          'echo "FIRMWARE $(cat /etc/version) UP"\n')
    b = _update(lab, "squashfs-nand", files={"etc/rc": rc}, mount_at="/root")
    lab.check("staged in RAM: /mnt" in b.machines[0].console, "another place was found")


@scenario()
def update_twice(lab):
    """The same firmware again: nothing is erased, nothing is programmed, and it reboots."""
    b = bench.on(lab, "squashfs-nand")
    for _ in range(2):
        b.machine.send("flashinit update /mnt/fw.fwi\n")
        b.machine.up(2, timeout=40)
        b.mount_stick()
    lab.check("rootfs: 0 eraseblocks written" in b.machine.console, "the second run wrote")
    lab.check("flashsim: 0 erases, 0 programs" in b.machine.console, "the second run changed flash")


@scenario()
def update_two_payloads(lab):
    """Two partitions in one image: both hold theirs."""
    data = bytes(range(256)) * 2048
    b = bench.on(lab, "squashfs-nand", payloads={"data": data})
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    lab.check_flash(b.flash, "data", data)


@scenario()
def update_halt(lab):
    """--after halt: the machine stops with the firmware written."""
    b = bench.on(lab, "squashfs-nand")
    b.machine.send("flashinit update --after halt /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after a halt")
    lab.check_flash(b.flash, "rootfs", b.new)


_PREINIT = """\
#!/bin/sh
# As OpenWrt has it: the root is an overlay of two partitions, and both can still be reached.
mount -t jffs2 mtd1 /overlay
mkdir -p /overlay/upper /overlay/work
mount -t overlay -o lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work over /mnt
cd /mnt
pivot_root . rom
mount --move /rom/dev /dev
mount --move /rom/overlay /overlay
exec chroot . /sbin/init
"""


@scenario()
def update_overlay(lab):
    """An overlay of SquashFS and JFFS2 is the root: both layers come free, both are written."""
    tree = lab.folder / "data"
    (tree / "upper/etc").mkdir(parents=True)
    (tree / "upper/etc/marker").write_text("new\n")
    (tree / "work").mkdir()
    data = image.pack(tree, lab.folder / "data.jffs2", "jffs2", image.DEFAULT_GEOMETRY["nand"])
    b = bench.on(lab, "squashfs-nand", payloads={"data": data}, append="init=/etc/preinit",
                 files={"etc/preinit": _PREINIT, "overlay/empty": "", "rom/empty": ""})
    b.machine.sh("grep -q '^over / overlay' /proc/mounts && grep -q ' /rom squashfs' /proc/mounts "
                 "&& grep -q ' /overlay jffs2' /proc/mounts && echo old >/etc/marker", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    lab.check_flash(b.flash, "data", data)
    lab.check_equal(b.power_on(2).sh("cat /etc/marker").out, "new", "the file in the upper layer")
