# SPDX-License-Identifier: GPL-2.0-or-later
"""Workbenches: machines that run from RAM, to write flash that nothing uses.

A workbench has a shell, flashinit, the stock tools of Debian's mtd-utils and a folder, /host, that
it shares with the host. In QEMU the flash is what Debian's own drivers simulate (nandsim, mtdram,
phram) and is gone with the machine; in User-Mode Linux it is flashsim.
"""

import functools
import itertools
import re
import shutil
from pathlib import Path

from labkit import qemu, rootfs, tools

TOOLS = ["flash_erase", "flash_lock", "flash_unlock", "nandwrite", "nanddump", "flashcp", "mtdinfo",
         "mtdpart", "mtd_debug", "ubiformat", "ubiattach", "ubidetach", "ubimkvol", "ubirmvol",
         "ubirsvol", "ubiupdatevol", "ubinfo", "ubiblock"]

_INIT = """\
#!/bin/sh
mkdir -p /host
mount -t devtmpfs dev /dev 2>/dev/null
/etc/rc
{mount}
exec setsid cttyhack sh -l
"""
_MOUNT_9P = """\
modprobe -a virtio_pci virtio_blk 9pnet_virtio 9p
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 host /host"""
_MOUNT_HOSTFS = "mount -t hostfs -o {share} host /host"
_TRACING = "/sys/kernel/tracing"


@functools.lru_cache(maxsize=None)
def libraries(program):
    """The shared libraries of a host program, its loader among them."""
    return re.findall(r"(/\S+) \(0x", tools.run("ldd", program))


def _install_tools(tree):
    for name in TOOLS:
        program = tools.find(name)
        rootfs.put(tree, f"usr/sbin/{name}", Path(program).resolve())
        for library in libraries(program):
            rootfs.put(tree, library, Path(library).resolve())


def _initramfs(lab, mount, install):
    tree = lab.tree("bench", files={"init": _INIT.format(mount=mount)})
    _install_tools(tree)
    install(tree)
    archive = lab.initramfs(tree)
    shutil.rmtree(tree)
    return archive


class Workbench:
    """A machine without a firmware; everything that machine.Machine can do, and files."""

    def __init__(self, machine, share, counter):
        self.machine = machine.up("bench", timeout=60)
        self._counter = counter
        self.share = share
        self._numbers = itertools.count(1)
        self.sh = machine.sh
        self.kernel_log()

    def run(self, command, timeout=60):
        """Run a command that must succeed; gives its output."""
        return self.machine.sh(command, timeout=timeout, check=True).out

    def put(self, name, content):
        """Place a file (bytes or a path) in the shared folder; gives its path in the guest."""
        rootfs.put(self.share, name, content)
        return f"/host/{name}"

    def get(self, command, timeout=60):
        """The bytes that a command prints to its standard output; it must succeed."""
        name = f"out-{next(self._numbers)}"
        self.run(f"({command}) >/host/{name}", timeout)
        return (self.share / name).read_bytes()

    def kernel_log(self):
        """What the kernel said since the last call. (The console's reader would drop it.)"""
        return self.get("dmesg -c").decode(errors="replace")

    def count_operations(self):
        """Count erases and programs from now on."""
        self._counter.start(self)

    def operations(self):
        """{"erase": calls, "program": calls} since count_operations()."""
        return self._counter.read(self)


class _CalledFunctions:
    """Operations as calls of the kernel's functions for any MTD, through kprobes."""

    _FUNCTIONS = {"erase": "mtd_erase", "program": "mtd_write_oob"}

    def start(self, w):
        """Set the counters to 0."""
        probes = "; ".join(f"echo p:{name} {function} >>kprobe_events"
                           for name, function in self._FUNCTIONS.items())
        w.run(f"[ -d {_TRACING}/events ] || mount -t tracefs tracefs {_TRACING}; modprobe mtd; "
              f"(cd {_TRACING}; echo 0 >events/kprobes/enable; echo >kprobe_events; {probes}; "
              "echo 1 >events/kprobes/enable)")

    @staticmethod
    def read(w):
        """The counters."""
        profile = w.run(f"cat {_TRACING}/kprobe_profile")
        return {name: int(hits) for name, hits in re.findall(r"^\s*(\w+)\s+(\d+)", profile, re.M)}


class _CountedByFlashsim:
    """Operations as flashsim has counted them since boot."""

    def __init__(self):
        self._start = {"erase": 0, "program": 0}

    @staticmethod
    def _now(w):
        counts = w.run("cd /sys/module/flashsim/parameters && cat erases programs; cd /").split()
        return {"erase": int(counts[0]), "program": int(counts[1])}

    def start(self, w):
        """Remember where the counters are."""
        self._start = self._now(w)

    def read(self, w):
        """How far the counters went."""
        return {name: count - self._start[name] for name, count in self._now(w).items()}


def on_qemu(lab, disks=(), append="", **options):
    """A workbench with Debian's kernel; its drivers of flash are loaded with modprobe.

    The options are those of qemu.bench_command().
    """
    share = lab.share()
    archive = _initramfs(lab, _MOUNT_9P, qemu.install_bench_modules)
    machine = lab.start(qemu.bench_command(archive, share, disks, append, **options))
    return Workbench(machine, share, _CalledFunctions())


def on_uml(lab, flash, **options):
    """A workbench with User-Mode Linux and flashsim; options are those of lab.uml()."""
    share = lab.share()
    archive = _initramfs(lab, _MOUNT_HOSTFS.format(share=share), lambda tree: None)
    return Workbench(lab.uml(flash, initrd=archive, **options), share, _CountedByFlashsim())
