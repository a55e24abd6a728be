# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines with other CPUs: QEMU with the kernel that Debian has for each, and nandsim as flash, or a RAM disk.

The flash is the machine's own memory: it is gone with the machine. So the initial RAM file system
has the firmware's image written before it hands over, and the new firmware is booted without a
reset.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from labkit import cpio, paths, qemu, rootfs, tools
from labkit.errors import LabError, Unavailable

# Debian's static BusyBox is the whole user space until the firmware has control.
_INIT = """\
#!/bin/busybox sh
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do
	insmod /modules/$module
done </modules/order
flashinit write --raw '{flash.partition}=/firmware,kind={flash.kind}' || exec sh
mount -t squashfs -o ro {flash.device} /newroot || exec sh
mount -t tmpfs tmpfs /newroot/mnt
cp /fw.fwi /newroot/mnt
mount --move /dev /newroot/dev
umount /sys
umount /proc
exec switch_root /newroot {init}
"""
_CHIP = "id_bytes=0x20,0xa1,0x00,0x15"  # 128 MiB, eraseblocks of 128 KiB, pages of 2 KiB
_ERASEBLOCK = 128 << 10
_BLOCKS = 96


@dataclass(frozen=True)
class Flash:
    """What a machine has as flash: the kernel's modules for it, and how it is written and mounted."""
    modules: tuple
    parameters: dict
    partition: str
    kind: str
    device: str

    def expected(self, content):
        """A command that reads the flash, and the bytes that it gives if that is what was written."""
        if self.kind == "block":
            return f"head -c {len(content)} {self.device}", content
        return "cat /dev/mtd0", content.ljust(_BLOCKS * _ERASEBLOCK, b"\xff")


_NAND = Flash(("nandsim", "mtdblock"), {"nandsim": f"{_CHIP} parts={_BLOCKS}"},
              "NAND simulator partition 0", "mtd", "/dev/mtdblock0")
# For a kernel that simulates no flash.
_RAM_DISK = Flash(("brd",), {"brd": f"rd_nr=1 rd_size={_BLOCKS * 128}"}, "ram0", "block", "/dev/ram0")


@dataclass(frozen=True)
class Cpu:
    """A CPU, the machine that has it, and what Debian and our presets call it."""
    debian: str
    flavour: str
    preset: str
    program: str
    machine: tuple
    console: str
    machine_name: str  # as uname -m has it
    flash: Flash = _NAND
    suite: str = ""  # of Debian, if not the machine's own

    @property
    def flashinit(self):
        """The program under test."""
        return paths.BUILD / self.preset / "flashinit"

    @property
    def stubborn(self):
        """A PID 1 that no exec succeeds in; only presets for other CPUs build it."""
        return paths.BUILD / self.preset / "tests/cross/stubborn"


CPUS = {
    "amd64": Cpu("amd64", "amd64", "musl", "qemu-system-x86_64", ("-M", "q35"), "ttyS0", "x86_64"),
    "i386": Cpu("i386", "686", "musl-i386", "qemu-system-i386",
                ("-M", "q35", "-cpu", "pentium3"), "ttyS0", "i686"),
    "armhf": Cpu("armhf", "armmp", "musl-armhf", "qemu-system-arm",
                 ("-M", "virt", "-cpu", "cortex-a15"), "ttyAMA0", "armv7l"),
    "arm64": Cpu("arm64", "arm64", "musl-arm64", "qemu-system-aarch64",
                 ("-M", "virt", "-cpu", "cortex-a53"), "ttyAMA0", "aarch64", _RAM_DISK),
    "mipsel": Cpu("mipsel", "4kc-malta", "musl-mipsel", "qemu-system-mipsel",
                  ("-M", "malta", "-cpu", "24Kc"), "ttyS0", "mips"),
    # Debian 12 has none.
    "riscv64": Cpu("riscv64", "riscv64", "musl-riscv64", "qemu-system-riscv64",
                   ("-M", "virt"), "ttyS0", "riscv64", _RAM_DISK, "forky"),
}


def _debian(cpu):
    """The folder with what Debian has for that CPU."""
    try:
        return tools.build("cpu.sh", cpu.debian, cpu.flavour, cpu.suite)
    except LabError as error:
        raise Unavailable(f"Debian's kernel for {cpu.debian} cannot be fetched: {error}") from error


def programs(cpu):
    """What a firmware has to be given to run on that CPU, as lab.firmware(files=…) takes it."""
    folder = _debian(cpu)
    return {"bin/busybox": folder / "bin/busybox", "sbin/flashinit": cpu.flashinit}


def _initramfs(lab, cpu, folder, firmware, new, init):
    tree = lab.folder / "initramfs"
    for name in ("dev", "proc", "sys", "newroot"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    rootfs.install_busybox(tree)
    for name, program in programs(cpu).items():
        rootfs.put(tree, name, program)
    version = next((folder / "lib/modules").iterdir()).name
    qemu.install_modules(tree, folder, version, [*cpu.flash.modules, "squashfs", "overlay"],
                         cpu.flash.parameters)
    rootfs.put(tree, "firmware", Path(firmware))
    rootfs.put(tree, "fw.fwi", Path(new))
    rootfs.put(tree, "init", _INIT.format(flash=cpu.flash, init=init))
    archive = lab.folder / "initramfs.cpio"
    archive.write_bytes(cpio.archive(tree))
    shutil.rmtree(tree)
    return archive


def start(lab, cpu, firmware, new, init="/sbin/init"):
    """Start a machine that runs `firmware` from flash, and has the image file `new` in /mnt."""
    folder = _debian(cpu)
    archive = _initramfs(lab, cpu, folder, firmware, new, init)
    kernel = next(folder.glob("boot/vmlinuz-*"))
    return lab.start([tools.find(cpu.program), *cpu.machine, "-m", "256M", *qemu.CONSOLE,
                      "-kernel", str(kernel), "-initrd", str(archive), "-append",
                      f"console={cpu.console} panic=1 quiet"])
