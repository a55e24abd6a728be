# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write on chips of unusual geometry, on flashsim, which enforces the rules of flash."""

from labkit import workbench
from labkit.scenario import scenario
from labkit.writing import UNFIT, check_image, check_same, raw, sample, write, write_nothing


def _write_and_check(lab, chip, part, content, **options):
    """Write twice; the second time nothing happens; the file of the chip holds the image."""
    w = workbench.on_uml(lab, chip, **options)
    words = raw(w, part, content)
    write(w, words)
    write_nothing(w, words)
    w.machine.kill()
    lab.check_flash(chip, part, content)


@scenario(timeout=300)
def write_beyond_4gib(lab):
    """Pages of 16 KiB, eraseblocks of 4 MiB, all good ones of the partition beyond 4 GiB."""
    first = 1030
    chip = lab.flash(size="4700M", eraseblock="4M", page=16384, oob=1024, inverted=True,
                     parts="16M(boot),-(system)", badblocks=[4 + first + 1])
    for block in range(first):
        chip.mark_bad(4 + block)
    good = chip.good_blocks("system")
    content = sample(2 * chip.eraseblock + 4321, 1)
    w = workbench.on_uml(lab, chip, mem="128M")
    w.run(f"head -c 98304 /dev/urandom | mtdraw write /dev/mtd1 {(good[3] - 4) << 22}")
    words = raw(w, "system", content)
    write(w, words)
    write_nothing(w, words)
    w.machine.kill()
    lab.check_equal(good[:3], [4 + first, 4 + first + 2, 4 + first + 3], "good eraseblocks")
    found = b"".join(map(chip.read_block, good[:4]))
    check_image(found, content, "not the image, then blank")
    lab.check(not chip.is_programmed(chip.blocks("boot")[0]), "the other partition was touched")


@scenario(timeout=120)
def write_small_pages(lab):
    """Pages of 512 bytes with 16 bytes of OOB, eraseblocks of 16 KiB, bad ones at both ends."""
    chip = lab.flash(size="4M", eraseblock="16k", page=512, oob=16, parts="2M(rootfs),-(data)",
                     badblocks=[0, 5, 127])
    chip.write("rootfs", sample(125 << 14, "old"))
    _write_and_check(lab, chip, "rootfs", sample((100 << 14) - 100, "new"))


@scenario(timeout=120)
def write_nor_regions(lab):
    """NOR with eraseblocks of two sizes, the small ones first and last; locked at power on."""
    for regions in [8, "8k", 15, "64k"], [15, "64k", 8, "8k"], [8, "8k", 14, "64k", 16, "4k"]:
        for length in 40000, 65536 + 9000, 15 * 65536 + 20000:
            chip = lab.flash("nor", size="1M", parts="", regions=regions)
            chip.write("flashsim", sample(chip.size, "old"))
            _write_and_check(lab, chip, "flashsim", sample(length, "new"), faults={"locked": 1})


@scenario(timeout=120)
def write_nor_regions_partitioned(lab):
    """The same with partitions, of which the kernel says that their eraseblocks are all alike."""
    chip = lab.flash("nor", size="1M", parts="128k(boot),-(rootfs)", regions=[8, "8k", 15, "64k"])
    for part in "boot", "rootfs":
        chip.write(part, sample(128 << 10, "old"))
        _write_and_check(lab, chip, part, sample(70000, "new"))


@scenario(timeout=120)
def write_protected(lab):
    """A partition that the kernel holds for read-only, and a whole chip: exit code 4, untouched."""
    chip = lab.flash(size="2M", parts="1M(boot)ro,-(data)")
    before = chip.snapshot()
    for part, faults in ("boot", {}), ("data", {"writeprotect": 1}):
        w = workbench.on_uml(lab, chip, faults=faults)
        write(w, raw(w, part, b"x" * 5000), UNFIT, [part])
        w.machine.kill()
        check_same(chip.snapshot(), before, f"{part} was changed")
