# SPDX-License-Identifier: GPL-2.0-or-later
"""Inits other than the one of Debian's busybox-static that the firmware has."""

from pathlib import Path

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


def _libraries(program):
    """The loader and the libraries of a program of this machine's release, by their paths in a root."""
    words = tools.run("ldd", program).split()
    return {word.lstrip("/"): Path(word) for word in words if word.startswith("/")}


def sysvinit():
    """The files of Debian's sysvinit: an init that is linked dynamically."""
    package = tools.build("package.sh", "sysvinit-core")
    init = next(path for path in (package / "sbin/init", package / "usr/sbin/init") if path.exists())
    return {"sbin/init": init, **_libraries(init)}
