# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever holds the old root: it lets go of it, or nothing is erased."""

from labkit import bench
from labkit.scenario import scenario


@scenario()
def holder_in_kernel(lab):
    """The kernel itself keeps a file of the old root open: nothing is erased, firmware 1 is back."""
    b = bench.on(lab, "squashfs-nand")
    before = b.flash.snapshot()
    b.machine.sh("echo /etc/version >/sys/module/flashsim/parameters/hold", check=True)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect(r"cannot unmount /oldroot \(squashfs, /dev/root\): (Device or r|R)esource busy",
                     timeout=40)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1)
    b.machine.kill()
    lab.check(b.flash.snapshot() == before, "the flash was changed")


@scenario()
def holder_loop_and_swap(lab):
    """A loop device with a mount on it, one without, and a swap file let go; the update goes on."""
    b = bench.on(lab, "jffs2-nand", filler="1M")
    b.machine.sh("dd if=/dev/zero of=/var/disk bs=1k count=512 2>/dev/null && mke2fs -q /var/disk; "
                 "losetup /dev/loop0 /var/disk; mkdir /tmp/loop; mount /dev/loop0 /tmp/loop; "
                 "dd if=/dev/zero of=/tmp/loop/inner bs=1k count=100 2>/dev/null; "
                 "losetup /dev/loop1 /tmp/loop/inner; losetup /dev/loop2 /var/disk; losetup -a")
    lab.check_equal(b.machine.sh("losetup -a | wc -l").out, "3", "loop devices")
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


_STUBBORN = """\
#!/bin/sh
# Ignores what can be ignored, and has children that keep files of the root open.
trap '' HUP INT TERM QUIT USR1
exec 5</etc/version
cd /etc
(setsid sh -c "trap '' TERM HUP; exec 6</etc/inittab; while :; do sleep 1; done" &)
while :; do sleep 1; done
"""


@scenario()
def holder_processes(lab):
    """Daemons that ignore every signal, a stopped one, chrooted ones, mounts upon mounts."""
    b = bench.on(lab, "jffs2-nand", files={"bin/stubborn": _STUBBORN})
    b.machine.sh("stubborn & stubborn & kill -STOP $!; mkdir -p /tmp/c; "
                 "mount -o bind / /tmp/c; chroot /tmp/c stubborn & "
                 "mount -t tmpfs t /mnt/ 2>/dev/null; mount -o bind /etc /root; "
                 "mount -t tmpfs over /root; unshare -m sleep 1000 & unshare -p -f sleep 1000 &",
                 check=True)
    b.machine.sh("umount /mnt; ls /mnt/fw.fwi", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def holder_other_mount(lab):
    """Another partition of the image is in use by UBI: nothing is erased, the reason is told."""
    b = bench.on(lab, "squashfs-nand", payloads={"data": b"x" * 5000}, append="ubi.mtd=data",
                 parts="12M(rootfs),4M(data)")
    rootfs = b.flash.read("rootfs")
    lab.check_equal(b.machine.sh("cat /sys/class/ubi/ubi0/mtd_num").out, "1", "UBI's partition")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect(r"mtd1 \(data\) is in use: ubi0 holds it", timeout=40)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1)
    b.machine.kill()
    lab.check(b.flash.read("rootfs") == rootfs, "the root partition was changed")
