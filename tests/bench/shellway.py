# SPDX-License-Identifier: GPL-2.0-or-later
"""The published shell procedure, as files of a firmware."""

from pathlib import Path

from labkit import inits

_SCRIPTS = Path(__file__).resolve().parent / "procedure"
_APPLETS = ("flash_eraseall", "flashcp", "nandwrite", "nanddump")


def procedure_files():
    """Its scripts, and BusyBox's applets for flash, which Debian's build has not."""
    applets = inits.configured(**{name.upper(): "y" for name in _APPLETS})
    scripts = {f"bin/{path.name}": path for path in _SCRIPTS.iterdir()}
    return {**scripts, f"usr/sbin/{_APPLETS[0]}": applets}


def procedure_links():
    """The applets' other names."""
    return {f"usr/sbin/{name}": _APPLETS[0] for name in _APPLETS[1:]}
