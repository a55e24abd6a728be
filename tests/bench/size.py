#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the bytes of flashinit come from: sections, and whose source. Alone: size.py [--files]

The program is optimized as a whole when it is linked, so that the linker's map knows no source
files. So it is built once more with debug information and without stripping. Stripped, that one
must be the program itself, byte for byte. Of each instruction its line table tells the source
file, that of the innermost function where one is inlined; of constants their symbol; of texts
the function that they are used by, or the first one of several.
"""

import bisect
import collections
import re
import subprocess
import sys
from pathlib import Path

from table import Table

NAME = "size"
BUDGET = 200 * 1024

_TOP = Path(__file__).resolve().parents[2]
_MUSL = _TOP / "build" / "musl"
_PARTS = {
    "flash/": "ours: images, flash, journal",
    "init/": "ours: processes, PID 1, guard, commands",
    "small/": "ours: printf and other parts of a C library",
    "musl": "the C library",
    "zlib": "inflate, CRC-32",
    "libsodium": "Ed25519, SHA-256, SHA-512, BLAKE2b",
    "libgcc": "the compiler's own",
    "not attributed": "texts without a function, padding, what has no line",
}
_KINDS = ("code", "constants", "texts", "data")


def _run(*command, **kwargs):
    return subprocess.run(list(map(str, command)), check=True, text=True,
                          stdout=subprocess.PIPE, **kwargs).stdout


def _cached(name):
    cache = (_MUSL / "CMakeCache.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\w+=(.*)$", cache, re.MULTILINE)
    return found.group(1) if found else ""


def _build():
    """The program with debug information, and its map."""
    where = _TOP / "build" / "bench" / "size"
    link = " ".join(flag for flag in _cached("CMAKE_EXE_LINKER_FLAGS").split() if flag != "-s")
    settings = {
        "CMAKE_C_FLAGS_MINSIZEREL": _cached("CMAKE_C_FLAGS_MINSIZEREL") + " -g",
        "CMAKE_EXE_LINKER_FLAGS": link,
        "FLASHINIT_DEPS_DIR": _cached("FLASHINIT_DEPS_DIR") or _TOP / "build" / "deps",
    }
    _run("cmake", "--fresh", "--preset", "musl", "-B", where,
         *(f"-D{name}={value}" for name, value in settings.items()), cwd=_TOP)
    _run("cmake", "--build", where, "--target", "flashinit", "-j2")
    stripped = where / "flashinit.stripped"
    _run("strip", "-o", stripped, where / "flashinit")
    if stripped.read_bytes() != (_MUSL / "flashinit").read_bytes():
        raise RuntimeError("debug information changes the program: build/musl is of another state")
    return where / "flashinit", where / "flashinit.map"


def _owner(path):
    """Whose a source file or an object is."""
    folder = Path(path).parent.name
    if folder in ("flash", "init", "small"):
        return folder + "/"
    patterns = {
        "libsodium": r"libsodium|changed/crypto_",
        "zlib": r"zlib|changed/adler32",
        "libgcc": r"libgcc|crtbegin|crtend",
        "musl": r"musl|libc\.a|Scrt1|crti|crtn|changed/src/",
        "small/": r"small\.dir|/small/",
    }
    found = (owner for owner, pattern in patterns.items() if re.search(pattern, path))
    return next(found, "not attributed")


def _lines(program):
    """Where code of a source line begins, ascending, and the line's file."""
    # A program with no line table, an assembler's, has warnings.
    rows = _run("readelf", "--debug-dump=decodedline", program, stderr=subprocess.DEVNULL)
    starts = sorted({int(row, 16) for row in re.findall(r"\b0x([0-9a-f]+)\b", rows)})
    files = _run("addr2line", "-e", program, input="".join(f"{start:#x}\n" for start in starts))
    return starts, [line.rsplit(":", 1)[0] for line in files.splitlines()]


def _symbols(program):
    """The source file of each symbol that has one."""
    named = re.findall(r"^\w+ \w+ \w (\S+)\t(.*):\d+$",
                       _run("nm", "--line-numbers", "--print-size", program), re.MULTILINE)
    return dict(named)


def _variables(program):
    """The source file that each variable of a fixed address is in."""
    units, variables = [], []
    die, origin, tag = 0, 0, ""
    for line in _run("readelf", "--wide", "--debug-dump=info", program,
                     stderr=subprocess.DEVNULL).splitlines():
        if begins := re.match(r" <\d+><([0-9a-f]+)>: .*\((DW_TAG_\w+)\)", line):
            die, tag = int(begins.group(1), 16), begins.group(2)
            origin = die
        elif "DW_AT_name" in line and tag == "DW_TAG_compile_unit":
            units.append((die, line.rsplit(": ", 1)[1].strip()))
        elif "DW_AT_abstract_origin" in line:
            origin = int(re.search(r"<0x([0-9a-f]+)>", line).group(1), 16)
        elif found := re.search(r"DW_AT_location.*\(DW_OP_addr: ([0-9a-f]+)\)", line):
            variables.append((int(found.group(1), 16), origin))
    begin = [offset for offset, _ in units]
    return {address: units[bisect.bisect_right(begin, die) - 1][1] for address, die in variables}


