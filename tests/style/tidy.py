#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tidy.py BUILD CACHE: flash/ and init/ pass clang-tidy.

Reads the compile commands of the build folder BUILD. A file takes clang-tidy seconds, so each one that passed leaves a
mark in the folder CACHE, named after everything the verdict depends on: the source, the headers it includes, the
command, the checks and the tool.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def output(command, **kwargs):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **kwargs).stdout


def dependencies(entry):
    """The source and the headers it includes, as the compiler sees them."""
    command = entry.get("arguments") or shlex.split(entry["command"])
    where = command.index("-o")
    rule = output(command[:where] + command[where + 2 :] + ["-MM", "-MT", "x"], cwd=entry["directory"], text=True)
    names = rule.split(":", 1)[1].replace("\\\n", " ").split()
    return [pathlib.Path(entry["directory"], name) for name in names]


def fingerprint(entry, common):
    digest = hashlib.sha256(common)
    digest.update(json.dumps(entry, sort_keys=True).encode())
    for path in sorted(dependencies(entry)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def check(entry, build, cache, common):
    """What clang-tidy has to say against the file, or None."""
    mark = cache / fingerprint(entry, common)
    if mark.exists():
        return None
    # The compile commands are gcc's; clang need not know all of its warnings.
    tidy = subprocess.run(
        ["clang-tidy", "--quiet", "-p", str(build), "--extra-arg=-Wno-unknown-warning-option", entry["file"]],
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if tidy.returncode != 0:
        return tidy.stdout or tidy.stderr
    mark.touch()
    return None


def main():
    build, cache = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    cache.mkdir(parents=True, exist_ok=True)
    ours = (TOP / "flash", TOP / "init")
    entries = [
        entry
        for entry in json.loads((build / "compile_commands.json").read_text())
        if any(folder in pathlib.Path(entry["file"]).parents for folder in ours)
    ]
    common = output(["clang-tidy", "--version"]) + (TOP / ".clang-tidy").read_bytes()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = list(filter(None, pool.map(lambda entry: check(entry, build, cache, common), entries)))
    print("\n".join(complaints))
    print(f"{len(entries)} files, {len(complaints)} with complaints")
    return 1 if complaints or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
