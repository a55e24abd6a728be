# SPDX-License-Identifier: GPL-2.0-or-later
"""Recovery: flashinit is /init of an initramfs, finds an image, and writes it."""

import os
from pathlib import Path

from labkit import bench, paths, rootfs, tools
from labkit.scenario import scenario
from scenarios import images

_LAYOUT = "jffs2-nand"
_PARTS = "10M(rootfs),-(spare)"
_JOURNAL = "10M(rootfs),256k(journal),-(spare)"


def initramfs(lab, config, files=None):
    """The path of an initramfs that is nothing but flashinit and its configuration."""
    tree = Path(lab.folder / "recovery-tree")
    for folder in ("dev", "etc", "proc", "sys"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
    rootfs.put(tree, "init", Path(paths.FLASHINIT))
    rootfs.put(tree, "etc/flashinit.conf", config)
    for name, content in (files or {}).items():
        rootfs.put(tree, name, content)
    return lab.initramfs(tree)


class Recovery:
    """Flash with firmware 1, of which half is gone, and a machine that recovers it."""

    def __init__(self, lab, parts=_PARTS, **geometry):
        self.lab = lab
        self.flash = lab.flash("nand", parts=parts, **geometry)
        self.old = lab.firmware(1, _LAYOUT, flash=self.flash)
        self.flash.write("rootfs", self.old)
        self.flash.erase_block(self.flash.good_blocks("rootfs")[0])

    def firmware(self, version, filler="1M", **words):
        """A partition image, and the firmware image that brings it."""
        new = self.lab.firmware(version, _LAYOUT, flash=self.flash, filler=filler)
        return new, Path(bench.pack(self.lab, version, {"rootfs": new}, **words))

    def start(self, config="", disks=(), files=None, mode="recover", **options):
        """Switch the machine on."""
        archive = initramfs(self.lab, f"mode = {mode}\nafter = poweroff\n{config}", files)
        return self.lab.uml(self.flash, initrd=archive, disks=disks, **options)

    def check(self, new, version):
        """It is off, flash is that firmware, and that boots; gives the machine."""
        self.lab.check_flash(self.flash, "rootfs", new)
        return self.lab.uml(self.flash, "jffs2").up(version)


@scenario(timeout=60)
def recover_from_stick(lab):
    """An image on a stick that is there from the start: found, written, and it boots."""
    r = Recovery(lab)
    new, image = r.firmware(2)
    m = r.start(disks=[lab.disk({"fw.fwi": image})])
    m.expect("looking for an image: file:[*].fwi")
    m.expect("found /media/ubda/fw.fwi: firmware 2")
    m.expect("written and proven")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


@scenario(timeout=60)
def recover_mends_all_targets(lab):
    """A target is blank that the image does not write: passed over, or it were written for ever."""
    flash = lab.flash("nand", parts="10M(rootfs),-(data)")
    old = lab.firmware(1, _LAYOUT, flash=flash)
    flash.write("rootfs", old)
    new = lab.firmware(2, _LAYOUT, flash=flash, filler="1M")
    part = bench.pack(lab, "2-part", {"rootfs": new})
    whole = bench.pack(lab, 2, {"rootfs": new, "data": b"data" * 1000})
    archive = initramfs(lab, "target = rootfs\ntarget = data\nafter = poweroff\n")
    m = lab.uml(flash, initrd=archive, disks=[lab.disk({"a.fwi": Path(part)})])
    m.expect("2-part does not write data, which is not whole")
    m.expect("no image that will do")
    lab.check_flash(flash, "rootfs", old)
    lab.mconsole(f"config ubd1r={lab.disk({'b.fwi': Path(whole)}).path}")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    lab.check_flash(flash, "rootfs", new)


@scenario(timeout=60)
def recover_from_late_stick(lab):
    """Nothing is there: it waits, says for what, and takes the stick that is plugged in."""
    r = Recovery(lab)
    new, image = r.firmware(2)
    stick = lab.disk({"fw.fwi": image})
    m = r.start()
    m.expect("no image that will do: waiting for a medium")
    lab.mconsole(f"config ubd1r={stick.path}")
    m.expect("found /media/ubdb/fw.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


@scenario(timeout=60)
def recover_from_partition(lab):
    """An image in an MTD partition, around bad eraseblocks, with rubbish behind it."""
    r = Recovery(lab, badblocks=[80, 82, 83, 90])
    new, image = r.firmware(2)
    r.flash.write("spare", image.read_bytes() + bytes(range(256)) * 100)
    m = r.start("source = mtd:spare\n")
    m.expect("looking for an image: mtd:spare")
    m.expect("found /dev/mtd1: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    m = r.check(new, 2)
    m.sh("flashinit verify /dev/mtd1", check=True)
    m.send("flashinit update --after poweroff /dev/mtd1\n")
    m.expect("the new firmware is written and proven")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")


@scenario(timeout=60)
def recover_passes_over_damaged(lab):
    """Two sticks: the newer image has a chunk that is damaged, so the older one is written."""
    r = Recovery(lab)
    new, image = r.firmware(2)
    _, newer = r.firmware(3)
    damaged = bytearray(newer.read_bytes())
    damaged[-1] ^= 1
    m = r.start(disks=[lab.disk({"fw.fwi": bytes(damaged)}), lab.disk({"fw.fwi": image})])
    m.expect("found /media/ubda/fw.fwi: firmware 3")
    m.expect("passed over: /media/ubda/fw.fwi: damaged: rootfs chunk ")
    m.expect("found /media/ubdb/fw.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    lab.check_equal(m.console.count("passed over: /media/ubda"), 1, "times that it was said")
    r.check(new, 2)


@scenario(timeout=60)
def recover_passes_over_rubbish(lab):
    """A device full of rubbish, one that is blank, and a file that is no image: a line for each."""
    r = Recovery(lab)
    new, image = r.firmware(2)
    rubbish, blank = lab.disk(size="1M"), lab.disk(size="1M")
    rubbish.path.write_bytes(os.urandom(1 << 20))
    m = r.start("source = file:update/fw-?.fwi\n", disks=[
        rubbish, blank, lab.disk({"update/fw-1.fwi": bytes(5000), "update/fw-10.fwi": image}),
        lab.disk({"fw-1.fwi": image}), lab.disk({"update/fw-2.fwi": image})])
    m.expect("found /media/ubde/update/fw-2.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    for line in ("ubda: holds no file system", "ubdb: holds no file system",
                 "/media/ubdc/update/fw-1.fwi: not a firmware image",
                 "ubdd: has no file that is looked for"):
        lab.check_equal(m.console.count(f"passed over: {line}"), 1, f"times of \"{line}\"")
    r.check(new, 2)


@scenario(timeout=60)
def recover_passes_over_other_board(lab):
    """An image for another board: passed over, and the right one taken, once it is plugged in."""
    r = Recovery(lab)
    new, image = r.firmware(2, board="thincan")
    _, other = r.firmware(3, board="teapot")
    m = r.start("board = thincan\n", disks=[lab.disk({"fw.fwi": other})])
    m.expect("passed over: /media/ubda/fw.fwi: the image is for board teapot, this is thincan")
    m.expect("no image that will do: waiting for a medium")
    lab.mconsole(f"config ubd1r={lab.disk({'fw.fwi': image}).path}")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


@scenario(timeout=60)
def recover_newest(lab):
    """The highest rollback number wins, and of its images the newest version, by its numbers."""
    r = Recovery(lab)
    made = {version: r.firmware(version, rollback_number=2)[1] for version in ("1.9", "1.8b")}
    new, made["1.10"] = r.firmware("1.10", rollback_number=2)
    _, made["7"] = r.firmware("7", rollback_number=1)
    _, made["8"] = r.firmware("8")
    m = r.start("rollback-number = 1\n", disks=[
        lab.disk({f"{version}.fwi": image}) for version, image in made.items()])
    m.expect("passed over: /media/ubde/8.fwi: the image has anti-rollback number 0")
    m.expect("found /media/ubdc/1.10.fwi: firmware 1.10")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, "1.10")


@scenario(timeout=60)
def recover_earlier_source(lab):
    """The same version in two places: the source wins that is named first."""
    r = Recovery(lab)
    new, image = r.firmware(2)
    r.flash.write("spare", image)
    m = r.start("source = file:*.fwi\nsource = mtd:spare\n", disks=[lab.disk({"a.fwi": image})])
    m.expect("found /media/ubda/a.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


@scenario(timeout=60)
def recover_not_onto_itself(lab):
    """An image in the very partition that it would be written to: passed over, nothing is erased."""
    r = Recovery(lab)
    _, image = r.firmware(2)
    r.flash.write("rootfs", image)
    before = r.flash.snapshot()
    m = r.start("source = mtd:rootfs\n")
    m.expect("passed over: /dev/mtd0: mtd0 .* in use: process .* has /dev/mtd0 open")
    m.expect("no image that will do: waiting for a medium")
    m.kill()
    lab.check(r.flash.snapshot() == before, "flash was changed")


@scenario(timeout=60)
def recover_proves_each_time(lab):
    """The guard's recovery finds an image that would overwrite the journal: refused, and plugged in anew, again."""
    r = Recovery(lab, parts=_JOURNAL)
    new, _ = r.firmware(2)
    payloads = {"rootfs": new, "journal": b"journal" * 1000}
    stick = lab.disk({"fw.fwi": Path(bench.pack(lab, 2, payloads))})
    before = r.flash.snapshot()
    m = r.start("journal = journal\ntarget = rootfs\n", mode="guard", disks=[stick])
    m.expect("passed over: /media/ubda/fw.fwi: .*journal")
    m.expect("no image that will do: waiting for a medium")
    lab.mconsole("remove ubd0")
    lab.mconsole(f"config ubd0r={stick.path}")
    m.expect("passed over: /media/ubda/fw.fwi: .*journal")
    m.kill()
    lab.check(r.flash.snapshot() == before, "flash was changed")


@scenario(timeout=60)
def recover_no_init(lab):
    """The guard has mounted the root, which has no init: it is let go of, and written."""
    r = Recovery(lab)
    r.flash.write("rootfs", lab.firmware(1, _LAYOUT, flash=r.flash,
                                         links={"sbin/init": "none", "bin/sh": "none"}))
    new, image = r.firmware(2)
    m = r.start(mode="guard", disks=[lab.disk({"fw.fwi": image})],
                append="root=mtd:rootfs rootfstype=jffs2 rw")
    m.expect("this system is not booted: the new root has no init")
    m.expect("written and proven")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


@scenario(timeout=60)
def recover_before_target(lab):
    """The image is there before the disk that it is for: it is taken when that appears."""
    disk, new = lab.disk(size="8M"), lab.folder / "new.img"
    new.write_bytes(os.urandom(1 << 20))
    stick = lab.disk({"fw.fwi": Path(bench.pack(lab, 2, {"ubdb": f"{new},kind=block"}))})
    m = lab.uml(initrd=initramfs(lab, "mode = recover\nafter = poweroff\n"), disks=[stick])
    m.expect("passed over: /media/ubda/fw.fwi: .*ubdb")
    m.expect("no image that will do: waiting for a medium")
    lab.mconsole(f"config ubd1={disk.path}")
    m.expect("written and proven")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    lab.check(disk.path.read_bytes().startswith(new.read_bytes()), "the disk has something else")


@scenario(timeout=60)
def recover_wants_signed(lab):
    """A key is installed: the newer image has no signature, and the one that the key has signed is taken."""
    r = Recovery(lab)
    signer = images.Signer(lab)
    key = signer.signify_key("a")
    new, image = r.firmware(2)
    _, unsigned = r.firmware(3)
    signed = Path(signer.signify(image, "a", "signed"))
    m = r.start(disks=[lab.disk({"a.fwi": unsigned}), lab.disk({"a.fwi": signed})],
                files={"etc/flashinit.keys/a.pub": Path(key)})
    m.expect("passed over: /media/ubda/a.fwi: .*signed")
    m.expect("found /media/ubdb/a.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


def _cut(lab):
    """Firmware 1, and the journal says that firmware 2 was begun, with the power cut in mid-flash."""
    r = Recovery(lab, parts=_JOURNAL)
    new, image = r.firmware(2)
    m = r.start("journal = journal\n", disks=[lab.disk({"fw.fwi": image})], faults={"cut": 50})
    lab.check_equal(m.wait_exit(30), 137, "exit code after the power cut")
    return r, new, image.read_bytes()


@scenario(timeout=60)
def recover_begun_image(lab):
    """An update was cut: an older image is passed over, and so is another one of that version."""
    r, new, image = _cut(lab)
    _, older = r.firmware("1.9")
    other = Path(bench.pack(lab, 2, {"rootfs": r.old}))
    m = r.start("journal = journal\n", mode="guard", disks=[
        lab.disk({"fw.fwi": older}), lab.disk({"fw.fwi": other})])
    m.expect("it must be the one that was begun, firmware 2")
    m.expect("no image that will do: waiting for a medium")
    for device in ("ubda", "ubdb"):
        lab.check(f"passed over: /media/{device}/fw.fwi: " in m.console, f"{device} has no line")
    lab.check("firmware 1.9 is neither the one that was begun" in m.console, "no reason was given")
    lab.mconsole(f"config ubd3r={lab.disk({'fw.fwi': image}).path}")
    m.expect("found /media/ubdd/fw.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    lab.check("written, 0 identical" not in m.console, "nothing of the first attempt was of use")
    r.check(new, 2)


@scenario(timeout=60)
def recover_newer_image(lab):
    """An update was cut, and the image that is there is a newer one: that replaces it."""
    r, _, _ = _cut(lab)
    new, image = r.firmware(10)
    m = r.start("journal = journal\n", mode="guard", disks=[lab.disk({"fw.fwi": image})])
    m.expect("found /media/ubda/fw.fwi: firmware 10")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 10)


@scenario(timeout=60)
def recover_bad_line(lab):
    """A line of the configuration makes no sense: the journal's still counts; if a limit's, nothing is taken."""
    r, new, image = _cut(lab)
    r.flash.write("rootfs", r.old)  # whose start looks whole
    root = {"append": "root=mtd:rootfs rootfstype=jffs2", "mode": "guard"}
    stick = lab.disk({"fw.fwi": image})
    m = r.start("rollback-number = x\njournal = journal\n", disks=[stick], **root)
    m.expect("update to version 2 was cut")
    m.expect("line 3: \"x\" is not a number")  # says the search, too
    m.kill()
    m = r.start("trys = 3\njournal = journal\n", disks=[stick], **root)
    m.expect("line 3: there is no key \"trys\"")
    m.expect("update to version 2 was cut")
    m.expect("found /media/ubda/fw.fwi: firmware 2")
    lab.check_equal(m.wait_exit(30), 0, "exit code after poweroff")
    r.check(new, 2)


_STICK = "if=none,format=raw,readonly=on,throttling.bps-read=500000"
_USB = {"xhci_pci": "", "usb-storage": "delay_use=0", "sd_mod": ""}


class Port:
    """A USB port of a QEMU machine, and sticks for it."""

    def __init__(self, lab, image):
        self.lab = lab
        self.path = lab.disk(size="8M").path
        self.number = 0
        folder = lab.folder / "stick"
        rootfs.put(folder, "fw.fwi", image)
        tools.run("mke2fs", "-q", "-t", "ext4", "-d", folder, self.path)

    def plug(self):
        """Plug the stick in."""
        self.number += 1
        stick = f"stick{self.number}"
        self.lab.monitor(f"drive_add 0 {_STICK},id={stick},file={self.path}")
        self.lab.monitor(f"device_add usb-storage,drive={stick},id={stick}")

    def pull(self):
        """Pull it."""
        self.lab.monitor(f"device_del stick{self.number}")


# What was read is forgotten at once: every byte comes from the stick, each time.
_FORGETFUL = """\
#!/bin/busybox sh
while :; do echo 1 >/proc/sys/vm/drop_caches; usleep 20000; done &
exec /sbin/flashinit
"""


@scenario(timeout=240)
def recover_from_pulled_stick(lab):
    """A stick that is pulled while it is verified, and again while it is written from, and comes back."""
    flash = lab.flash("nor", size="16M", parts="12M(rootfs),-(spare)")
    new = lab.firmware(2, "jffs2-nor", flash=flash, filler="2M")
    port = Port(lab, Path(bench.pack(lab, 2, {"rootfs": new})))
    m = lab.qemu(flash, root=None, init="/sbin/start", modules=_USB, devices=["qemu-xhci"], files={
        "sbin/start": _FORGETFUL, "sbin/flashinit": Path(paths.FLASHINIT),
        "etc/flashinit.conf": "mode = recover\nafter = poweroff\n"})
    m.expect("no image that will do: waiting for a medium", 60)
    port.plug()
    m.expect("found /media/sd./fw.fwi: firmware 2")
    m.expect(r"verifying .* [1-9][0-9]%")
    port.pull()
    m.expect("passed over: /media/sd./fw.fwi: cannot read at byte", 60)
    port.plug()
    m.expect("found /media/sd./fw.fwi: firmware 2", 60)
    m.expect(r"writing .* [1-9][0-9]%", 60)
    port.pull()
    m.expect("incomplete: DO NOT TURN OFF; looking for its image again", 60)
    port.plug()
    m.expect("written and proven", 90)
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(flash, "rootfs", new)
    lab.qemu(flash).up(2, 60)
