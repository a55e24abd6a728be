# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios: functions in tests/vm/scenarios/*.py marked with @scenario()."""

import importlib.util
import sys
from dataclasses import dataclass
from typing import Callable

from labkit import paths
from labkit.errors import LabError

_SCENARIOS = {}


@dataclass(frozen=True)
class Scenario:
    """A named test that takes a Lab."""
    name: str
    summary: str
    timeout: float
    function: Callable


def scenario(timeout=60):
    """Register a function as a scenario; its doc string's first line says what it shows."""

    def register(function):
        name = function.__name__.replace("_", "-")
        summary = (function.__doc__ or "").strip().splitlines()
        if not summary:
            raise LabError(f"scenario {name} has no doc string")
        if name in _SCENARIOS:
            raise LabError(f"two scenarios are called {name}")
        _SCENARIOS[name] = Scenario(name, summary[0], timeout, function)
        return function

    return register


def load():
    """Import every scenario file; gives the scenarios by name."""
    for path in sorted(paths.SCENARIOS.glob("*.py")):
        module_name = f"scenarios.{path.stem}"
        if module_name not in sys.modules:
            spec = importlib.util.spec_from_file_location(module_name, path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[module_name] = module
            spec.loader.exec_module(module)
    return _SCENARIOS
