# SPDX-License-Identifier: GPL-2.0-or-later
"""The image's home: on a file system that stays it is not copied, on one that goes it is."""

import os
import re
import shutil

from labkit import bench, image, memory, paths, tools
from labkit.scenario import scenario

_STAYS = "the image stays where it is"
_COPIED = "verifying the copy"
_HELD_BACK = "/proc/sys/vm/watermark_boost_factor"


def _power_off(lab, b, path, words, before=""):
    """Update from the file at path, say those words, and leave the image in flash."""
    b.machine.send(f"{before}flashinit update --after poweroff {path}\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check(words in b.machine.console, f"{words!r} was not said")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def image_on_old_root(lab):
    """The image lies on the root that goes: copied to RAM, and gone with the old firmware."""
    b = bench.on(lab, "jffs2-nand")
    b.machine.sh("cp /mnt/fw.fwi /root/", check=True)
    _power_off(lab, b, "/root/fw.fwi", _COPIED)
    b.power_on(2)


@scenario()
def image_on_tmpfs(lab):
    """On a tmpfs it stays: where memory would not do for a copy, which is refused, that does."""
    b = bench.on(lab, "squashfs-nand", filler="9M", mem="46M")
    m = b.machine
    m.sh("mkdir /tmp/h; mount -t hostfs -o " + str(lab.folder) + " h /tmp/h", check=True)
    m.sh("mount -o remount,size=12M /run && cp /mnt/fw.fwi /run/ && umount /mnt", check=True)
    memory.take_too_much(m, "/tmp/h/fw-2.fwi")
    result = m.sh("flashinit check /tmp/h/fw-2.fwi")
    lab.check_equal(result.code, 4, f"exit code where it is copied: {result.out!r}")
    lab.check("too little memory: needs 1" in result.out, result.out)
    m.sh("umount /tmp/h", check=True)
    _power_off(lab, b, "/run/fw.fwi", f"{_STAYS} (tmpfs)")
    lab.check("Out of memory" not in m.console, "the OOM killer came")


def _check_clean_ext4(lab, path):
    """It was unmounted or made read-only: nothing to recover."""
    shown = tools.run("dumpe2fs", "-h", path)
    lab.check("needs_recovery" not in shown, "the journal has to be recovered")


@scenario()
def image_on_ext4(lab):
    """On a stick with ext4, mounted for writing: it stays, and a power cut finds it in order."""
    stick = lab.disk(size="12M")
    tools.run("mkfs.ext4", "-q", "-F", stick.path)
    b = bench.on(lab, "jffs2-nand", disks=[stick])
    b.machine.sh("mkdir /tmp/s; mount -t ext4 /dev/ubdb /tmp/s; cp /mnt/fw.fwi /tmp/s; sync; "
                 "echo keep >/tmp/s/note; umount /mnt", check=True)
    _power_off(lab, b, "/tmp/s/fw.fwi", f"{_STAYS} (ext4)")
    _check_clean_ext4(lab, stick.path)
    m = b.power_on(2)
    lab.check_equal(m.sh("mount -t ext4 /dev/ubdb /mnt && cat /mnt/note").out, "keep", "the stick")


@scenario()
def image_on_vfat(lab):
    """On a stick with vfat, below a folder with a blank in its name."""
    b = bench.on(lab, "squashfs-nand", disks=[lab.disk(size="12M")])
    b.machine.sh("mkdosfs /dev/ubdb; mkdir '/tmp/my stick'; mount -t vfat /dev/ubdb '/tmp/my stick'; "
                 "mkdir '/tmp/my stick/new fw'; cp /mnt/fw.fwi '/tmp/my stick/new fw'; umount /mnt",
                 check=True)
    _power_off(lab, b, "'/tmp/my stick/new fw/fw.fwi'", f"{_STAYS} (vfat)")
    m = b.power_on(2)
    m.sh("mount -t vfat /dev/ubdb /mnt", check=True)
    lab.check("not properly unmounted" not in m.sh("dmesg").out, "the stick is dirty")
    m.sh("flashinit verify '/mnt/new fw/fw.fwi'", check=True)


@scenario(timeout=90)
def image_on_other_flash(lab):
    """On the JFFS2 of another partition it stays; as soon as the image is for that, too, it does not."""
    parts = "8M(rootfs),8M(data)"
    twice = bench.pack(lab, "twice", {"data": b"z" * 5000})
    b = bench.on(lab, "jffs2-nand", parts=parts, stick={"data.fwi": twice})
    m = b.machine
    m.sh("mkdir /tmp/d; mount -t jffs2 mtd:data /tmp/d; cp /mnt/*.fwi /tmp/d; umount /mnt; sync",
         check=True)
    result = m.sh("flashinit update --dry-run /tmp/d/data.fwi", check=True)
    lab.check(_COPIED in result.out and _STAYS not in result.out, result.out)
    _power_off(lab, b, "/tmp/d/fw.fwi", f"{_STAYS} (jffs2)")
    m = b.power_on(2)
    m.sh("mount -t jffs2 mtd:data /mnt && flashinit verify /mnt/fw.fwi", check=True)


@scenario()
def image_on_ubifs(lab):
    """On UBIFS on other flash it stays."""
    b = bench.on(lab, "squashfs-nand", filler="1M", parts="6M(rootfs),10M(data)",
                 append="ubi.mtd=data")
    b.machine.kill()
    tree = lab.folder / "data"
    tree.mkdir()
    shutil.copy(lab.folder / "fw-2.fwi", tree / "fw.fwi")
    data = lab.folder / "data.ubi"
    image.pack(tree, data, "ubifs", image.DEFAULT_GEOMETRY["nand"])
    b.flash.write("data", data)
    b.power_on(1).sh("mount -t ubifs ubi0:rootfs /mnt", check=True)
    _power_off(lab, b, "/mnt/fw.fwi", f"{_STAYS} (ubifs)")


@scenario()
def image_on_the_host(lab):
    """On a file system that somebody else serves (here: the host): copied."""
    b = bench.on(lab, "squashfs-nand")
    m = b.machine
    m.sh(f"mkdir /tmp/h; mount -t hostfs -o {lab.folder} h /tmp/h", check=True)
    _power_off(lab, b, "/tmp/h/fw-2.fwi", _COPIED)
    b.power_on(2)


@scenario(timeout=90)
def image_from_pipe(lab):
    """From a pipe: copied to RAM; damaged, cut short, too long or interrupted: undone."""
    b = bench.on(lab, "squashfs-nand")
    m = b.machine
    state = "cat /proc/self/mountinfo; ls / /tmp /run"
    before = m.sh(state).out
    m.sh("(cat /mnt/fw.fwi; echo x) >/run/long; head -c 2000000 /mnt/fw.fwi >/run/cut; "
         "(cat /run/cut; echo X; tail -c +2000003 /mnt/fw.fwi) >/run/bad", check=True)
    result = m.sh("(cat /mnt/fw.fwi; head -c 2000000 /dev/zero) | flashinit update -")
    lab.check_equal(result.code, 3, f"exit code of one that is much too long: {result.out!r}")
    for name, words in (("long", "goes on after byte"), ("cut", "cut short"),
                        ("bad", "damaged: rootfs chunk")):
        result = m.sh(f"cat /run/{name} | flashinit update -")
        lab.check_equal(result.code, 3, f"exit code of {name}: {result.out!r}")
        lab.check(words in result.out, result.out)
    m.sh("mv /run/cut /tmp/; rm /run/long /run/bad; mkfifo /tmp/p", check=True)
    result = m.sh("sh -c 'cat /tmp/cut; exec sleep 3600' >/tmp/p & flashinit update /tmp/p "
                  "2>/run/log & pid=$!; until [ -e /run/flashinit.root/image.fwi ]; do :; done; "
                  "kill $pid; wait $pid; code=$?; kill %1; cat /run/log; rm /run/log; (exit $code)")
    lab.check_equal(result.code, 1, f"exit code after an interruption: {result.out!r}")
    lab.check("interrupted" in result.out, result.out)
    m.sh("rm /tmp/*", check=True)
    lab.check_equal(m.sh(state).out, before, "the system afterwards")
    _power_off(lab, b, "-", _COPIED, before="cat /mnt/fw.fwi | ")
    b.power_on(2)


@scenario(timeout=90)
def image_replaced(lab):
    """Replaced or damaged after all checks, while init shuts down: nothing is erased, 1 boots."""
    for change, words in (("cat /oldroot/mnt/other.fwi", "it is another image now"),
                          ("cat /oldroot/tmp/bent", "is not what it was when it was checked"),
                          ("head -c 4000000 /oldroot/mnt/fw.fwi", "cut short")):
        other = bench.pack(lab, "other", {"rootfs": bytes(range(256)) * 700})
        b = bench.on(lab, "squashfs-nand", stick={"other.fwi": other})
        before = b.flash.read("rootfs")
        m = b.machine
        m.sh("cp /mnt/fw.fwi /tmp/fw; cp /tmp/fw /tmp/bent; "
             "echo BENT | dd of=/tmp/bent bs=1 seek=3000000 conv=notrunc", check=True)
        # What it runs is found where the old root is put.
        m.sh(f"(until [ -e /oldroot/mnt/fw.fwi ]; do :; done; exec /oldroot/bin/busybox {change} "
             ">/oldroot/tmp/fw) &", check=True)
        m.send("flashinit update /tmp/fw\n")
        m.expect(words)
        m.expect("nothing was erased: going back to the old firmware")
        m.up(1)
        m.kill()
        lab.check(b.flash.read("rootfs") == before, "the flash was changed")


@scenario(timeout=240)
def image_dies_and_another_comes(lab):
    """The stick gives rubbish behind the first erase; a newer image on the next one is written, seals or not."""
    b = bench.on(lab, "squashfs-nand", filler="36M", mem="44M", size="64M", parts="-(rootfs)",
                 faults={"erasetime": 20})
    other = lab.firmware(3, "squashfs-nand", filler="36M")
    stick = lab.disk({"fw.fwi": bench.pack(lab, 3, {"rootfs": other})})
    chunks = [int(re.search("([0-9]+) chunks", tools.run(paths.FLASHINIT, "info", path))[1])
              for path in (lab.folder / "fw-2.fwi", lab.folder / "fw-3.fwi")]
    lab.check_equal(chunks[0], chunks[1], "chunks of the two images")
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect(r"writing .* [1-4][0-9]%", 60)
    os.truncate(b.stick.path, 0)  # what is read behind its end is zeros
    b.machine.expect("incomplete: DO NOT TURN OFF; looking for its image again", 60)
    lab.mconsole(f"config ubd1r={stick.path}")
    b.machine.expect("/media/ubdb/fw.fwi: whole", 60)
    b.machine.expect("the new firmware is written and proven", 60)
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", other)
    b.power_on(3)


@scenario(timeout=240)
def little_memory_will_do(lab):
    """With hardly more than the least memory that is admitted it goes all the way."""
    b = bench.on(lab, "squashfs-nand", filler="5M", mem="38M")
    m = b.machine
    m.sh("umount /mnt; "
         f"mount -t hostfs -o {lab.folder} h /mnt", check=True)
    figures = memory.take_most(m, "/mnt/fw-2.fwi")
    lab.check(figures["ok"] and figures["available"] - figures["needed"] < 1 << 20, figures)
    m.send("flashinit update --after poweroff /mnt/fw-2.fwi\n")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    lab.check("Out of memory" not in m.console, "the OOM killer came")


@scenario(timeout=240)
def little_memory_takes_a_stream(lab):
    """The same from a pipe, and no memory that was counted is held back by the kernel meanwhile."""
    b = bench.on(lab, "squashfs-nand", filler="12M", mem="52M")
    m, cat = b.machine, "cat /mnt/fw.fwi | "
    held_back = m.sh(f"cat {_HELD_BACK}", check=True).out
    lab.check(int(held_back) > 0, f"this kernel holds back nothing: {held_back}")
    m.sh(f"{cat}flashinit update --dry-run -", check=True)
    lab.check_equal(m.sh(f"cat {_HELD_BACK}").out, held_back, "the setting after a dry run")
    # What fills a tmpfs can be moved, like the copy; neighbours of another kind make pieces.
    m.sh(f"mount -o remount,size=100% /run; echo 0 >{_HELD_BACK}", check=True)
    figures = memory.take_most(m, "-", cat, memory.take_movable, slack=300 << 10)
    lab.check(figures["ok"] and figures["available"] - figures["needed"] < 1 << 20, figures)
    m.sh(f"echo {held_back} >{_HELD_BACK}", check=True)
    _power_off(lab, b, "-", _COPIED, before=cat)
    lab.check("Out of memory" not in m.console, "the OOM killer came")
