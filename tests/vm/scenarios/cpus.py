# SPDX-License-Identifier: GPL-2.0-or-later
"""Updates on other CPUs, under Debian's own kernels for them."""

import hashlib
from pathlib import Path

from labkit import bench, cpus
from labkit.cpus import BLOCKS, CPUS, ERASEBLOCK
from labkit.scenario import scenario


def _update(lab, name):
    """Update from inside, boot the new firmware without a reset, and read the flash with dd."""
    cpu = CPUS[name]
    files = cpus.programs(cpu)
    old, new = (lab.firmware(version, "squashfs-nand", files=files, filler=filler)
                for version, filler in ((1, "1M"), (2, "3M")))
    image = bench.pack(lab, 2, {cpus.PARTITION: new})
    m = cpus.start(lab, cpu, old, image).up(1, 180)
    machine = m.sh("uname -m", check=True, timeout=60).out
    lab.check_equal(machine, cpu.machine_name, "uname -m")
    m.send("flashinit update --after boot /mnt/fw.fwi\n")
    m.up(2, 240)
    content = Path(new).read_bytes()
    content += b"\xff" * (BLOCKS * ERASEBLOCK - len(content))
    wanted = hashlib.sha256(content).hexdigest()
    found = m.sh("sha256sum </dev/mtd0", check=True, timeout=120).out.split()[0]
    lab.check_equal(found, wanted, "SHA-256 of the flash")


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
