# SPDX-License-Identifier: GPL-2.0-or-later
"""NAND of a QEMU workbench: the kernel's own simulator, and how the stock tools read it.

The chip has 128 MiB in eraseblocks of 128 KiB, pages of 2 KiB and sub-pages of 512 bytes. What is
written is gone when the driver is unloaded.
"""

import re

ERASEBLOCK = 128 << 10
PAGE = 2048
SUBPAGE = 512
PAGES = ERASEBLOCK // PAGE

_CHIP = "id_bytes=0x20,0xa1,0x00,0x15"


def name(number):
    """The name of a partition, as /proc/mtd has it."""
    return f"NAND simulator partition {number}"


def load(w, *parts, **parameters):
    """Load the driver (again). `parts` are eraseblocks per partition, the rest is one more.

    Parameters are the driver's (badblocks, weakblocks, weakpages, gravepages, bitflips, bch); what
    they count is counted from the start of the chip.
    """
    words = [f"{key}={_words(value)}" for key, value in parameters.items()]
    w.run("rmmod nandsim 2>/dev/null; "
          f"modprobe nandsim {_CHIP} parts={_words(parts)} {' '.join(words)}")


def _words(value):
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def dump(w, number, bad="dumpbad", oob=False):
    """What nanddump reads from a partition; bad eraseblocks are in it or left out (skipbad)."""
    return w.get(f"nanddump {'-o' if oob else ''} --bb={bad} /dev/mtd{number} 2>/dev/null")


def bad_blocks(w, number):
    """Numbers of the partition's bad eraseblocks, counted from its start, as mtdinfo has them."""
    listing = w.run(f"mtdinfo -M /dev/mtd{number}")
    return [int(block) for block in re.findall(r"(\d+): [0-9a-f]{8} +BAD", listing)]
