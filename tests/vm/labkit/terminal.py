# SPDX-License-Identifier: GPL-2.0-or-later
"""The person's own terminal: showing a console on it, and attaching it to a machine."""

import os
import select
import sys
import termios
import tty

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_QUIT_KEY = b"\x1d"  # Ctrl-]


class LiveConsole:
    """Print a machine's console, each line marked so that it is told from our own words."""

    def __init__(self, stream):
        self._stream = stream
        colour = stream.isatty()
        self._prefix = f"{_DIM}  | " if colour else "  | "
        self._suffix = _PLAIN if colour else ""
        self._at_start = True

    def __call__(self, text, _raw):
        for line in text.splitlines(keepends=True):
            if self._at_start:
                self._stream.write(self._prefix)
            self._at_start = line.endswith("\n")
            self._stream.write(line.rstrip("\n"))
            if self._at_start:
                self._stream.write(self._suffix + "\n")
        self._stream.flush()

    def finish(self):
        """Begin a new line if the console stopped in the middle of one."""
        if not self._at_start:
            self._stream.write(self._suffix + "\n")
            self._at_start = True


def show_raw(_text, raw):
    """Print a machine's console as it is, on a terminal in raw mode."""
    sys.stdout.write(raw)
    sys.stdout.flush()


def attach(machine):
    """Type on the machine's console until it is off or Ctrl-] is pressed."""
    keyboard = sys.stdin.fileno()
    saved = termios.tcgetattr(keyboard) if os.isatty(keyboard) else None
    if saved:
        tty.setraw(keyboard)
    try:
        while machine.running:
            ready, _, _ = select.select([keyboard], [], [], 0.2)
            if not ready:
                continue
            typed = os.read(keyboard, 4096)
            if not typed or _QUIT_KEY in typed:
                return
            machine.send(typed.decode(errors="replace"))
    finally:
        if saved:
            termios.tcsetattr(keyboard, termios.TCSADRAIN, saved)
