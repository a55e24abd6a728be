# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's own small helpers: tests/vm/guest/*.c, compiled static with musl."""

import hashlib
import os

from labkit import paths, tools

_FLAGS = ["-static", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]


def _compile(source):
    """Compile one helper, or find it compiled; the folder's name covers all that it depends on."""
    key = hashlib.sha256(source.read_bytes() + " ".join(_FLAGS).encode()).hexdigest()[:12]
    program = paths.LAB / "guest" / f"{source.stem}-{key}"
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    partial = program.with_name(f"{program.name}.{os.getpid()}")
    triplet = tools.run("gcc", "-print-multiarch").strip()
    tools.run("musl-gcc", *_FLAGS, "-idirafter", "/usr/include",
              "-idirafter", f"/usr/include/{triplet}", "-o", partial, source)
    partial.rename(program)
    return program


def helpers():
    """Name in the guest and compiled program of each helper."""
    return {source.stem: _compile(source) for source in sorted(paths.GUEST.glob("*.c"))}
