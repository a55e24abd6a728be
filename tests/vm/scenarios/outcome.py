# SPDX-License-Identifier: GPL-2.0-or-later
"""The outcome survives: in a file, in pstore, in the kernel's log; `flashinit status` tells it."""

import functools
import json
import re

from labkit import bench, image, tools
from labkit.scenario import scenario

_PARTS = "10M(rootfs),-(data)"
_MOUNT_DATA = "mkdir -p /tmp/d && mount -t jffs2 mtd:data /tmp/d"
_LINE = re.compile(r"^flashinit: outcome (\d) (\S+) \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (.*)$", re.MULTILINE)


def _status(lab, machine, state, code, options="--outcome /tmp/d/outcome"):
    """What status tells, checked for state and code, as an event and as a line."""
    result = machine.sh(f"flashinit status --json {options}")
    lab.check_equal(result.code, code, f"exit code of status: {result.out}")
    event = json.loads(result.out.splitlines()[-1])
    lab.check_equal((event["event"], event["state"], event["code"]), ("outcome", state, code),
                    "the outcome")
    line = machine.sh(f"flashinit status {options}").out
    lab.check(line.startswith(f"flashinit: {state} at {event['time']}: {event['message']} (exit code"),
              line)
    return event


def _lines(machine, file="/tmp/d/outcome"):
    """The lines of the file: (code, state, text)."""
    return _LINE.findall(machine.sh(f"cat {file}", check=True).out.replace("\r", ""))


@scenario()
def outcome_on_jffs2(lab):
    """In a file on another partition's JFFS2: each turn, in order; done; said beforehand where."""
    b = bench.on(lab, "jffs2-nand", parts=_PARTS)
    b.machine.sh(f"{_MOUNT_DATA}; echo before >/tmp/d/outcome", check=True)
    now = int(b.machine.sh("date +%s").out)
    b.machine.send("flashinit update --after poweroff --outcome /tmp/d/outcome /mnt/fw.fwi\n")
    b.machine.expect('afterwards "flashinit status --outcome /tmp/d/outcome" tells how it ended')
    b.machine.expect("handing over to init")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    m = b.power_on(2)
    m.sh(_MOUNT_DATA, check=True)
    event = _status(lab, m, "done", 0)
    lab.check_equal(event["message"], "firmware 2: written and proven", "message")
    lab.check_equal(event["where"], "/tmp/d/outcome", "where it was found")
    told = int(m.sh(f"date -u -D %Y-%m-%dT%TZ -d {event['time']} +%s").out)
    lab.check(now <= told < now + 60, f"{event['time']} is {told}, it was begun at {now}")
    lab.check_equal([(code, state) for code, state, _ in _lines(m)],
                    [("1", "handing-over"), ("1", "taken-over"), ("1", "cleared"), ("5", "begun"),
                     ("0", "done")], "turns")
    lab.check(m.sh("cat /tmp/d/outcome").out.startswith("before"), "what was in the file is gone")


