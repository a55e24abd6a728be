# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines of QEMU with Debian's stock kernel.

The flash that a firmware boots from is phram on memory kept in a file: the second of three pieces
of the machine's memory (the BIOS scribbles over the last one). The kernel is told to leave that
piece alone, and phram makes MTD devices of it. So the flash survives a reset, and the death of
QEMU. A workbench has none of this.
"""

import re
import shutil
import socket
from pathlib import Path

from labkit import cpio, rootfs, tools
from labkit.errors import LabError

_MODULES = ["phram", "mtdblock", "jffs2", "squashfs", "overlay", "loop", "virtio_pci", "virtio_blk",
            "nls_cp437", "nls_ascii", "vfat", "ext4", "softdog", "i6300esb"]
_NEED_OTHER_PROCESSOR = ["crc32c-intel.ko", "crc32-pclmul.ko"]
_BENCH_MODULES = ["virtio_pci", "virtio_blk", "9p", "9pnet_virtio", "nandsim", "mtdram", "phram",
                  "mtdblock", "ubi", "ubifs", "deflate", "lzo", "zstd", "jffs2", "squashfs",
                  "ext4", "loop", "scsi_debug", "sd_mod"]
_PATIENCE = 20
_BENCH_MEMORY = "384M"
# A clock that counts instructions, 8 ns each, and goes on at once while nobody has anything to do:
# a processor of 125 million instructions a second, the same on every host, however busy.
COUNTED_CLOCK = ["-icount", "shift=3,sleep=off", "-rtc", "clock=vm"]
FASTER_CLOCK = ["-icount", "shift=1,sleep=off", "-rtc", "clock=vm"]
_FLASH_ADDRESS = 0x10000000
_RAMOOPS_SIZE = 1 << 20
_TAIL_SIZE = 64 << 20  # SeaBIOS works in the 16 MiB at the end of memory and just below them

_INIT = """\
#!/bin/busybox sh
# Load the drivers, make the flash appear, and hand over to the firmware on it.
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do
	insmod /modules/$module # and its parameters
done </modules/order
while read -r partition; do
	echo "$partition" >/sys/module/phram/parameters/phram
