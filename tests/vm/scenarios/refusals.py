# SPDX-License-Identifier: GPL-2.0-or-later
"""What is refused, with which exit code, and that nothing whatever was changed by it."""

from labkit import bench, memory
from labkit.scenario import scenario

# Everything that an update could leave behind, as text to compare: mounts, the inittab, folders in
# which the RAM root might have been made, device nodes, processes, and what was done to the flash.
_STATE = """\
#!/bin/sh
cat /proc/self/mountinfo
md5sum /etc/inittab
ls / /tmp /run /mnt /var /dev
for process in /proc/[0-9]*; do
    read -r name <$process/comm && read -r line <$process/cmdline
    [ -z "$line" ] || [ $process = /proc/$$ ] || echo "$process $name"
done 2>/dev/null
cd /sys/module/flashsim/parameters && cat erases programs
"""
_FILES = {"bin/state": _STATE}


class Refusal:
    """A machine on which commands must fail without a trace."""

    def __init__(self, lab, machine):
        self._lab = lab
        self._machine = machine
        self._before = machine.sh("state", check=True).out

    def check(self, command, code, words):
        """The command ends with this code and one line on stderr that has these words in it."""
        result = self._machine.sh(f"{command} 2>/tmp/err >/dev/null")
        error = self._machine.sh("cat /tmp/err; rm /tmp/err").out
        self._lab.check_equal(result.code, code, f"exit code of {command}: {error!r}")
        self._lab.check(words in error, f"{command}: {words!r} is not in {error!r}")
        self._lab.check_equal(error.count("\n"), 0, f"{command}: lines beyond one: {error!r}")
        self._lab.check_equal(self._machine.sh("state").out, self._before,
                              f"the system after {command}")


@scenario()
def refuse_damaged_image(lab):
    """A damaged image, cut short, empty, a directory, not an image: exit code 3, nothing changed."""
    b = bench.on(lab, "squashfs-nand", filler="256k", files=_FILES)
    m = b.machine
    m.sh("cp /mnt/fw.fwi /tmp/ok; cd /tmp; size=$(stat -c %s ok)", check=True)
    for name, offset in ("preamble", 20), ("index", 60), ("chunk", 200000):
        m.sh(f"cp ok {name}; dd if=ok bs=1 skip={offset} count=1 2>/dev/null | tr '\\000-\\377' "
             f"'\\001-\\377\\000' | dd of={name} bs=1 seek={offset} conv=notrunc 2>/dev/null; "
             f"! cmp -s ok {name}", check=True)
    m.sh("head -c 5 ok >c5; head -c 100 ok >c100; head -c $((size-1)) ok >c1; : >empty; mkdir dir;"
         "cat ok /etc/version >long; head -c 4096 /dev/zero >zero", check=True)
    r = Refusal(lab, m)
    for name, words in (("preamble", "damaged: preamble checksum does not match"),
                        ("index", "damaged: index checksum does not match"),
                        ("chunk", "damaged: rootfs chunk"), ("c5", "cut short: ends at byte 5"),
                        ("c100", "cut short: ends at byte 100"), ("c1", "cut short"),
                        ("empty", "cut short: ends at byte 0"), ("dir", "is a directory"),
                        ("long", "goes on after byte"), ("zero", "not a firmware image"),
                        ("missing", "No such file or directory"),
                        ("/bin/busybox", "not a firmware image")):
        r.check(f"flashinit update {name}", 3, words)
    lab.check_equal(b.flash.read("rootfs")[:4], b"hsqs", "the old firmware's first bytes")
    m.send("flashinit update ok\n")
    m.up(2, timeout=40)


@scenario()
def refuse_flickering_image(lab):
    """An image that was whole when verified and is damaged when copied: exit code 3, all undone."""
    b = bench.on(lab, "jffs2-nand", files=_FILES)
    # On a file system of the host's, from which it has to be copied.
    b.machine.sh(f"mount -t hostfs -o {lab.folder} h /root", check=True)
    state = b.machine.sh("state", check=True).out
    # Its first word comes when the image has been verified; then the file changes.
    b.machine.sh(bench.standing("flashinit update /root/fw-2.fwi"), check=True)
    b.machine.sh("printf XYZ | dd of=/root/fw-2.fwi bs=1 seek=200000 conv=notrunc", check=True)
    lab.check_equal(b.machine.sh(bench.GO_ON).code, 3, "exit code")
    error = b.machine.sh("cat /tmp/standing; rm /tmp/*").out
    lab.check("was not the same when read again" in error, error)
    lab.check_equal(b.machine.sh("state").out, state, "the system afterwards")


