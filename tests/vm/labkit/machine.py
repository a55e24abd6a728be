# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine: power, console and shell, whatever it is made of."""

import itertools
import shlex
import subprocess
from dataclasses import dataclass

from labkit import sandbox
from labkit.console import Console
from labkit.errors import CheckFailed, MachineError

_COMMANDS = itertools.count(1)
_MAX_LINE = 1000


@dataclass(frozen=True)
class Result:
    """What a command in the guest's shell came to."""
    code: int
    out: str


def _shell_word(text):
    """Quote for the guest's shell, on one line."""
    if "\n" not in text:
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"$'{escaped}'"


class Machine:
    """A machine that runs from the moment it is made."""

    def __init__(self, command, folder, log_path, live=None):
        self._console = Console(log_path, live)
        self._process = sandbox.start(command, folder, self._console.terminal)
        self._console.start()
        self._closed = False

    @property
    def console(self):
        """All that the console has shown so far."""
        return self._console.text

    @property
    def console_fd(self):
        """The file descriptor of the console, for select()."""
        return self._console.fileno()

    @property
    def running(self):
        """Is the power on?"""
        return self._process.poll() is None

    def stop_reading(self):
        """Read the console no more, so that it takes nothing once it is full."""
        self._console.stop_reading()

    def hang_up(self):
        """Take the terminal away that the console is on."""
        self._console.hang_up()

    def send(self, text):
        """Type on the console."""
        self._console.send(text)

    def expect(self, pattern, timeout=20):
        """Wait for a regular expression on the console, behind the last one that was seen."""
        return self._console.expect(pattern, timeout)

    def when(self, pattern):
        """When that text appeared on the console, in seconds of a clock that only goes forward."""
        return self._console.when(pattern)

    def up(self, version, timeout=30):
        """Wait until this firmware has started and its shell prompts."""
        self.expect(rf"^FIRMWARE {version} UP$", timeout)
        self.expect(rf"firmware {version}# ", timeout)
        return self

    def sh(self, command, timeout=20, check=False):
        """Run a command in the console's shell; `check` demands exit code 0.

        The marks around its output are typed in two pieces, so that their echo is no mark.
        """
        number = next(_COMMANDS)
        line = f"echo '<''<{number}'; eval {_shell_word(command)}; echo \"$?:{number}>\"'>'\n"
        if len(line) > _MAX_LINE:
            raise ValueError("the guest's shell reads no longer line; put it into a file")
        self.send(line)
        pattern = rf"<<{number}\n(.*?)(\d+):{number}>>\n"
        match = self._console.expect_clean(pattern, timeout)
        result = Result(int(match.group(2)), match.group(1).rstrip("\n"))
        if check and result.code:
            raise CheckFailed(f"{command}: exit code {result.code}\n{result.out}")
        return result

    def wait_exit(self, timeout=20):
        """Wait until the machine is off. Its exit code: 0 after poweroff, 137 after a power cut."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise MachineError(f"the machine is still on after {timeout} s. The console's last "
                               f"lines:\n{self._console.tail()}") from None
        self._close()
        return code

    def kill(self):
        """Pull the plug, and return when nothing of the machine is left."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self):
        if not self._closed:
            self._closed = True
            self._console.close()
