# SPDX-License-Identifier: GPL-2.0-or-later
"""The laboratory proves itself: every layout boots, and the simulated flash is what it claims."""

import hashlib

from labkit import image, workbench
from labkit.scenario import scenario

WRITABLE = ("jffs2", "ubifs")


def _boot(lab, start, layout, flash=None):
    """Boot a layout, look around, write a file if the root can keep it, and boot again."""
    file_system, kind = image.split_layout(layout)
    flash = flash or lab.flash(kind)
    flash.write("rootfs", lab.firmware(1, layout, flash))
    machine = start(flash, file_system).up(1)
    lab.check_equal(machine.sh("cat /etc/version").out, "1", "/etc/version")
    if file_system in WRITABLE:
        machine.sh("echo kept >/var/note && sync", check=True)
    machine.send("reboot\n")
    machine.up(1)
    if file_system in WRITABLE:
        lab.check_equal(machine.sh("cat /var/note").out, "kept", "the file written before")
    machine.send("poweroff\n")
    lab.check_equal(machine.wait_exit(), 0, "exit code after poweroff")


@scenario()
def boot_jffs2_nand(lab):
    """JFFS2 root on NAND."""
    _boot(lab, lab.uml, "jffs2-nand")


@scenario()
def boot_jffs2_nand_badblocks(lab):
    """JFFS2 root on NAND with bad blocks in the midst of it."""
    _boot(lab, lab.uml, "jffs2-nand", lab.flash(badblocks=[1, 3, 4, 60]))


@scenario()
def boot_squashfs_nand(lab):
    """SquashFS root on NAND through mtdblock."""
    _boot(lab, lab.uml, "squashfs-nand")


@scenario()
def boot_cramfs_nand(lab):
    """CRAMFS root on NAND through mtdblock."""
    _boot(lab, lab.uml, "cramfs-nand")


@scenario()
def boot_ubifs_nand(lab):
    """UBIFS root on NAND."""
    _boot(lab, lab.uml, "ubifs-nand")


@scenario()
def boot_ubiblock_nand(lab):
    """SquashFS root in a static UBI volume on NAND, through ubiblock."""
    _boot(lab, lab.uml, "ubiblock-nand", lab.flash(badblocks=[2]))


@scenario()
def boot_jffs2_nor(lab):
    """JFFS2 root on NOR."""
    _boot(lab, lab.uml, "jffs2-nor")


@scenario()
def boot_squashfs_nor(lab):
    """SquashFS root on NOR through mtdblock."""
    _boot(lab, lab.uml, "squashfs-nor")


@scenario()
def boot_cramfs_nor(lab):
    """CRAMFS root on NOR, read in place."""
    _boot(lab, lab.uml, "cramfs-nor")


@scenario()
def boot_ubifs_nor(lab):
    """UBIFS root on NOR."""
    _boot(lab, lab.uml, "ubifs-nor")


@scenario(timeout=120)
def boot_qemu_jffs2(lab):
    """QEMU with Debian's kernel, JFFS2 root on phram."""
    _boot(lab, lab.qemu, "jffs2-nor")