@scenario()
def refuse_unfit_system(lab):
    """Too large, no such partition, write-protected, not root, not at home, called the wrong way."""
    big = b"\x5a" * (2 << 20) + b"x"
    stick = {"big.fwi": bench.pack(lab, "2-big", {"data": big}),
             "none.fwi": bench.pack(lab, "2-none", {"kernel": b"x"}),
             "ro.fwi": bench.pack(lab, "2-ro", {"locked": b"x"})}
    b = bench.on(lab, "squashfs-nand", filler="256k", stick=stick, files=_FILES,
                 parts="12M(rootfs),2M(locked)ro,2M(data)")
    r = Refusal(lab, b.machine)
    r.check("flashinit update /mnt/big.fwi", 4,
            "data: too small: the image needs 17 eraseblocks of 131072 bytes, 16 of 16 are good")
    r.check("flashinit update /mnt/none.fwi", 4, "no MTD partition is named kernel")
    r.check("flashinit update /mnt/ro.fwi", 4, "(locked) is write-protected")
    b.machine.sh("chmod 777 /tmp; adduser -D -H u 2>/dev/null; echo u:x:1000:1000::/:/bin/sh "
                 ">/tmp/pw; mount -o bind /tmp/pw /etc/passwd", check=True)
    r = Refusal(lab, b.machine)
    r.check("su u -c 'flashinit update /mnt/fw.fwi'", 4, "must be run as root")
    r.check("chroot / unshare -m flashinit update /mnt/fw.fwi", 4, "another mount namespace")
    r.check("flashinit update", 2, "needs a verb and an image")
    r.check("flashinit update --after never /mnt/fw.fwi", 2, "must be reboot, poweroff, halt,")
    r.check("flashinit fly /mnt/fw.fwi", 2, "there is no verb fly")
    lab.check_equal(b.machine.sh("flashinit check /mnt/fw.fwi").code, 0, "check on a fit system")
    r.check("flashinit check /mnt/none.fwi", 4, "no MTD partition is named kernel")


@scenario()
def refuse_little_memory(lab):
    """An image that does not fit into memory is refused with both figures, not by the OOM killer."""
    b = bench.on(lab, "squashfs-nand", filler="12M", files=_FILES, mem="34M")
    memory.take_too_much(b.machine, "-", "cat /mnt/fw.fwi | ")
    Refusal(lab, b.machine).check("cat /mnt/fw.fwi | flashinit update -", 4,
                                  "too little memory: needs 1")
    lab.check("Out of memory" not in b.machine.console, "the OOM killer came")


@scenario()
def refuse_other_init(lab):
    """PID 1 is not BusyBox, or BusyBox but not its init: exit code 4, nothing changed."""
    for init, words in (("/usr/bin/plaininit", "/usr/bin/plaininit, not BusyBox init"),
                        ("/bin/sh", "not as init")):
        flash = lab.flash()
        new = lab.firmware(1, "jffs2-nand", flash, files=_FILES)
        flash.write("rootfs", new)
        disk = lab.disk({"fw.fwi": bench.pack(lab, 2, {"rootfs": new})})
        m = lab.uml(flash, "jffs2", disks=[disk], append=f"init={init}")
        if init == "/bin/sh":
            m.expect("# ")
            m.sh("/etc/rc", check=True)
        else:
            m.expect("FIRMWARE 1 UP")
            m.expect("# ")
        m.sh("mount /dev/ubda /mnt", check=True)
        Refusal(lab, m).check("flashinit update /mnt/fw.fwi", 4, words)
        m.kill()


@scenario()
def refuse_second_update(lab):
    """Two updates at once: the second is refused with exit code 6; the first goes on."""
    b = bench.on(lab, "jffs2-nand", files=_FILES)
    m = b.machine
    m.sh(bench.standing("flashinit update --dry-run /mnt/fw.fwi"), check=True)
    Refusal(lab, m).check("flashinit update /mnt/fw.fwi", 6, "another update is running")
    m.sh(bench.GO_ON, check=True)
    lab.check("nothing was changed" in m.sh("tail -n 1 /tmp/out").out, "the first failed")
    m.send("flashinit update /mnt/fw.fwi\n")
    m.up(2, timeout=40)


@scenario()
def dry_run(lab):
    """--dry-run stages and undoes everything; so does an interruption; an update still works."""
    b = bench.on(lab, "jffs2-nand", files=_FILES)
    state = b.machine.sh("state", check=True).out
    for _ in range(3):
        b.machine.sh("flashinit update --dry-run /mnt/fw.fwi", check=True)
        lab.check_equal(b.machine.sh("state").out, state, "the system after a dry run")
    # From a pipe that does not come to its end.
    stop = ("mkfifo /tmp/p; sh -c 'cat /mnt/fw.fwi; exec sleep 3600' >/tmp/p & feed=$!; "
            "flashinit update /tmp/p >/tmp/log 2>&1 & pid=$!; "
            "until [ -e /run/flashinit.root/image.fwi ]; do :; done; kill $pid; wait $pid; code=$?; "
            "kill $feed; wait $feed; rm /tmp/p; (exit $code)")
    lab.check_equal(b.machine.sh(stop).code, 1, "exit code after an interruption")
    lab.check("interrupted" in b.machine.sh("cat /tmp/log; rm /tmp/log").out.lower(), "no word of it")
    lab.check_equal(b.machine.sh("state").out, state, "the system after an interruption")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.up(2, timeout=40)
