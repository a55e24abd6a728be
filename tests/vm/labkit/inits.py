# SPDX-License-Identifier: GPL-2.0-or-later
"""BusyBox inits other than the one of Debian's busybox-static that the firmware has."""

from labkit import tools

# What the lab's firmware cannot do without.
_USUAL = {"FEATURE_USE_INITTAB": "y", "FEATURE_INIT_SCTTY": "y"}


def of_debian(suite):
    """The path of the BusyBox of another Debian, "bullseye"."""
    return tools.build("busybox.sh", "debian", suite)


def configured(**options):
    """The path of a BusyBox that has only an init, with some of its options set otherwise."""
    words = [f"CONFIG_{name}={value}" for name, value in sorted({**_USUAL, **options}.items())]
    return tools.build("busybox.sh", "source", *words)
