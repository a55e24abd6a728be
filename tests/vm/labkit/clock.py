# SPDX-License-Identifier: GPL-2.0-or-later
"""The time limit of a scenario."""

import signal
from contextlib import contextmanager

from labkit.errors import ScenarioTimeout


@contextmanager
def limit(seconds):
    """Raise ScenarioTimeout in the main thread when the time is over."""

    def expire(_signal, _frame):
        raise ScenarioTimeout(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def stopped():
    """Time that does not count, such as that of building a kernel for the first time."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
