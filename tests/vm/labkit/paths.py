# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are."""

import os
from pathlib import Path

VM = Path(__file__).resolve().parent.parent
KERNEL = VM / "kernel"
GUEST = VM / "guest"
SCENARIOS = VM / "scenarios"

REPOSITORY = VM.parent.parent
BUILD = Path(os.environ.get("FLASHINIT_BUILD", REPOSITORY / "build")).resolve()
LAB = BUILD / "lab"
RUNS = LAB / "run"

# The programs under test.
FLASHINIT = BUILD / "musl" / "flashinit"
FLASHPACK = BUILD / "musl" / "flashpack"
