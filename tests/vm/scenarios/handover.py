# SPDX-License-Identifier: GPL-2.0-or-later
"""The hand-over: where it cannot work it is refused or undone, and the system is as before."""

from labkit import bench
from labkit.scenario import scenario

_STATE = "cat /proc/self/mountinfo; ls / /tmp /run; cat /etc/inittab"


@scenario()
def umask_does_not_matter(lab):
    """The caller's umask takes all rights away: the staged flashinit can be run all the same."""
    b = bench.on(lab, "squashfs-nand")
    b.machine.sh("umask 777")
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def init_is_busy(lab):
    """Init waits for an action and rereads nothing: pivoted back, exit code 4; so with a ^C or TERM."""
    inittab = ("::sysinit:/etc/rc\n::wait:/bin/sh /etc/busy\n::respawn:-/bin/sh\n"
               "::restart:/sbin/init\n")
    busy = "cd /; exec sh -i </dev/console >/dev/console 2>&1\n"
    b = bench.on(lab, "squashfs-nand", inittab=inittab,
                 files={"etc/busy": busy}, prompt=False)
    m = b.machine
    m.expect("/ # ")
    m.sh("mount /dev/ubda /mnt", check=True)
    before = m.sh(_STATE).out
    result = m.sh("flashinit update /mnt/fw.fwi", timeout=40)
    lab.check_equal(result.code, 4, "exit code")
    lab.check("init has not reread its inittab within 10 s" in result.out, result.out)
    lab.check_equal(m.sh(_STATE).out, before, "the system afterwards")
    for signal in "INT", "TERM", "QUIT":
        result = m.sh(f"flashinit update /mnt/fw.fwi >/tmp/out 2>&1 & pid=$!; "
                      f"until grep -q oldroot /proc/mounts; do :; done; kill -{signal} $pid; "
                      "kill -USR1 $pid; kill -TSTP $pid; wait $pid; code=$?; cat /tmp/out; "
                      "rm /tmp/out; (exit $code)")
        lab.check_equal(result.code, 1, f"exit code after {signal}")
        lab.check("interrupted" in result.out, result.out)
        lab.check_equal(m.sh(_STATE).out, before, f"the system after {signal}")
    m.send("exit\n")
    m.expect("firmware 1# ")
    m.send("flashinit update /mnt/fw.fwi\n")
    m.expect("this is PID 1 now", timeout=40)
    m.expect("/ # ", timeout=40)
    lab.check_equal(m.sh("cat /etc/version").out, "2", "/etc/version")


@scenario()
def pid_namespace(lab):
    """First process of a PID namespace is not PID 1: the command line counts, nothing is touched."""
    b = bench.on(lab, "squashfs-nand")
    before = b.machine.sh(_STATE).out
    result = b.machine.sh("unshare -p -f flashinit --version", check=True)
    lab.check(result.out.startswith("flashinit "), result.out)
    lab.check_equal(b.machine.sh(_STATE).out, before, "the system afterwards")


@scenario()
def symlinked_place(lab):
    """The folder for the RAM root is reached through an absolute symbolic link."""
    rc = ("#!/bin/sh\nmount -t proc proc /proc\nmount -t sysfs sysfs /sys\nmount -t tmpfs t /var\n"
          'mkdir /var/run /var/tmp\necho "FIRMWARE $(cat /etc/version) UP"\n')
    b = bench.on(lab, "squashfs-nand", files={"etc/rc": rc}, links={"run": "/var/run",
                                                                    "tmp": "/var/tmp"})
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("staged in RAM: /var/run/flashinit.root")
    b.machine.up(2, timeout=40)


@scenario()
def stick_in_the_way(lab):
    """The RAM root has to go over the very folder that the image is in: it can be read all the same."""
    rc = ("#!/bin/sh\nmount -t proc proc /proc\nmount -t sysfs sysfs /sys\n"
          "mount -t sysfs sysfs /run\nmount -t sysfs sysfs /tmp\n"
          'echo "FIRMWARE $(cat /etc/version) UP"\n')
    b = bench.on(lab, "squashfs-nand", files={"etc/rc": rc})
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("staged in RAM: /mnt")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def overlapping_partitions(lab):
    """Flash that has two names: in the image under both: refused; UBI on the other one: detached."""
    parts = "12M(rootfs),2M(data),4M@12M(both)"
    twice = bench.pack(lab, "twice", {"data": b"x" * 5000, "both": b"y" * 5000})
    one = bench.pack(lab, "one", {"both": b"y" * 5000})
    b = bench.on(lab, "squashfs-nand", parts=parts, stick={"twice.fwi": twice, "one.fwi": one},
                 append="ubi.mtd=data")
    result = b.machine.sh("flashinit update /mnt/twice.fwi")
    lab.check_equal(result.code, 4, "exit code")
    lab.check("data and both, which share some flash" in result.out, result.out)
    b.machine.sh("grep -x 1 /sys/class/ubi/ubi0/mtd_num", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/one.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "both", b"y" * 5000)
