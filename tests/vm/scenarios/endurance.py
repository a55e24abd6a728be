# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine for a long time: whatever runs on it, each update does what it should."""

import random

from labkit import bench
from labkit.scenario import scenario

_LAYOUT = "jffs2-nand"
_UPDATES = 100
_GROUPS = "processes", "holders", "namespaces", "mounts", "fuse"


def _kinds(machine):
    """All kinds of stragglers that the guest has."""
    listing = "\n".join(machine.sh(f"straggler --list {group}", check=True).out
                        for group in _GROUPS)
    return [line.split()[0] for line in listing.splitlines()]


@scenario(timeout=1500)
def update_hundred_times(lab):
    """From firmware 1 to 2 and back, a hundred times, with random stragglers: all outcomes right."""
    dice = random.Random(20261122)
    flash = lab.flash(badblocks=[3, 77])
    images = {version: lab.firmware(version, _LAYOUT, flash, filler="512K") for version in (1, 2)}
    flash.write("rootfs", images[1])
    stick = lab.disk({f"fw-{version}.fwi": bench.pack(lab, version, {"rootfs": images[version]})
                      for version in images})
    kinds = None
    for count in range(_UPDATES + 1):
        version = 1 + count % 2
        machine = lab.uml(flash, "jffs2", disks=[stick]).up(version)
        if count == _UPDATES:
            break
        kinds = kinds or _kinds(machine)
        lab.check(len(kinds) >= 30, f"stragglers: only {kinds}")
        some = dice.sample(kinds, dice.randint(1, 5))
        late = dice.choice(["", "--late"])
        print(f"update {count + 1}: {late} {' '.join(some)}", flush=True)
        machine.sh("mount /dev/ubda /mnt", check=True)
        machine.sh(f"straggler {late} {' '.join(some)}", check=True)
        machine.send(f"flashinit update --after poweroff /mnt/fw-{3 - version}.fwi\n")
        lab.check_equal(machine.wait_exit(90), 0, "exit code after poweroff")
        lab.check_flash(flash, "rootfs", images[3 - version])
