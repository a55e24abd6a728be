# SPDX-License-Identifier: GPL-2.0-or-later
"""The serial console of a machine, as a person would use it: type, and read what appears."""

import codecs
import os
import re
import select
import threading
import time
import tty

from labkit.errors import MachineError

# Kernel messages interrupt whatever is being printed; terminal control is noise in a log.
_KERNEL_MESSAGE = re.compile(r"\[ *\d+\.\d{6}\] [^\n]*\n")
_TERMINAL_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07")
_UNFINISHED_CONTROL = re.compile(r"\x1b(\[[0-9;?]*)?\Z")
_TAIL_LINES = 25
_ECHO_LENGTH = 12  # characters: the line editor wraps what is too long
_ECHO_S = 2
_GO_ON_KEY = "\x11"  # Ctrl-Q
_GO_ON_PRESSED = 3


def without_kernel_messages(text):
    """What programs printed, with the lines in one piece."""
    return _KERNEL_MESSAGE.sub("", text)


class Console:
    """A pseudo terminal whose other end is the machine's; everything seen is kept and logged.

    live(text, raw) is called with what appears, without and with terminal control.
    """

    def __init__(self, log_path, live=None):
        self._master, self.terminal = os.openpty()
        tty.setraw(self.terminal)
        self._log = open(log_path, "a", encoding="utf-8", errors="replace")
        self._live = live
        self._show("\n--- power on ---\n", "")
        self._changed = threading.Condition()
        self._text = ""
        self._arrivals = []  # (length of the text, when it had come to that)
        self._matched_to = 0
        self._ended = False
        self._may_read = threading.Event()
        self._may_read.set()
        self._wake, self._waker = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def _show(self, text, raw):
        self._log.write(text)
        self._log.flush()
        if self._live:
            self._live(text, raw)

    def start(self):
        """Begin to read, once the machine has its end of the terminal."""
        os.close(self.terminal)
        self._reader.start()

    def _take(self):
        """What is next; nothing once the machine has ended, or we have hung up."""
        self._may_read.wait()
        ready, _, _ = select.select([self._master, self._wake], [], [])
        if self._wake in ready:
            return b""
        try:
            return os.read(self._master, 65536)
        except OSError:
            return b""

    def stop_reading(self):
        """Leave what the machine writes where it is, until its terminal takes no more."""
        self._may_read.clear()

    def hang_up(self):
        """Close our end of the terminal."""
        os.write(self._waker, b"x")
        self._may_read.set()
        self._reader.join()
        os.close(self._master)
        self._master = None

    def _read(self):
        decoder, held = codecs.getincrementaldecoder("utf-8")("replace"), ""
        while True:
            data = self._take()
            raw = decoder.decode(data)
            text = _TERMINAL_CONTROL.sub("", held + raw)
            unfinished = _UNFINISHED_CONTROL.search(text)
            held = unfinished.group() if unfinished else ""
            text = text[:len(text) - len(held)]
            with self._changed:
                self._text += text
                self._arrivals.append((len(self._text), time.monotonic()))
                self._ended = not data
                self._changed.notify_all()
            self._show(text, raw)
            if not data:
                return

    def close(self):
        """Wait until the machine's end is closed, then close ours."""
        self._may_read.set()
        self._reader.join()
        self._log.close()
        for file in (self._master, self._wake, self._waker):
            if file is not None:
                os.close(file)

    @property
    def text(self):
        """All that has appeared so far."""
        with self._changed:
            return self._text

    def when(self, pattern):
        """When the first match of a regular expression had appeared, in seconds of our clock."""
        with self._changed:
            match = re.search(pattern, self._text, re.MULTILINE)
            if not match:
                raise MachineError(f"{pattern!r} did not appear")
            return next(when for length, when in self._arrivals if length >= match.end())

    def tail(self):
        """The last lines, for a message."""
        return "\n".join("  | " + line for line in self.text.splitlines()[-_TAIL_LINES:])

    def _type(self, text):
        data = text.encode()
        while data:
            data = data[os.write(self._master, data):]

    def _shows_since(self, length, word, timeout):
        """Does the word appear within that time behind so much text? No kernel message splits it."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._ended or word in without_kernel_messages(self._text[length:]),
                timeout)

    def send(self, text):
        """Type.

        User-Mode Linux may overlook that something was typed, once in a thousand lines, until the
        next key. So the echo of a line is waited for, and the key that lets a terminal go on is
        pressed, which does nothing else, and no program gets to see it. A console that has no echo,
        or on which nothing can appear, only costs the time.
        """
        length = len(self.text)
        self._type(text)
        echo = text[:_ECHO_LENGTH].strip()
        if not echo or not text.endswith("\n") or not self._may_read.is_set():
            return
        for _ in range(_GO_ON_PRESSED):
            if self._shows_since(length, echo, _ECHO_S):
                return
            self._type(_GO_ON_KEY)

    def _wait(self, find, what, timeout):
        """Wait until find(text since the last match) gives something; it may say where it ended."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = find(self._text[self._matched_to:])
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    break
                self._changed.wait(left)
            ended = self._ended
        reason = "the machine ended" if ended else f"nothing in {timeout} s"
        raise MachineError(f"waiting for {what}: {reason}. The console's last lines:\n"
                           f"{self.tail()}")

    def expect(self, pattern, timeout=20):
        """Wait for a regular expression in what appeared since the last match; gives the match."""
        regex = re.compile(pattern, re.MULTILINE)
        match = self._wait(regex.search, repr(pattern), timeout)
        self._matched_to += match.end()
        return match

    def expect_clean(self, pattern, timeout):
        """The same, on the text without kernel messages; what came before the match is used up."""
        regex = re.compile(pattern, re.DOTALL)
        start = {}

        def find(text):
            start["length"] = len(text)
            return regex.search(without_kernel_messages(text))

        match = self._wait(find, repr(pattern), timeout)
        self._matched_to += start["length"]
        return match

    def fileno(self):
        """For select(): our end of the terminal."""
        return self._master