done </modules/flash
{hand_over}
"""
_TO_FIRMWARE = """\
{mount}
mount --move /dev /newroot/dev
umount /sys
umount /proc
exec switch_root /newroot {init}
"""
_MONITOR = "qemu.monitor"  # a socket
_PROMPT = b"(qemu) "


def _kernel():
    """The unpacked package: (vmlinuz, modules' root, version)."""
    folder = tools.build("qemu-kernel.sh")
    vmlinuz = next(folder.glob("boot/vmlinuz-*"))
    return vmlinuz, folder, vmlinuz.name.replace("vmlinuz-", "")


# What any machine of ours has of a screen and a keyboard: its serial line is the console.
CONSOLE = ["-nodefaults", "-display", "none",
           "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]


def _bare_machine():
    return [tools.find("qemu-system-x86_64"), "-M", "q35", *CONSOLE]


def _drives(disks):
    arguments = []
    for disk in disks:
        readonly = "on" if disk.readonly else "off"
        arguments += ["-drive", f"if=virtio,format=raw,readonly={readonly},file={disk.path}"]
    return arguments


def _module_files(names, folder, version):
    """The files of the modules and of all that they need, in the order to load them in."""
    files = []
    for name in names:
        listing = tools.run("modprobe", "-d", folder, "-S", version, "--show-depends", name)
        for path in map(Path, re.findall(r"^insmod (\S+)", listing, re.MULTILINE)):
            if path not in files and path.name not in _NEED_OTHER_PROCESSOR:
                files.append(path)
    return files


def install_modules(tree, folder, version, names, parameters):
    """Copy a kernel's modules, and what they need, and note in modules/order how to load them."""
    files = _module_files(names, folder, version)
    for path in files:
        rootfs.put(tree, f"modules/{path.name}", path)
    rootfs.put(tree, "modules/order", "".join(
        f"{path.name} {parameters.get(path.stem, '')}\n" for path in files))


def install_bench_modules(tree):
    """Place what a workbench needs where modprobe finds it; the kernel asks modprobe, too."""
    _, folder, version = _kernel()
    for path in _module_files(_BENCH_MODULES, folder, version):
        rootfs.put(tree, str(path.relative_to(folder)), path)
    tools.run("depmod", "-b", tree, version)


def _phram_lines(flash):
    """One phram device per partition, in phram's own notation."""
    return "".join(f"{part.name},{_FLASH_ADDRESS + part.offset:#x},{part.size:#x},"
                   f"{flash.eraseblock:#x}\n" for part in flash.partitions)


def _mount_command(root, flash):
    if root == "jffs2":
        return "mount -t jffs2 mtd:rootfs /newroot"
    if root == "squashfs":
        return f"mount -t squashfs -o ro /dev/mtdblock{flash.number('rootfs')} /newroot"
    if root == "ext4":
        return "mount -t ext4 /dev/vda /newroot"
    raise LabError(f"Debian's kernel cannot boot from {root} on NOR; use lab.uml()")


def monitor(folder, text):
    """Give a command to the monitor of the machine that runs there; gives what it answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_PATIENCE)
        client.connect(str(folder / _MONITOR))
        answer, prompts = b"", 1
        client.sendall(f"{text}\n".encode())
        while answer.count(_PROMPT) <= prompts:
            answer += client.recv(4096)
    said = answer.split(_PROMPT)[1].decode(errors="replace").partition("\n")[2].strip()
    if said.startswith("Error"):
        raise LabError(f"monitor {text}: {said}")
    return said


def initramfs(folder, flash, root, init, extra, files):
    """Write the initial RAM file system that starts the firmware; gives its path and the kernel."""
    vmlinuz, modules, version = _kernel()
    tree = folder / "initramfs"
    shutil.rmtree(tree, ignore_errors=True)
    for name in ("dev", "proc", "sys", "newroot"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    rootfs.install_busybox(tree)
    install_modules(tree, modules, version, [*_MODULES, *extra], extra)
    rootfs.put(tree, "modules/flash", _phram_lines(flash))
    for name, content in (files or {}).items():
        rootfs.put(tree, name, content)
    hand_over = f"exec {init}"
    if root:
        hand_over = _TO_FIRMWARE.format(mount=_mount_command(root, flash), init=init)
    rootfs.put(tree, "init", _INIT.format(hand_over=hand_over))
    archive = folder / "initramfs.cpio"
    archive.write_bytes(cpio.archive(tree))
    return archive, vmlinuz


def command(folder, flash, root="jffs2", append="", disks=(), init="/sbin/init",
            quiet=True, ramoops=False, devices=(), modules=None, files=None, options=()):
    """The command line of a machine; the flash must be of kind "nor".

    `devices` and `options` are QEMU's, `modules` has parameters by module. Without a `root`, `init`
    is run in the initial RAM file system, into which go `files`.
    With `ramoops` there is a pstore in memory behind the flash, which keeps the end of the kernel's
    log over a reboot (Debian's has no pmsg). It does not survive the death of QEMU.
    """
    if flash.kind != "nor":
        raise LabError("QEMU machines have NOR-like flash only")
    behind = _FLASH_ADDRESS + flash.size
    kept = _RAMOOPS_SIZE if ramoops else 0
    extra = dict(modules or {})
    if ramoops:
        extra["ramoops"] = f"mem_address={behind:#x} mem_size={kept:#x} max_reason=4"
    archive, vmlinuz = initramfs(folder, flash, root, init, extra, files)
    kernel_arguments = ["console=ttyS0", "panic=1", "numa=off",
                        f"memmap={flash.size + kept:#x}${_FLASH_ADDRESS:#x}", append]
    if quiet:
        kernel_arguments.append("quiet")
    arguments = [
        *_bare_machine(),
        "-m", f"{(_FLASH_ADDRESS + flash.size + _TAIL_SIZE) >> 20}M",
        "-object", f"memory-backend-ram,id=ram,size={_FLASH_ADDRESS}",
        "-object", f"memory-backend-file,id=flash,size={flash.size},mem-path={flash.path},share=on",
        "-object", f"memory-backend-ram,id=tail,size={_TAIL_SIZE}",
        "-numa", "node,memdev=ram", "-numa", "node,memdev=flash", "-numa", "node,memdev=tail",
        "-kernel", vmlinuz, "-initrd", archive, "-append", " ".join(kernel_arguments),
        "-monitor", f"unix:{_MONITOR},server=on,wait=off",
    ]
    for device in devices:
        arguments += ["-device", device]
    return [*map(str, arguments), *map(str, options), *_drives(disks)]


def bench_command(initrd, share, disks=(), append="", mem=_BENCH_MEMORY, options=()):
    """The command line of a workbench: no flash, all in `initrd`; the folder `share` is "host".

    `options` are QEMU's.
    """
    vmlinuz, _, _ = _kernel()
    return [*_bare_machine(), *options, "-m", mem, "-kernel", vmlinuz, "-initrd", initrd,
            "-append", f"console=ttyS0 panic=1 quiet {append}",
            "-virtfs", f"local,path={share},mount_tag=host,security_model=none", *_drives(disks)]
