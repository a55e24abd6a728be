# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the host's programs, and the laboratory's own build scripts."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

from labkit import clock, paths
from labkit.errors import LabError

_SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def find(program):
    """Path of a host program, also one that only root has in its PATH."""
    path = shutil.which(program, path=_SYSTEM_PATH)
    if not path:
        raise LabError(f"{program} is not installed; README.md lists the packages")
    return path


def run(program, *arguments, **options):
    """Run a host program; a failure is a LabError with what it said. Returns its stdout."""
    command = [find(program), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    if done.returncode:
        raise LabError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def run_as_owner(program, *arguments, **options):
    """Run a program that packs a file tree, so that files of ours appear as files of root."""
    if os.geteuid() == 0:
        return run(program, *arguments, **options)
    return run("unshare", "-r", find(program), *arguments, **options)


@functools.lru_cache(maxsize=None)
def build(script, *arguments):
    """Run a build script of tests/vm/kernel; its last line of stdout is the path of the result."""
    environment = {**os.environ, "FLASHINIT_BUILD": str(paths.BUILD)}
    with clock.stopped():
        done = subprocess.run([paths.KERNEL / script, *arguments], stdout=subprocess.PIPE, text=True,
                              check=False, env=environment)
    if done.returncode:
        raise LabError(f"{script} failed")
    return Path(done.stdout.strip().splitlines()[-1])