@scenario(timeout=120)
def qemu_flash_is_the_file(lab):
    """QEMU: both partitions are there, the guest sees the file's bytes, the file the guest's."""
    flash = lab.flash("nor")
    flash.write("rootfs", lab.firmware(1, "squashfs-nor"))
    content = bytes(range(256)) * (flash.partition("data").size // 256)
    flash.write("data", content)
    machine = lab.qemu(flash, "squashfs", disks=[lab.disk({"greeting": "hello\n"})]).up(1)
    guest_sum = machine.sh("sha256sum </dev/mtd1", check=True).out.split()[0]
    lab.check_equal(guest_sum, hashlib.sha256(content).hexdigest(), "checksum of data")
    lab.check_flash(flash, "data", content)
    machine.sh("mtdraw erase /dev/mtd1 1 31", check=True)
    lab.check_flash(flash, "data", content[:flash.eraseblock])
    lab.check_equal(machine.sh("mount /dev/vda /mnt && cat /mnt/greeting").out, "hello", "disk")


@scenario(timeout=120)
def boot_qemu_squashfs(lab):
    """QEMU with Debian's kernel, SquashFS root on phram."""
    _boot(lab, lab.qemu, "squashfs-nor")


@scenario()
def lab_disk(lab):
    """A disk with files for the guest, and a blank one that keeps what is written."""
    flash = lab.flash()
    flash.write("rootfs", lab.firmware(1, "jffs2-nand"))
    blank = lab.disk(size="4M")
    disks = [lab.disk({"greeting": "hello\n"}), blank]
    machine = lab.uml(flash, "jffs2", disks=disks).up(1)
    lab.check_equal(machine.sh("mount /dev/ubda /mnt && cat /mnt/greeting").out, "hello", "file")
    machine.sh("echo mark | dd of=/dev/ubdb conv=fsync", check=True)
    machine.kill()
    lab.check_equal(blank.path.read_bytes()[:5], b"mark\n", "blank disk")


@scenario()
def lab_initramfs(lab):
    """A machine without flash that runs from an initial RAM file system."""
    script = "#!/bin/sh\n/etc/rc\nexec setsid cttyhack sh -l\n"
    machine = lab.uml(initrd=lab.initramfs(lab.tree(3, files={"init": script}))).up(3)
    lab.check_equal(machine.sh("cat /proc/1/comm").out, "sh", "PID 1")


@scenario()
def lab_images(lab):
    """Firmware is reproducible, and check_flash sees every byte that differs."""
    for layout in "jffs2-nand", "jffs2-nor", "squashfs-nand", "cramfs-nor":
        twins = [lab.firmware(1, layout, filler="1M").read_bytes() for _ in range(2)]
        lab.check(twins[0] == twins[1], f"{layout} is not reproducible")
    flash = lab.flash(badblocks=[2, 5])
    flash.write("rootfs", twins[0])
    lab.check_flash(flash, "rootfs", twins[0])
    blocks = flash.good_blocks("rootfs")
    for block in (blocks[1], blocks[-1]):
        before = flash.snapshot()
        flash.erase_block(block)
        with flash.path.open("r+b") as file:
            file.seek(block * flash.eraseblock + 5)
            file.write(b"\x00")
        differences = flash.compare("rootfs", twins[0])
        lab.check(len(differences) == 1 and f"eraseblock {block}" in differences[0],
                  f"eraseblock {block} differs, found {differences}")
        flash.restore(before)
    lab.check_flash(flash, "rootfs", twins[0])


@scenario()
def lab_shell(lab):
    """Command results: exit codes, lines, quotes and kernel messages in between."""
    flash = lab.flash()
    flash.write("rootfs", lab.firmware(1, "jffs2-nand"))
    machine = lab.uml(flash, "jffs2").up(1)
    lab.check_equal(machine.sh("false").code, 1, "exit code")
    lab.check_equal(machine.sh("printf 'a b\\n\\nc'").out, "a b\n\nc", "output")
    lab.check_equal(machine.sh('for x in "it\'s" 2\ndo\necho "$x"\ndone').out, "it's\n2", "lines")
    noisy = machine.sh("for i in 1 2 3; do printf $i; echo noise >/dev/kmsg; printf '.\\n'; done")
    lab.check_equal(noisy.out, "1.\n2.\n3.", "output between kernel messages")
    machine.sh("test -t 0 && : </dev/tty", check=True)
    lab.check_equal(machine.sh("sleep 100 &").code, 0, "exit code of a background job")


@scenario()
def lab_hangup(lab):
    """hangup: the command's terminal goes away, SIGHUP arrives, a command that ignores it lives."""
    flash = lab.flash()
    flash.write("rootfs", lab.firmware(1, "jffs2-nand"))
    machine = lab.uml(flash, "jffs2").up(1)
    script = "trap 'echo hup >/tmp/got' HUP; echo ready; sleep 1; sleep 1; echo alive >/tmp/alive"
    seen = machine.sh(f'hangup ready sh -c "{script}"', check=True)
    lab.check("ready" in seen.out, f"no output of the command: {seen.out!r}")
    machine.sh("until [ -e /tmp/alive ]; do sleep 0.1; done", check=True)
    lab.check_equal(machine.sh("cat /tmp/got").out, "hup", "signal")


def _two_blocks(lab, cut, cutmode="torn", kind="nand"):
    """Erase two eraseblocks of the data partition and fill them with 0x55, with a power cut."""
    flash = lab.flash(kind)
    flash.write("rootfs", lab.firmware(1, f"squashfs-{kind}"))
    flash.write("data", b"\xaa" * (3 * flash.eraseblock))
    faults = {"cut": cut, "cutmode": cutmode}
    machine = lab.uml(flash, "squashfs", faults=faults).up(1)
    size = 2 * flash.eraseblock
    machine.send(f"mtdraw erase /dev/mtd1 0 2 && head -c {size} /dev/zero | tr '\\000' U |"
                 " mtdraw write /dev/mtd1 0\n")
    lab.check_equal(machine.wait_exit(), 137, "exit code after a power cut")
    return flash, machine


@scenario()
def flashsim_cut_erase(lab):
    """Power cut in an erase: the block before is blank, this one torn, the next untouched."""
    flash, _ = _two_blocks(lab, cut=2)
    first, torn, after = (flash.read_block(block) for block in list(flash.blocks("data"))[:3])
    lab.check(first == b"\xff" * flash.eraseblock, "the block erased before the cut is not blank")
    lab.check(torn != b"\xaa" * flash.eraseblock, "the torn block is untouched")
    lab.check(torn != b"\xff" * flash.eraseblock, "the torn block is blank")
    lab.check(after == b"\xaa" * flash.eraseblock, "the block after the cut is touched")


@scenario()
def flashsim_cut_program(lab):
    """Power cut in a page program: the pages before are whole, this one torn, the rest blank."""
    flash, _ = _two_blocks(lab, cut=2 + 5)
    data = flash.read("data")
    torn = data[4 * flash.page:5 * flash.page]
    programmed = torn.rstrip(b"\xff")
    lab.check(data[:4 * flash.page] == b"U" * (4 * flash.page), "pages before the cut")
    lab.check(0 < len(programmed) < flash.page, f"torn page has {len(programmed)} bytes")
    lab.check(programmed == b"U" * len(programmed), "content of the torn page")
    lab.check(data[5 * flash.page:2 * flash.eraseblock].count(0xff) == 2 * flash.eraseblock
              - 5 * flash.page, "pages after the cut")


@scenario()
def flashsim_cut_modes(lab):
    """Power cut before and after an operation: nothing of it, or all of it, is there."""
    flash, _ = _two_blocks(lab, cut=3, cutmode="before")
    lab.check_equal(flash.read("data", 1), b"\xff", "first byte, cut before")
    flash, _ = _two_blocks(lab, cut=3, cutmode="after")
    lab.check(flash.read("data", flash.page) == b"U" * flash.page, "first page, cut after")


@scenario()
def flashsim_cut_unreadable(lab):
    """A page torn so that its ECC fails: reading it succeeds, and only the counter tells."""
    flash, _ = _two_blocks(lab, cut=3, cutmode="unreadable")
    machine = lab.uml(flash, "squashfs").up(1)
    machine.sh("dd if=/dev/mtd1 of=/dev/null bs=2048 count=1", check=True)
    lab.check_equal(machine.sh("cat /sys/class/mtd/mtd1/ecc_failures").out, "1", "ECC failures")


@scenario()
def flashsim_cut_nor(lab):
    """Power cut on NOR: 512-byte buffers before are whole, this one torn, the rest blank."""
    flash, _ = _two_blocks(lab, cut=2 + 3, kind="nor")
    programmed = len(flash.read("data", flash.eraseblock).rstrip(b"\xff"))
    lab.check(2 * 512 < programmed <= 3 * 512, f"{programmed} bytes are programmed")


@scenario()
def flashsim_rules(lab):
    """Each breach of the rules of NAND is caught, reported and counted, and changes nothing."""
    lab.violations_expected = True
    flash = lab.flash(badblocks=[115])
    flash.write("rootfs", lab.firmware(1, "squashfs-nand"))
    machine = lab.uml(flash, "squashfs").up(1)
    page = "head -c 2048 /dev/zero | mtdraw write /dev/mtd1"
    machine.sh(f"{page} 0 && {page} 8192", check=True)
    breaches = [f"{page} 0", f"{page} 4096", "echo x | mtdraw write /dev/mtd1 131072",
                "mtdraw erase /dev/mtd1 3", f"{page} 393216"]
    for count, command in enumerate(breaches, 1):
        lab.check_equal(machine.sh(command).code, 1, f"exit code of {command!r}")
        lab.check_equal(machine.sh("cat /sys/module/flashsim/parameters/violations").out,
                        str(count), f"violations after {command!r}")
    machine.kill()
    lab.check("flashsim: VIOLATION" in machine.console, "no report")
    pages = [flash.is_programmed(flash.blocks("data")[0] * 64 + page) for page in range(5)]
    lab.check_equal(pages, [True, False, False, False, True], "programmed pages")


@scenario()
def flashsim_rules_nor(lab):
    """NOR: programming 0 over 1 is fine twice, setting a bit is a breach."""
    lab.violations_expected = True
    flash = lab.flash("nor")
    flash.write("rootfs", lab.firmware(1, "squashfs-nor"))
    machine = lab.uml(flash, "squashfs").up(1)
    for text in "ww", "pp":
        machine.sh(f"printf {text} | mtdraw write /dev/mtd1 7", check=True)
    lab.check_equal(machine.sh("printf w | mtdraw write /dev/mtd1 7").code, 1, "setting bits")
    machine.kill()
    lab.check("flashsim: VIOLATION" in machine.console, "no report")
    lab.check_equal(flash.bytes("data")[:10], b"\xff" * 7 + b"pp\xff", "data")


@scenario()
def flashsim_faults(lab):
    """Erase and program failures, bit flips, ECC failures; a new bad-block mark outlives a boot."""
    flash = lab.flash()
    flash.write("rootfs", lab.firmware(1, "squashfs-nand"))
    first = flash.blocks("data")[0]
    faults = {"erasefail": [first + 1], "programfail": [first * 64 + 2], "flip": [first * 64],
              "uncorrectable": [first * 64 + 1], "badblocks": [first + 2]}
    machine = lab.uml(flash, "squashfs", faults=faults).up(1)
    lab.check_equal(machine.sh("mtdraw erase /dev/mtd1 1").code, 1, "erase that fails")
    lab.check_equal(machine.sh("head -c 6144 /dev/zero | mtdraw write /dev/mtd1 0").code, 1,
                    "program that fails")
    machine.sh("dd if=/dev/mtd1 of=/dev/null bs=2048 count=2")
    counters = machine.sh("cd /sys/class/mtd/mtd1; cat corrected_bits ecc_failures bad_blocks").out
    lab.check_equal(counters.split(), ["1", "1", "1"], "ECC and bad-block counters")
    machine.sh("mtdraw bad /dev/mtd1 5", check=True)
    machine.kill()
    lab.check(flash.is_bad(first + 2) and flash.is_bad(first + 5), "bad-block marks")
    lab.check(not flash.is_bad(first + 3), "a good block is marked bad")


@scenario()
def flashsim_locked(lab):
    """Locked NOR refuses to be written until it is unlocked; a write-protected chip always does."""
    flash = lab.flash("nor")
    flash.write("rootfs", lab.firmware(1, "squashfs-nor"))
    machine = lab.uml(flash, "squashfs", faults={"locked": 1}).up(1)
    lab.check_equal(machine.sh("mtdraw erase /dev/mtd1 0").code, 1, "erase while locked")
    machine.sh("mtdraw unlock /dev/mtd1 && mtdraw erase /dev/mtd1 0", check=True)
    machine.kill()
    machine = lab.uml(flash, "squashfs", faults={"writeprotect": 1}).up(1)
    lab.check_equal(machine.sh("mtdraw erase /dev/mtd1 0").code, 1, "erase while write-protected")


@scenario()
def flashsim_hold(lab):
    """The kernel holds a file of a mount open: umount is busy, and no process is to blame."""
    flash = lab.flash()
    flash.write("rootfs", lab.firmware(1, "jffs2-nand"))
    machine = lab.uml(flash, "jffs2", disks=[lab.disk({"driver.bin": b"x"})]).up(1)
    hold = "/sys/module/flashsim/parameters/hold"
    machine.sh("mount /dev/ubda /mnt && umount /mnt && mount /dev/ubda /mnt", check=True)
    machine.sh(f"echo /mnt/driver.bin >{hold}", check=True)
    lab.check(machine.sh("umount /mnt").code, "umount succeeded")
    lab.check_equal(machine.sh("ls -l /proc/*/fd /proc/*/cwd 2>&1 | grep -c ' /mnt'").out, "0",
                    "processes that use the mount")


@scenario(timeout=120)
def lab_workbench(lab):
    """Workbenches: stock tools write flash of both machines, files go in and out, errors show."""
    lab.violations_expected = True  # flash_erase first tries the chip as a whole
    chip = lab.flash(badblocks=[1])
    content = b"\x01" * chip.eraseblock + b"\x02" * 100
    nandsim = "modprobe nandsim id_bytes=0x20,0xa1,0x00,0x15 parts=8 badblocks=1"
    for start, appear in ((lambda: workbench.on_uml(lab, chip), ":"),
                          (lambda: workbench.on_qemu(lab), nandsim)):
        w = start()
        w.run(appear)
        w.run(f"flash_erase /dev/mtd0 0 0 && nandwrite -p /dev/mtd0 {w.put('image', content)}")
        dump = w.get("nanddump --bb=skipbad -l 0x40000 /dev/mtd0 2>/dev/null")
        lab.check_equal(dump, content + b"\xff" * (0x40000 - len(content)), "what nanddump reads")
        w.kernel_log()
        w.run("modprobe ubi 2>/dev/null; ! ubiattach -p /dev/mtd0")
        lab.check("ubi0: attaching mtd0" in w.kernel_log(), "the kernel's words")
        w.machine.kill()
    lab.check_flash(chip, "rootfs", content)


@scenario(timeout=120)
def flashsim_large(lab):
    """A chip of 6 GiB whose file is a hole: eraseblocks of 4 MiB past 4 GiB hold what was written."""
    chip = lab.flash(size="6G", eraseblock="4M", page=16384, oob=1024, parts="16M(boot),-(system)",
                     inverted=True, badblocks=[1100])
    content = bytes(range(1, 255)) * 20000
    w = workbench.on_uml(lab, chip, mem="128M")
    image = w.put("image", content)
    start = 1095 * chip.eraseblock
    w.run(f"nandwrite -p -s {start} /dev/mtd1 {image}")
    dump = f"nanddump -s {start} -l {2 * chip.eraseblock} /dev/mtd1 2>/dev/null"
    lab.check_equal(w.get(dump)[:len(content)], content, "what nanddump reads")
    w.run("mtdraw erase /dev/mtd1 1095")
    lab.check_equal(w.get(dump)[:chip.eraseblock], b"\xff" * chip.eraseblock, "after an erase")
    w.machine.kill()
    lab.check_equal(chip.read_block(1101)[:len(content) - chip.eraseblock],
                    content[chip.eraseblock:], "the second eraseblock in the file")
    lab.check(chip.path.stat().st_blocks * 512 < 64 << 20, "the file is no hole")


@scenario()
def flashsim_regions(lab):
    """NOR with small eraseblocks at its start: each is erased, locked and reported by itself."""
    lab.violations_expected = True
    chip = lab.flash("nor", size="512k", parts="", regions=[8, "8k", 7, "64k"])
    chip.write("flashsim", b"\0" * chip.size)
    w = workbench.on_uml(lab, chip, faults={"locked": 1, "erasefail": [2]})
    regions = w.run("mtdinfo /dev/mtd0")
    for region in ("region 0:  offset: 0 size: 0x2000 numblocks: 0x8",
                   "region 1:  offset: 0x10000 size: 0x10000 numblocks: 0x7"):
        lab.check(f"Eraseblock {region}" in regions, regions)
    w.run("! mtd_debug erase /dev/mtd0 0 0x2000 && flash_unlock /dev/mtd0 0x2000 1")
    w.run("mtd_debug erase /dev/mtd0 0x2000 0x2000")
    w.run("mtdraw unlock /dev/mtd0 && mtd_debug erase /dev/mtd0 0 0x4000")
    for where in "0x4000 0x2000", "0x6000 0x1000", "0x10000 0x2000":
        w.run(f"! mtd_debug erase /dev/mtd0 {where}")
    w.run("mtd_debug erase /dev/mtd0 0xe000 0x12000")
    w.machine.kill()
    found = [chip.bytes("flashsim")[offset] for offset in range(0, chip.size, 8192)]
    erased = [0, 1, *range(7, 16)]
    lab.check_equal([i for i, byte in enumerate(found) if byte], erased, "erased pieces of 8 KiB")
