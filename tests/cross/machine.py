#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""machine.py CPU OBJDUMP PROGRAM: that it is a static program for this CPU, for the oldest we promise.

Looks at the ELF header and the program headers, at what the sections of attributes say about the
CPU, and, where there are none, at each instruction.
"""

import re
import struct
import subprocess
import sys
from typing import NamedTuple

EXECUTABLE = 2
DYNAMIC, INTERPRETER = 2, 3


class Cpu(NamedTuple):
    bits: int
    order: str  # as struct has it
    machine: int  # of <elf.h>
    attribute: str = ""  # what readelf -hA says about the CPU, a pattern
    forbidden: str = ""  # instructions, a pattern


# What i586 lacks: conditional moves, comparisons of floating point that set flags, MMX and SSE, and
# no-operations of several bytes, which the Geode LX lacks, too.
AFTER_I586 = (
    r"\bf?cmov\w+|\bfu?comip?\b|%[xyz]?mm\d|\bnop[wl]\b|\bendbr\d+|\bprefetch\w*"
    r"|\b[lms]fence\b|\bsysenter\b"
)
CPUS = {
    "i386": Cpu(32, "<", 3, forbidden=AFTER_I586),
    "armhf": Cpu(32, "<", 40, attribute=r"Tag_CPU_arch: v7\b(?s:.*)Tag_FP_arch: VFPv3-D16"),
    "armel": Cpu(32, "<", 40, attribute=r"soft-float ABI(?s:.*)Tag_CPU_arch: v5TE\b"),
    "arm64": Cpu(64, "<", 183),
    "mipsel": Cpu(32, "<", 8, attribute=r"o32, mips32r2\b"),
    "mips": Cpu(32, ">", 8, attribute=r"o32, mips32r2\b"),
    "riscv64": Cpu(64, "<", 243, attribute="double-float ABI"),
}


def header_faults(cpu, data):
    """What is wrong about the ELF header and the program headers."""
    if data[:4] != b"\x7fELF":
        yield "not an ELF file"
        return
    if data[4] * 32 != cpu.bits:
        yield f"of {data[4] * 32} bits, wanted {cpu.bits}"
        return
    if data[5] != (1 if cpu.order == "<" else 2):
        yield "of the other byte order"
        return
    form = cpu.order + ("HHIQQQIHHH" if cpu.bits == 64 else "HHIIIIIHHH")
    kind, machine, _, _, first, _, _, _, size, count = struct.unpack_from(form, data, 16)
    if machine != cpu.machine:
        yield f"for machine {machine}, wanted {cpu.machine}"
    if kind != EXECUTABLE:
        yield f"of type {kind}, wanted {EXECUTABLE}"
    kinds = [struct.unpack_from(cpu.order + "I", data, first + i * size)[0] for i in range(count)]
    if DYNAMIC in kinds or INTERPRETER in kinds:
        yield "not static"


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def faults_of(cpu, objdump, program):
    with open(program, "rb") as file:
        yield from header_faults(cpu, file.read())
    if not re.search(cpu.attribute, output_of("readelf", "-hA", program)):
        yield f"readelf -hA has no {cpu.attribute}"
    if cpu.forbidden:
        lines = output_of(objdump, "--disassemble", "--no-show-raw-insn", program).splitlines()
        if len(lines) < 10000:
            yield f"{objdump} finds no more than {len(lines)} lines of code"
        for line in lines:
            if re.search(cpu.forbidden, line):
                yield f"needs a later CPU: {line.strip()}"


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in CPUS:
        sys.exit(f"usage: machine.py CPU OBJDUMP PROGRAM, where CPU is one of: {' '.join(CPUS)}")
    faults = list(faults_of(CPUS[sys.argv[1]], *sys.argv[2:]))
    for fault in faults[:20]:
        print(f"{sys.argv[3]}: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