def _placed(text):
    """The input sections of a map: name, address, size, object file."""
    text = text[text.index("Linker script and memory map"):]
    form = r"^ (\.[\w.$-]+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$"
    for name, address, size, file in re.findall(form, text, re.MULTILINE):
        if int(address, 16) and int(size, 16):
            yield name, int(address, 16), int(size, 16), file


def _kind(name):
    if ".str1." in name:
        return "texts"
    if name.startswith(".rodata"):
        return "constants"
    return "code" if re.match(r"\.(text|init|fini)\b", name) else "data"


def _sections(program):
    """The sections that take room in the file: name, size."""
    form = r"^\s*\[ *\d+\] (\.\S+)\s+(\w+)\s+([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) \S+ +(\w*)"
    return [(name, int(size, 16))
            for name, kind, address, size, flags in re.findall(
                form, _run("readelf", "--wide", "--sections", program), re.MULTILINE)
            if "A" in flags and kind != "NOBITS"]


def measure():
    """Bytes by (source file or object, kind), the sections, and the program's size."""
    program, linker_map = _build()
    starts, files = _lines(program)
    symbols, variables = _symbols(program), _variables(program)
    sections = _sections(program)
    ends = re.findall(r"\] (\.\S+)\s+\w+\s+([0-9a-f]+) ",
                      _run("readelf", "--wide", "--sections", program))
    unused = {int(address, 16) for name, address in ends if name == ".bss"}
    bytes_of = collections.Counter()
    for name, address, size, file in _placed(linker_map.read_text(encoding="utf-8")):
        if re.match(r"\.(bss|tbss|debug|comment|note)|COMMON", name) or address in unused:
            continue
        kind = _kind(name)
        if "ltrans" not in file:
            bytes_of[file, kind] += size
        elif kind == "code":
            at = address
            while at < address + size:
                row = bisect.bisect_right(starts, at)
                until = min(starts[row] if row < len(starts) else address + size, address + size)
                bytes_of[files[row - 1] if row else "?", kind] += until - at
                at = until
        else:
            symbol = re.sub(r"^\.(rodata|data\.rel\.ro|data)\.(local\.)?|\.str1\.\d+$", "", name)
            bytes_of[variables.get(address) or symbols.get(symbol, "?"), kind] += size
    return bytes_of, sections, (_MUSL / "flashinit").stat().st_size


def _by_part(bytes_of, sections, total):
    parts = collections.defaultdict(collections.Counter)
    for (file, kind), size in bytes_of.items():
        parts[_owner(file)][kind] += size
    loaded = sum(size for _, size in sections)
    parts["not attributed"]["data"] += loaded - sum(bytes_of.values())
    parts["not attributed"]["headers"] += total - loaded
    table = Table("Size of flashinit by part",
                  ["part", *_KINDS, "bytes", "per cent", "what it is"])
    for part, what in _PARTS.items():
        size = sum(parts[part].values())
        table.rows.append([part, *(parts[part][kind] for kind in _KINDS), size,
                           f"{100 * size / total:.1f}", what])
    table.rows.append(["all", *(sum(part[kind] for part in parts.values()) for kind in _KINDS),
                       total, "100.0", f"budget {BUDGET}: "
                       + (f"{total - BUDGET} too many" if total > BUDGET else "kept")])
    table.notes.append("\"not attributed\" includes the headers of the file. No library for MTD "
                       "or UBI is linked: flash/ talks to the kernel itself.")
    return table


def _by_section(sections, total):
    table = Table("Size of flashinit by section", ["section", "bytes", "per cent"])
    rows = [*sections, ("headers and padding", total - sum(size for _, size in sections))]
    for name, size in rows:
        table.rows.append([name, size, f"{100 * size / total:.1f}"])
    table.rows.append(["all", total, "100.0"])
    return table


def run(_lab=None, _quick=False):
    """The framework's entry: two tables."""
    bytes_of, sections, total = measure()
    return [_by_section(sections, total), _by_part(bytes_of, sections, total)]


def main():
    """Print the tables, with --files also the source files, largest first."""
    for table in run():
        print(table)
    if "--files" in sys.argv[1:]:
        per_file = collections.Counter()
        for (file, _), size in measure()[0].items():
            per_file[_owner(file) + " " + Path(file).name] += size
        for file, size in per_file.most_common():
            print(f"{size:7} {file}")


if __name__ == "__main__":
    main()
