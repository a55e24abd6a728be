# SPDX-License-Identifier: GPL-2.0-or-later
"""In what state init was started, as guest/initstate.c tells it."""

import re

_BOOT_ID = re.compile(r"boot_id: (.*)")
_MOUNT_ID = re.compile(r"(mountinfo: )\d+ \d+ (\S+)")


def read(machine):
    """How init was started, without what differs from start to start; and the boot's own name."""
    text = machine.expect(r"(?s)<state\n(.*?)state>", timeout=40).group(1)
    boot = _BOOT_ID.search(text).group(1)
    text = _MOUNT_ID.sub(r"\1\2", _BOOT_ID.sub("", text))
    text = re.sub(r"uml_dir=\S+|(?<=SigQ:\t0)/\d+", "", text)
    return re.sub(r"(limits: Max (?:pending signals|processes)).*", r"\1", text), boot


def used_kib(machine):
    """The memory that is not to be had."""
    out = machine.sh("grep -E '^Mem(Total|Available)' /proc/meminfo", check=True).out
    total, available = map(int, re.findall(r"(\d+) kB", out))
    return total - available


def started(machine):
    """By the kernel's own clock: the milliseconds from its start to that of init."""
    return int(machine.expect(r"started (\d+) us", timeout=40).group(1)) / 1000
