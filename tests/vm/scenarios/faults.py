# SPDX-License-Identifier: GPL-2.0-or-later
"""Flash that fails and power that goes, in mid-update."""

from labkit import bench
from labkit.scenario import scenario


@scenario()
def flash_fails(lab):
    """NOR that cannot be erased somewhere: no success is claimed, it tries on, the start is blank."""
    b = bench.on(lab, "jffs2-nor", faults={"erasefail": list(range(9, 20))})
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    for wait in 1, 2:
        b.machine.expect(r"rootfs: cannot erase eraseblock [0-9]+: (Input/output|I/O) error",
                         timeout=40)
        b.machine.expect(f"DO NOT TURN OFF; trying again in {wait} s")
    b.machine.kill()
    lab.check(b.flash.read_block(0)[:512] == b"\xff" * 512, "the first block is not blank")
    lab.check("is written and proven" not in b.machine.console, "success was claimed")


@scenario(timeout=120)
def flash_goes_bad(lab):
    """NAND: what cannot be erased, and what ECC cannot correct, is marked; the firmware goes around."""
    b = bench.on(lab, "jffs2-nand", faults={"erasefail": [12], "uncorrectable": [9 * 64 + 3]})
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("eraseblock 9 is marked bad now .*eraseblock 9 reads back with 1 uncorrectable",
                     timeout=60)
    b.machine.expect("eraseblock 12 is marked bad now .*cannot erase eraseblock 12", timeout=40)
    b.machine.expect(" 2 newly bad", timeout=60)
    b.machine.wait_exit(30)
    lab.check_equal([n for n in b.flash.blocks("rootfs") if b.flash.is_bad(n)], [9, 12], "bad blocks")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.restart(2)


@scenario(timeout=120)
def flash_goes_bad_too_often(lab):
    """More eraseblocks fail than a worn chip has: a few are marked, and no more at the next attempts."""
    b = bench.on(lab, "jffs2-nand", faults={"erasefail": list(range(10, 40))})
    limit = 4 + len(b.flash.blocks("rootfs")) // 50
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    for wait in 1, 2, 4:
        b.machine.expect("check the supply and the chip; no more are marked", timeout=60)
        b.machine.expect(f"DO NOT TURN OFF; trying again in {wait} s")
    b.machine.kill()
    marked = [n for n in b.flash.blocks("rootfs") if b.flash.is_bad(n)]
    lab.check_equal(marked, list(range(10, 10 + limit)), "bad blocks")
    lab.check(b.flash.read_block(0) == b"\xff" * b.flash.eraseblock, "the first block is not blank")


@scenario()
def flash_corrects_flips(lab):
    """Bit flips that ECC corrects: the update succeeds and tells how many."""
    b = bench.on(lab, "squashfs-nand", faults={"flip": [9 * 64 + 3, 12 * 64]})
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect(" [1-9][0-9]* bit flips corrected", timeout=40)
    b.machine.wait_exit(30)
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario(timeout=120)
def cut_leaves_no_start(lab):
    """The power goes while the rest of the image is written: the first eraseblock is blank."""
    for cut in 3, 4, 40, 700:  # behind its stamp, and its erase
        b = bench.on(lab, "squashfs-nand", faults={"cut": cut})
        b.machine.send("flashinit update /mnt/fw.fwi\n")
        lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
        lab.check(b.flash.read_block(0) == b"\xff" * b.flash.eraseblock,
                  f"the first eraseblock is not blank after a cut at operation {cut}")


@scenario()
def cut_after_the_last(lab):
    """The power goes right behind the last operation: the new firmware is whole, and it runs."""
    b = bench.on(lab, "squashfs-nand", filler="1M")
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    done = b.machine.expect(r"flashsim: (\d+) erases, (\d+) programs", timeout=40)
    b.machine.wait_exit(30)
    last = int(done.group(1)) + int(done.group(2))
    b = bench.on(lab, "squashfs-nand", filler="1M", faults={"cut": last, "cutmode": "after"})
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.restart(2)
