# SPDX-License-Identifier: GPL-2.0-or-later
"""Updates on other CPUs, under Debian's own kernels for them."""

import hashlib
from pathlib import Path

from labkit import bench, cpus
from labkit.cpus import CPUS
from labkit.scenario import scenario


_STATE = "cat /proc/self/mountinfo; ls / /tmp /run; cat /proc/1/comm; readlink /proc/1/root"


def _firmware(lab, cpu, version, filler, files=None):
    return lab.firmware(version, "squashfs-nand", files=cpus.programs(cpu) | (files or {}), filler=filler)


def _exec_fails(lab, name):
    """A PID 1 that cannot exec, and would end if its call or its memory were not as before: it goes on."""
    cpu = CPUS[name]
    old = _firmware(lab, cpu, 1, "1M", {"usr/bin/stubborn": cpu.stubborn})
    image = bench.pack(lab, 2, {cpu.flash.partition: f"{old},kind={cpu.flash.kind}"})
    m = cpus.start(lab, cpu, old, image, "/usr/bin/stubborn").up(1, 180)
    before = m.sh(_STATE, timeout=60).out
    for _ in range(3):
        result = m.sh("flashinit update --via ptrace /mnt/fw.fwi", timeout=240)
        lab.check_equal(result.code, 4, f"exit code\n{result.out}")
        lab.check("PID 1 cannot run /sbin/flashinit: Permission denied" in result.out, result.out)
        lab.check_equal(m.sh(_STATE, timeout=60).out, before, "the system afterwards")
        # An orphan, which nobody but PID 1 reaps.
        m.sh("(sleep 0.1 & echo $! >/tmp/orphan); while [ -e /proc/$(cat /tmp/orphan) ]; do :; done; "
             "rm /tmp/orphan", check=True, timeout=60)
    m.kill()


def _update(lab, name, via="busybox"):
    """Update from inside, boot the new firmware without a reset, and read the flash with dd."""
    cpu = CPUS[name]
    old, new = _firmware(lab, cpu, 1, "1M"), _firmware(lab, cpu, 2, "3M")
    image = bench.pack(lab, 2, {cpu.flash.partition: f"{new},kind={cpu.flash.kind}"})
    m = cpus.start(lab, cpu, old, image).up(1, 180)
    machine = m.sh("uname -m", check=True, timeout=60).out
    lab.check_equal(machine, cpu.machine_name, "uname -m")
    m.send(f"flashinit update --via {via} --after boot /mnt/fw.fwi\n")
    m.up(2, 240)
    command, wanted = cpu.flash.expected(Path(new).read_bytes())
    found = m.sh(f"{command} | sha256sum", check=True, timeout=120).out.split()[0]
    lab.check_equal(found, hashlib.sha256(wanted).hexdigest(), "SHA-256 of the flash")


@scenario(timeout=500)
def cpu_amd64(lab):
    """x86_64 in the same manner: with the flash that Debian's own kernel simulates."""
    _update(lab, "amd64")


@scenario(timeout=500)
def cpu_i386(lab):
    """i386: an update from inside, the flash read back, and the new firmware booted."""
    _update(lab, "i386")


@scenario(timeout=500)
def cpu_armhf(lab):
    """armhf: the same."""
    _update(lab, "armhf")


@scenario(timeout=500)
def cpu_mipsel(lab):
    """mipsel: the same."""
    _update(lab, "mipsel")


@scenario(timeout=500)
def cpu_arm64(lab):
    """arm64: the same."""
    _update(lab, "arm64")


@scenario(timeout=500)
def cpu_riscv64(lab):
    """riscv64: the same."""
    _update(lab, "riscv64")


@scenario(timeout=500)
def ptrace_i386(lab):
    """i386: PID 1 is made to exec; where that fails, it goes on as before."""
    _exec_fails(lab, "i386")
    _update(lab, "i386", "ptrace")


@scenario(timeout=500)
def ptrace_armhf(lab):
    """armhf: the same."""
    _exec_fails(lab, "armhf")
    _update(lab, "armhf", "ptrace")


@scenario(timeout=500)
def ptrace_arm64(lab):
    """arm64: the same."""
    _exec_fails(lab, "arm64")
    _update(lab, "arm64", "ptrace")


@scenario(timeout=500)
def ptrace_mipsel(lab):
    """mipsel: the same."""
    _exec_fails(lab, "mipsel")
    _update(lab, "mipsel", "ptrace")


@scenario(timeout=500)
def ptrace_riscv64(lab):
    """riscv64: the same."""
    _exec_fails(lab, "riscv64")
    _update(lab, "riscv64", "ptrace")
