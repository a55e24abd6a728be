#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the house that a compiler does not know.

flash/ is a library: it returns errors and reports progress through callbacks, so that PID 1, a host tool and a
simulation can all use it. It never prints, never ends the process, never looks at /proc and includes nothing of init/.
flash/flashpack.c is a program and may print and exit. init/ never calls an MTD ioctl: flash is flash/'s business.
Nobody prints floating point: the target programs' printf is built without it. flashinit's own is small/format.c.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = {"flash/flashpack.c"}

PRINTS = (
    "printf vprintf fprintf vfprintf dprintf vdprintf puts fputs putchar fputc putc perror psignal syslog vsyslog "
    "err errx verr verrx warn warnx vwarn vwarnx error error_at_line"
).split()
EXITS = "exit _exit _Exit quick_exit exit_group abort err errx verr verrx".split()

CALL = r"(?<![\w.>])({})\s*\("
COMMENT_OR_LITERAL = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
CONVERSION = re.compile(r"%[-+ #0']*[0-9*]*(?:\.[-0-9*]*)?(?:hh|h|ll|l|L|q|j|z|t)?.?")
KNOWN_CONVERSION = re.compile(r"%(0?[0-9]*|#)(l|ll|z|j)?[uxX]|%([1-9][0-9]*)?((l|ll|z|j)?[di]|(\.[0-9]+|\.\*)?s)|%c|%(0?[0-9]+)?\"")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def blank(text, keep):
    """Text with comments gone and literals, unless kept, emptied; lines stay where they are."""

    def replace(match):
        part = match.group()
        if part[0] == "/":
            return "\n" * part.count("\n") or " "
        return part if keep else part[0] * 2

    return COMMENT_OR_LITERAL.sub(replace, text)


class File:
    def __init__(self, path):
        self.name = str(path.relative_to(TOP))
        text = path.read_text(encoding="utf-8")
        self.with_literals = blank(text, keep=True)
        self.code = blank(text, keep=False)
        self.complaints = []

    def forbid(self, text, pattern, rule):
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start(1)) + 1
            self.complaints.append(f"{self.name}:{line}: {match.group(1)}: {rule}")

    def forbid_call(self, names, rule):
        self.forbid(self.code, CALL.format("|".join(names)), rule)

    def forbid_include(self, forbidden, rule):
        for match in INCLUDE.finditer(self.with_literals):
            if forbidden(match.group(1)):
                line = self.with_literals.count("\n", 0, match.start(1)) + 1
                self.complaints.append(f"{self.name}:{line}: {match.group(1)}: {rule}")


def check_flash(file, init_headers, flash_headers):
    def is_of_init(header):
        path = pathlib.PurePosixPath(header)
        return "init" in path.parts[:-1] or (path.name in init_headers - flash_headers)

    file.forbid_include(is_of_init, "flash/ includes no header of init/")
    if file.name in PROGRAMS:
        return
    file.forbid_call(PRINTS, "flash/ never prints: return an error or call a callback")
    file.forbid(file.code, r"\b(stdout|stderr)\b", "flash/ never prints: return an error or call a callback")
    file.forbid_call(EXITS, "flash/ never ends the process: return an error")
    file.forbid(file.with_literals, r'"(/proc\b[^"]*)"', "flash/ never looks at /proc: that is init/'s to do")


def check_init(file):
    file.forbid_include(
        lambda header: header.startswith("mtd/"),
        "init/ never talks to MTD: call flash/",
    )
    file.forbid(
        file.code,
        r"\b(MEM(?:GETINFO|ERASE(?:64)?|WRITE(?:OOB(?:64)?)?|READ(?:OOB(?:64)?)?|LOCK|UNLOCK|ISLOCKED|"
        r"GETBADBLOCK|SETBADBLOCK)|ECCGETSTATS|ECCGETLAYOUT|MTDFILEMODE)\b",
        "init/ never calls an MTD ioctl: call flash/",
    )


def check_all(file):
    """Each conversion in a literal of a line that formats is one that small/format.c knows."""
    for match in re.finditer(r'"(?:\\.|[^"\\\n])*"', file.with_literals):
        for conversion in CONVERSION.finditer(re.sub(r"%%", "  ", match.group())):
            if not KNOWN_CONVERSION.fullmatch(conversion.group()):
                line = file.with_literals.count("\n", 0, match.start()) + 1
                file.complaints.append(
                    f"{file.name}:{line}: {conversion.group()}: the target programs' printf does not know that"
                )


def main():
    def sources(folder):
        return sorted(path for path in (TOP / folder).rglob("*.[ch]"))

    init_headers = {path.name for path in sources("init") if path.suffix == ".h"}
    flash_headers = {path.name for path in sources("flash") if path.suffix == ".h"}
    complaints = []
    for path in sources("flash"):
        file = File(path)
        check_flash(file, init_headers, flash_headers)
        check_all(file)
        complaints += file.complaints
    for path in sources("init"):
        file = File(path)
        check_init(file)
        check_all(file)
        complaints += file.complaints
    print("\n".join(complaints) or "The rules of the house are kept.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
