# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's own small helpers, compiled static with musl.

Each is a file tests/vm/guest/*.c, or a folder of such files.
"""

import hashlib
import os

from labkit import paths, tools

_FLAGS = ["-static", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]


def _compile(source):
    """Compile one helper, or find it compiled; the program's name covers all that it depends on."""
    files = sorted(source.glob("*.[ch]")) if source.is_dir() else [source]
    content = b"".join(file.read_bytes() for file in files)
    key = hashlib.sha256(content + " ".join(_FLAGS).encode()).hexdigest()[:12]
    program = paths.LAB / "guest" / f"{source.stem}-{key}"
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    partial = program.with_name(f"{program.name}.{os.getpid()}")
    triplet = tools.run("gcc", "-print-multiarch").strip()
    tools.run("musl-gcc", *_FLAGS, "-idirafter", "/usr/include",
              "-idirafter", f"/usr/include/{triplet}", "-o", partial,
              *(file for file in files if file.suffix == ".c"))
    partial.rename(program)
    return program


def helpers():
    """Name in the guest and compiled program of each helper."""
    sources = [path for path in paths.GUEST.iterdir() if path.is_dir() or path.suffix == ".c"]
    return {source.stem: _compile(source) for source in sorted(sources)}
