# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit as /init of the initial RAM file system that flashpack makes."""

from labkit import bench, paths, qemu, tools
from labkit.scenario import scenario

_KEYS = paths.REPOSITORY / "tests" / "unit" / "fixtures"


def _initramfs(lab, *words, name="initramfs.cpio", **config):
    """The path of an initramfs with the flashinit under test, made by flashpack."""
    path = lab.folder / name
    if config:
        file = lab.folder / f"{name}.conf"
        file.write_text("".join(f"{key.replace('_', '-')} = {value}\n"
                                for key, value in config.items()), encoding="utf-8")
        words += ("--config", file)
    tools.run(paths.FLASHPACK, "initramfs", "-o", path, "--program", paths.FLASHINIT, *words)
    return path


@scenario()
def initramfs_starts_as_init(lab):
    """Plain and compressed, the kernel unpacks it and starts its /init."""
    for name in ("a.cpio", "a.cpio.gz"):
        machine = lab.uml(initrd=_initramfs(lab, name=name))
        machine.expect("^flashinit: ")
        machine.kill()


@scenario()
def initramfs_starts_in_qemu(lab):
    """So does Debian's kernel; no driver is built into it, and an image is waited for."""
    archive = _initramfs(lab, name="a.cpio.gz", mode="recover")
    machine = lab.start(qemu.bench_command(archive, lab.share()))
    machine.expect(r"^flashinit: there is no image that will do: waiting", 60)


@scenario()
def initramfs_fills_blank_flash(lab):
    """A factory's board: nothing is on the flash, but for two bad blocks."""
    flash = lab.flash("nand", badblocks=[0, 5])
    new = lab.firmware(1, "jffs2-nand", flash, filler="1M")
    stick = lab.disk({"fw.fwi": bench.pack(lab, 1, {"rootfs": new})})
    archive = _initramfs(lab, mode="recover", after="poweroff")
    machine = lab.uml(flash, initrd=archive, disks=[stick])
    lab.check_equal(machine.wait_exit(30), 0, "exit code after poweroff")
    lab.check_flash(flash, "rootfs", new)
    lab.uml(flash, "jffs2").up(1)


@scenario()
def initramfs_key_counts(lab):
    """With a public key in it, an image that is not signed is passed over, and nothing written."""
    flash = lab.flash("nand")
    before = flash.snapshot()
    new = lab.firmware(1, "jffs2-nand", flash)
    stick = lab.disk({"fw.fwi": bench.pack(lab, 1, {"rootfs": new})})
    archive = _initramfs(lab, "--key", _KEYS / "signify.pub", mode="recover")
    machine = lab.uml(flash, initrd=archive, disks=[stick])
    machine.expect(r"passed over: .*fw\.fwi.* not signed", 20)
    machine.expect(r"waiting for a medium")
    machine.kill()
    lab.check(flash.snapshot() == before, "something was written")
