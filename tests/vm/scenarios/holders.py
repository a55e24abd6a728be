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
    b.machine.expect("no process, swap area or loop device holds anything: the kernel itself does")
    b.machine.expect(r"cannot unmount /oldroot \(squashfs, /dev/root\): (Device or r|R)esource busy",
                     timeout=40)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1)
    b.machine.kill()
    lab.check(b.flash.snapshot() == before, "the flash was changed")


@scenario()
def holder_in_flight(lab):
    """A file in flight through sockets that nobody has any more: the kernel is made to drop it."""
    b = bench.on(lab, "jffs2-nand")
    b.machine.sh("straggler --late in-flight-cycle", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("straggler: in-flight-cycle is out")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def holder_loop_and_swap(lab):
    """Loop devices with a mount, upon each other and unused, and swap on one, all let go."""
    b = bench.on(lab, "jffs2-nand", filler="1M")
    b.machine.sh("cd /var; dd if=/dev/zero of=disk bs=1k count=512 2>/dev/null; "
                 "losetup /dev/loop0 disk; mke2fs /dev/loop0 >/dev/null; mkdir /tmp/loop; "
                 "mount /dev/loop0 /tmp/loop; cd /tmp/loop; "
                 "dd if=/dev/zero of=inner bs=1k count=100 2>/dev/null; losetup /dev/loop1 inner; "
                 "mkswap /dev/loop1 >/dev/null; swapon /dev/loop1; losetup /dev/loop2 inner",
                 check=True)
    lab.check_equal(b.machine.sh("losetup -a | wc -l; grep -c loop1 /proc/swaps; "
                                 "grep -c ^/dev/loop0 /proc/mounts").out, "3\n1\n1", "set-up")
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
    b.machine.sh("mkdir -p /tmp/c; mount -o bind / /tmp/c; mount -t devtmpfs d /tmp/c/dev; "
                 "mount -o bind /etc /root && mount -t tmpfs over /root", check=True)
    b.machine.sh("stubborn & stubborn & kill -STOP $!; chroot /tmp/c stubborn & "
                 "unshare -m sleep 1000 & unshare -p -f sleep 1000 & :")
    b.machine.sh("until [ $(ps -o args | grep -c '[/]stubborn') -ge 3 ] && "
                 "[ $(pidof sleep | wc -w) -ge 5 ]; do :; done", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def holder_of_loop(lab):
    """The kernel holds a file on a loop device's mount: it ends, with the mount named, not in a loop."""
    b = bench.on(lab, "jffs2-nand", filler="1M")
    b.machine.sh("cd /var; dd if=/dev/zero of=disk bs=1k count=512 2>/dev/null; "
                 "losetup /dev/loop0 disk; mke2fs /dev/loop0 >/dev/null; mkdir /var/m; "
                 "mount /dev/loop0 /var/m; echo x >/var/m/x; "
                 "echo /var/m/x >/sys/module/flashsim/parameters/hold", check=True)
    before = b.flash.read("rootfs", 4096)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect(r"cannot unmount /oldroot", timeout=40)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1)
    b.machine.kill()
    lab.check_equal(b.flash.read("rootfs", 4096), before, "the flash's first page")


_HIDING_INIT = """\
#!/bin/sh
# An initramfs that mounts the flash's partitions and covers them with an overlay.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t squashfs /dev/mtdblock0 /ro
/bin/busybox mount -t jffs2 mtd1 /rw
/bin/busybox mkdir -p /rw/up /rw/work
/bin/busybox mount -t overlay -o lowerdir=/ro,upperdir=/rw/up,workdir=/rw/work over /new
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new $NEXT
"""


_COVERED_AGAIN = """\
#!/bin/sh
mount -o rbind / /media
cd /media
mount --move . /
exec chroot . /sbin/init
"""


def _hidden_layers(lab, init):
    """An update of a root that is an overlay; a second mount upon it if init makes one."""
    flash = lab.flash(parts="12M(rootfs),4M(data)")
    files = {"etc/again": _COVERED_AGAIN, "media/empty": ""}
    flash.write("rootfs", lab.firmware(1, "squashfs-nand", flash, files=files))
    tree = lab.tree(0, files={"init": _HIDING_INIT})
    for folder in "ro", "rw", "new":
        (tree / folder).mkdir()
    new = lab.firmware(2, "squashfs-nand", flash)
    stick = lab.disk({"fw.fwi": bench.pack(lab, 2, {"rootfs": new})})
    machine = lab.uml(flash, initrd=lab.initramfs(tree), disks=[stick],
                      append=f"rdinit=/init NEXT={init}").up(1)
    before = flash.read("rootfs")
    machine.sh("mount /dev/ubda /mnt", check=True)
    result = machine.sh("flashinit update /mnt/fw.fwi")
    lab.check_equal(result.code, 4, "exit code")
    lab.check("is mounted on /ro below the root" in result.out, result.out)
    machine.kill()
    lab.check(flash.read("rootfs") == before, "the flash was changed")


@scenario()
def hidden_layers(lab):
    """An overlay whose layers on flash are hidden below the root: refused before anything changes."""
    _hidden_layers(lab, "/sbin/init")


@scenario()
def hidden_layers_deep(lab):
    """The same below two roots."""
    _hidden_layers(lab, "/etc/again")


@scenario()
def mounted_elsewhere(lab):
    """A target is mounted in a process's own mount namespace only: the process dies, it comes free."""
    data = b"data" * 5000
    b = bench.on(lab, "squashfs-nand", payloads={"data": data})
    b.machine.sh("unshare -m sh -c 'mount -t jffs2 mtd1 /tmp && echo x >/tmp/x && sync && "
                 "exec sleep 1000' & until pidof sleep; do :; done; ! grep jffs2 /proc/mounts",
                 check=True)
    b.machine.sh("flashinit check /mnt/fw.fwi", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "data", data)