@scenario()
def outcome_on_stick(lab):
    """In a file on the stick that the image comes from, by the configuration; the stick stays clean."""
    stick = lab.disk(size="12M")
    tools.run("mkfs.ext4", "-q", "-F", stick.path)
    conf = {"etc/flashinit.conf": "outcome = /tmp/d/outcome\n"}
    b = bench.on(lab, "squashfs-nand", disks=[stick], files=conf)
    mount = "mkdir -p /tmp/d; mount -t ext4 /dev/ubdb /tmp/d"
    b.machine.sh(f"{mount} && cp /mnt/fw.fwi /tmp/d; umount /mnt", check=True)
    b.machine.send("flashinit update --after poweroff /tmp/d/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    shown = tools.run("dumpe2fs", "-h", stick.path)
    lab.check("needs_recovery" not in shown, "the stick's journal has to be recovered")
    m = b.power_on(2)
    m.sh(mount, check=True)
    _status(lab, m, "done", 0, options="")


@scenario()
def outcome_on_ubifs(lab):
    """In a file on UBIFS, on flash that is not written: it stays attached, and can be mounted again."""
    b = bench.on(lab, "squashfs-nand", filler="1M", parts="6M(rootfs),10M(data)",
                 append="ubi.mtd=data")
    b.machine.kill()
    tree = lab.folder / "data"
    tree.mkdir()
    (tree / "note").write_text("keep\n")
    data = lab.folder / "data.ubi"
    image.pack(tree, data, "ubifs", image.DEFAULT_GEOMETRY["nand"])
    b.flash.write("data", data)
    mount = "mkdir -p /tmp/d && mount -t ubifs ubi0:rootfs /tmp/d"
    m = b.power_on(1)
    b.mount_stick()
    m.sh(mount, check=True)
    m.send("flashinit update --after poweroff --outcome /tmp/d/outcome /mnt/fw.fwi\n")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    m = b.power_on(2)
    m.sh(mount, check=True)
    _status(lab, m, "done", 0)


@scenario()
def outcome_given_up(lab):
    """The kernel holds a file of the old root: given up, with the reason; nothing was erased."""
    b = bench.on(lab, "jffs2-nand", parts=_PARTS)
    before = b.flash.bytes("rootfs")
    b.machine.sh(f"{_MOUNT_DATA}; echo /etc/version >/sys/module/flashsim/parameters/hold",
                 check=True)
    b.machine.send("flashinit update --outcome /tmp/d/outcome /mnt/fw.fwi\n")
    m = b.machine.up(1, timeout=60)
    m.sh(_MOUNT_DATA, check=True)
    event = _status(lab, m, "gave-up", 6)
    lab.check("cannot unmount /oldroot" in event["message"], event)
    lab.check("; no process, swap area or loop device holds anything: the kernel itself does"
              in event["message"], event)
    lab.check_equal([state for _, state, _ in _lines(m)],
                    ["handing-over", "taken-over", "gave-up"], "turns")
    m.kill()
    lab.check(b.flash.bytes("rootfs") == before, "flash was changed")


@scenario(timeout=120)
def outcome_names_holder(lab):
    """A process that nothing ends holds the old root: the outcome has its name, and what it holds."""
    b = bench.on(lab, "squashfs-nand", parts=_PARTS)
    b.machine.sh(f"{_MOUNT_DATA}; mke2fs /dev/ram0 >/dev/null && straggler frozen", check=True)
    b.machine.send("flashinit update --outcome /tmp/d/outcome /mnt/fw.fwi\n")
    m = b.machine.up(1, timeout=90)
    m.sh(_MOUNT_DATA, check=True)
    message = _status(lab, m, "gave-up", 6)["message"]
    lab.check(re.search(r"cannot unmount /oldroot.*; process \d+ \(straggler\) holds /oldroot/", message),
              message)


@scenario()
def outcome_cut(lab):
    """Power goes in mid-flash: the outcome says that it was begun, and no more, with exit code 5."""
    b = bench.on(lab, "squashfs-nand", parts=_PARTS)
    b.machine.sh(f"{_MOUNT_DATA} && echo >/tmp/d/outcome && sync", check=True)
    # JFFS2 erases blank flash in its own time. Once it has, only the outcome's lines come in between.
    b.machine.sh("cd /sys/module/flashsim/parameters; "
                 f"while [ $(cat erases) -lt {len(b.flash.good_blocks('data'))} ]; do usleep 50000; done; "
                 "echo $(($(cat erases) + $(cat programs) + 60)) >cut", check=True)
    b.machine.send("flashinit update --outcome /tmp/d/outcome /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
    lab.check_equal(b.flash.read("rootfs", 4), b"\xff" * 4, "the start of rootfs")
    b.flash.write("rootfs", b.new)
    m = b.restart(2)
    m.sh(_MOUNT_DATA, check=True)
    event = _status(lab, m, "begun", 5)
    lab.check_equal(event["message"], "firmware 2: erasing and writing", "message")


@scenario()
def outcome_retrying(lab):
    """Flash that fails: each attempt that did is noted, and why; cut then, that is the outcome."""
    b = bench.on(lab, "jffs2-nor", faults={"erasefail": list(range(9, 20))})
    b.machine.sh(_MOUNT_DATA, check=True)
    b.machine.send("flashinit update --outcome /tmp/d/outcome /mnt/fw.fwi\n")
    b.machine.expect("DO NOT TURN OFF; trying again in 2 s", timeout=40)
    b.machine.kill()
    b.flash.write("rootfs", b.new)
    m = b.restart(2)
    m.sh(_MOUNT_DATA, check=True)
    event = _status(lab, m, "retrying", 5)
    lab.check("rootfs: cannot erase eraseblock" in event["message"], event)
    lab.check_equal([state for _, state, _ in _lines(m)],
                    ["handing-over", "taken-over", "cleared", "begun", "retrying", "retrying"], "turns")


@scenario()
def outcome_refused(lab):
    """A file where the outcome would be lost: refused beforehand with exit code 4, and named by check."""
    stick = {"data.fwi": bench.pack(lab, "data", {"data": b"z" * 5000})}
    b = bench.on(lab, "jffs2-nand", parts=_PARTS, stick=stick)
    m = b.machine
    m.sh(f"{_MOUNT_DATA} && mkdir /root/o /tmp/l && dd if=/dev/zero of=/tmp/loop bs=1k count=300 "
         "2>/dev/null && mkdosfs /tmp/loop && mount -o loop -t vfat /tmp/loop /tmp/l",
         check=True)
    for file, name, words in (
            ("/root/o/outcome", "fw", "would be lost there"), ("/tmp/x", "fw", "would be lost there"),
            ("/tmp/d/x", "data", "would be lost there"), ("/tmp/l/x", "fw", "would be lost there"),
            ("/mnt/x", "fw", "/mnt: cannot be written"), ("/none/x", "fw", "/none: No such file"),
            ("/tmp/d", "fw", "goes into a file"), ("/dev/null", "fw", "goes into a file")):
        result = m.sh(f"flashinit update --outcome {file} /mnt/{name}.fwi")
        lab.check_equal(result.code, 4, f"exit code with {file}: {result.out}")
        lab.check(words in result.out, f"{words!r} is not in {result.out!r}")
        lab.check("nothing" in m.sh(f"[ -f {file} ] || echo nothing").out, f"{file} was made")
    result = m.sh("flashinit check --outcome /root/o/outcome /mnt/fw.fwi")
    lab.check_equal(result.code, 4, "exit code of check")
    lab.check("memory: needs" in result.out, "check stopped there")
    result = m.sh("cd /tmp/d; flashinit update --outcome x /mnt/fw.fwi")
    lab.check_equal(result.code, 2, f"exit code with a relative path: {result.out}")
    out = m.sh("flashinit update --dry-run --outcome /tmp/d/x /mnt/fw.fwi && ls /tmp/d", check=True).out
    lab.check(out.endswith("nothing was changed"), f"the file stayed: {out}")
    out = m.sh("flashinit check --outcome /tmp/d/x /mnt/fw.fwi", check=True).out
    lab.check("outcome: is told in /tmp/d/x (jffs2), too" in out, out)
    result = m.sh("flashinit status --outcome /tmp/d/x")
    lab.check_equal(result.code, 1, "exit code without any outcome")
    lab.check("no outcome of an update is in /tmp/d/x, /sys/fs/pstore and the kernel's log"
              in result.out, result.out)


@scenario()
def outcome_in_kernel_log(lab):
    """The new firmware is booted without a reboot: the kernel's log still has the outcome."""
    b = bench.on(lab, "squashfs-nand")
    b.machine.send("flashinit update --after boot /mnt/fw.fwi\n")
    m = b.machine.up(2, timeout=40)
    event = _status(lab, m, "done", 0, options="")
    lab.check_equal(event["where"], "the kernel's log", "where it was found")


@scenario()
def outcome_after_boot(lab):
    """A file, and a boot without a reboot: the file's system is free to be mounted for writing again."""
    b = bench.on(lab, "squashfs-nand", parts=_PARTS)
    b.machine.sh(f"{_MOUNT_DATA} && cp /mnt/fw.fwi /tmp/d && umount /mnt", check=True)
    b.machine.send("flashinit update --after boot --outcome /tmp/d/outcome /tmp/d/fw.fwi\n")
    m = b.machine.up(2, timeout=40)
    m.sh(f"{_MOUNT_DATA} && touch /tmp/d/new", check=True)
    _status(lab, m, "done", 0)


@scenario()
def outcome_in_pmsg(lab):
    """What stands in for /dev/pmsg0 gets each turn; beforehand it is said that pstore will tell."""
    b = bench.on(lab, "squashfs-nand")
    b.machine.sh("touch /dev/pmsg0", check=True)
    b.machine.send("flashinit update --after boot /mnt/fw.fwi\n")
    b.machine.expect('afterwards "flashinit status" tells how it ended, by pstore')
    m = b.machine.up(2, timeout=40)
    lab.check_equal([(code, state) for code, state, _ in _lines(m, "/dev/pmsg0")],
                    [("1", "handing-over"), ("1", "taken-over"), ("1", "cleared"), ("5", "begun"),
                     ("0", "done")], "turns")


@scenario(timeout=180)
def outcome_qemu_pstore(lab):
    """QEMU with Debian's kernel and ramoops: the outcome is in pstore after the reboot."""
    b = bench.on(lab, "squashfs-nor", functools.partial(lab.qemu, ramoops=True))
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    m = b.machine.up(2, timeout=60)
    mounted = m.sh("cat /proc/mounts").out
    event = _status(lab, m, "done", 0, options="")
    lab.check_equal(event["where"], "/sys/fs/pstore", "where it was found")
    lab.check_equal(m.sh("cat /proc/mounts").out, mounted, "the mounts")
