# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests/demo.sh shows."""

from labkit import bench
from labkit.scenario import scenario


def _type(machine, version, command):
    """Type a command as a person would, and wait for the prompt after its output."""
    machine.send(f"{command}\n")
    machine.expect(rf"{command}\n")
    machine.expect(f"firmware {version}# ", timeout=60)


@scenario(timeout=180)
def demo(lab):
    """A machine whose root is on flash updates itself from inside, and boots the new firmware."""
    b = bench.on(lab, "jffs2-nor", lab.qemu)
    for command in ("cat /etc/version", "cat /proc/mtd", "grep ' / ' /proc/mounts",
                    "flashinit info /mnt/fw.fwi"):
        _type(b.machine, 1, command)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.up(2, timeout=90)
    _type(b.machine, 2, "cat /etc/version")
    b.machine.send("poweroff\n")
    lab.check_equal(b.machine.wait_exit(), 0, "exit code after poweroff")
