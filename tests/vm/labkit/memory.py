# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's memory: how much an update needs and finds, and taking the rest away.

How much a machine has is measured and not known beforehand: a host that puts User-Mode Linux at
other addresses each time (see sandbox.py) takes up to 16 MiB of it.
"""

import json

_STEP_KIB = 96
_RAM_DISK_KIB = 16384  # of each of the two, CONFIG_BLK_DEV_RAM_SIZE


def look(machine, path, before=""):
    """What check finds out about the memory for an update from path: "needed", "available", "ok"."""
    machine.sh("sync; echo 3 >/proc/sys/vm/drop_caches", check=True)
    out = machine.sh(f"{before}flashinit check --json {path} 2>/dev/null").out
    return next(e for e in map(json.loads, out.splitlines()) if e.get("name") == "memory")


def take(machine, kib, taken=0):
    """Take memory for good: what a RAM disk holds is in no page cache and no file system."""
    while kib:
        disk, at = divmod(taken, _RAM_DISK_KIB)
        count = min(kib, _RAM_DISK_KIB - at)
        machine.sh(f"dd if=/dev/urandom of=/dev/ram{disk} bs=1k seek={at} count={count} "
                   "conv=notrunc 2>/dev/null && sync", check=True)
        taken, kib = taken + count, kib - count


def take_movable(machine, kib, _taken=0):
    """Take memory until the old root goes, in the tmpfs at /run."""
    machine.sh(f"head -c {kib}k /dev/urandom >>/run/fill", check=True)


def take_most(machine, path, before="", how=take, slack=600 << 10):
    """Take memory until an update from path has hardly more than it needs; gives the last look."""
    taken = 0
    while True:
        event = look(machine, path, before)
        kib = (event["available"] - event["needed"] - slack) >> 11  # half: to take it takes some, too
        if kib < _STEP_KIB:
            return event
        how(machine, kib, taken)
        taken += kib


# Linux raises what it holds back after a burst of allocations, by 4 MiB in a small guest, and lowers
# it later: what is available then comes and goes. Whatever is written last has that forgotten.
_HOLD_NOTHING_BACK = ("cd /proc/sys/vm && echo 0 >watermark_boost_factor && "
                      "cat watermark_scale_factor >/tmp/scale && cat /tmp/scale >watermark_scale_factor; "
                      "rm /tmp/scale; cd /")


def take_too_much(machine, path, before=""):
    """Take memory until an update from path lacks 2 MiB of what it needs."""
    machine.sh(_HOLD_NOTHING_BACK, check=True)
    event = look(machine, path, before)
    lacking = (event["available"] - event["needed"] >> 10) + 2048
    if lacking > 0:
        take(machine, lacking)
