#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""initramfs.py FLASHPACK: looks into what flashpack initramfs makes, with a reader of its own for the kernel's format.

What goes in must come out, in its place and with its rights, the same bytes each time; what cannot boot must be refused,
and leave nothing behind. Exits with 1 if anything is not so.
"""

import gzip
import pathlib
import stat
import struct
import subprocess
import sys
import tempfile

MADE, FAILED, USAGE, REFUSED = 0, 1, 2, 3
KEYS = pathlib.Path(__file__).resolve().parent.parent / "unit" / "fixtures"
FOLDERS = {name: (stat.S_IFDIR | 0o755, (0, 0), b"") for name in ("dev", "etc", "newroot", "proc", "sbin", "sys")}
NODES = {
    "dev/console": (stat.S_IFCHR | 0o600, (5, 1), b""),
    "dev/kmsg": (stat.S_IFCHR | 0o600, (1, 11), b""),
    "dev/null": (stat.S_IFCHR | 0o600, (1, 3), b""),
}


class Wrong(Exception):
    """Something is not as it should be; the message says what."""


def expect(condition, message):
    if not condition:
        raise Wrong(message)


# The kernel's format, by Documentation/driver-api/early-userspace/buffer-format.rst


def aligned(number):
    return -(-number // 4) * 4


def read_cpio(data):
    """{name: (mode, device, contents)}; all that must be the same in each entry is checked here."""
    entries, at = {}, 0
    while True:
        expect(data[at : at + 6] == b"070701", f"no header at {at}")
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        inode, mode, uid, gid, links, mtime, size, _, _, major, minor, name_size, check = fields
        name = data[at + 110 : at + 110 + name_size]
        expect(name.endswith(b"\0") and name.count(b"\0") == 1, f"{name}: does not end with its only NUL")
        name = name[:-1].decode()
        start = aligned(at + 110 + name_size)
        at = aligned(start + size)
        expect(len(data) >= at, f"{name}: is cut short")
        if name == "TRAILER!!!":
            expect(size == 0 and not any(data[at:]), "there is something behind the end")
            expect(len(data) % 512 == 0, "another archive behind it would not be found")
            return entries
        expect(name not in entries, f"{name}: is there twice")
        expect(inode == len(entries) + 1, f"{name}: another file has its inode")
        expect((uid, gid, mtime, check) == (0, 0, 0, 0), f"{name}: belongs to somebody, or has a time or a checksum")
        expect(links == (2 if stat.S_ISDIR(mode) else 1), f"{name}: has {links} links")
        entries[name] = (mode, (major, minor), data[start : start + size])


# What goes in


def program(machine=62, interpreter=b""):
    """The least that is an ELF program; of 64 bits and little-endian."""
    kind = 3 if interpreter else 1
    header = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, machine, 1, 1, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", kind, 5, 120, 0, 0, len(interpreter), 0, 1) + interpreter + b"code"


class Maker:
    """Runs flashpack in a folder of its own."""

    def __init__(self, flashpack, folder):
        self.flashpack, self.folder = flashpack, folder
        self.program = self.put("flashinit", program())

    def put(self, name, contents):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(contents)
        return path

    def run(self, *words, wanted, out="i.cpio"):
        """Gives the file's bytes if it is to be made, else what was said."""
        path = self.folder / "out" / out
        path.parent.mkdir(exist_ok=True)
        command = [str(word) for word in (self.flashpack, "initramfs", "-o", path, *words)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        said = done.stdout.decode(errors="replace")
        expect(done.returncode == wanted, f"{' '.join(command)}: exit code {done.returncode}, wanted {wanted}: {said}")
        made = [file.name for file in path.parent.iterdir()]
        if wanted != MADE:
            expect(made == [], f"{' '.join(command)}: left {made} behind")
            return said
        expect(made == [out], f"{' '.join(command)}: made {made}")
        contents = path.read_bytes()
        path.unlink()
        return contents

    def make(self, *words, **options):
        return self.run("--program", self.program, *words, wanted=MADE, **options)

    def refuse(self, wanted, why, *words, instead=None):
        said = self.run("--program", instead or self.program, *words, wanted=wanted)
        expect(why in said and said.count("\n") == 1, f"{words}: says {said!r}, not a line about {why!r}")


def check_contents(maker):
    config = maker.put("conf", b"# of a thin client\n\n  mode = recover\r\nsource = file:*.fwi")
    keys = [KEYS / "signify.pub", KEYS / "minisign.pub"]
    wanted = {
        **FOLDERS,
        **NODES,
        "init": (stat.S_IFREG | 0o755, (0, 0), program()),
        "sbin/flashinit": (stat.S_IFLNK | 0o777, (0, 0), b"../init"),
    }
    plain = maker.make()
    expect(read_cpio(plain) == wanted, "not what goes in without options")
    for key in keys:
        wanted[f"etc/flashinit.keys/{key.name}"] = (stat.S_IFREG | 0o644, (0, 0), key.read_bytes())
    wanted["etc/flashinit.keys"] = (stat.S_IFDIR | 0o755, (0, 0), b"")
    wanted["etc/flashinit.conf"] = (stat.S_IFREG | 0o644, (0, 0), config.read_bytes())
    wanted["dev/mtd0"] = (stat.S_IFCHR | 0o600, (90, 0), b"")
    wanted["dev/bus"] = wanted["dev/bus/a"] = (stat.S_IFDIR | 0o755, (0, 0), b"")
    wanted["dev/bus/a/b"] = (stat.S_IFBLK | 0o600, (4095, 1048575), b"")
    words = ["--config", config, "--device", "/dev/mtd0,c,90,0", "--device", "/dev/bus/a/b,b,4095,1048575"]
    words += [word for key in keys for word in ("--key", key)]
    full = maker.make(*words)
    entries = read_cpio(full)
    expect(entries == wanted, f"not what goes in: {sorted(entries)}")
    names = list(entries)
    for name in names:
        folder = name.rpartition("/")[0]
        expect(not folder or names.index(folder) < names.index(name), f"{name}: comes before its folder")
    expect(maker.make(*words) == full, "not the same bytes from the same input")
    packed = maker.make(*words, out="i.cpio.gz")
    expect(gzip.decompress(packed) == full, "what is compressed is something else")
    expect(packed[3:9] == b"\0\0\0\0\0\2", "the compressed file has a name or a time")
    expect(maker.make(*words, out="j.cpio.gz") == packed, "not the same compressed bytes")
    twice = maker.put("twice", plain + full).read_bytes()
    expect(read_cpio(twice[len(plain) :]) == wanted, "an archive behind another one is not found")


def check_refusals(maker):
    put, refuse = maker.put, maker.refuse
    dynamic = put("dynamic", program(interpreter=b"/lib/ld-musl-armhf.so.1\0"))
    refuse(REFUSED, "it needs /lib/ld-musl-armhf.so.1", instead=dynamic)
    refuse(REFUSED, "no ELF", instead=put("script", b"#!/bin/sh\n"))
    refuse(REFUSED, "no ELF", instead=put("empty", b""))
    refuse(REFUSED, "cut short", instead=put("short", program()[:100]))
    refuse(REFUSED, "has more than", instead="/dev/zero")
    refuse(FAILED, "cannot open", instead=maker.folder / "none")
    refuse(FAILED, "cannot read", instead=maker.folder)
    refuse(FAILED, "cannot open", "--config", maker.folder / "none")
    refuse(REFUSED, "zero byte", "--config", put("binary", b"mode = guard\n\0"))
    refuse(REFUSED, "line 2: should be", "--config", put("words", b"a = b\nmode guard\n"))
    refuse(REFUSED, "has more than", "--config", put("long", b"#" * 65537))
    refuse(USAGE, "twice", "--config", put("a", b""), "--config", put("b", b""))
    refuse(USAGE, "twice", "--program", maker.program)
    refuse(REFUSED, "not a public key", "--key", put("secret.pub", b"untrusted comment: x\nRWQ=\n"))
    refuse(REFUSED, "not a public key", "--key", put("void.pub", b""))
    refuse(FAILED, "cannot open", "--key", maker.folder / "none.pub")
    refuse(USAGE, "*.pub", "--key", put("key", (KEYS / "signify.pub").read_bytes()))
    again = put("other/signify.pub", (KEYS / "signify.pub").read_bytes())
    refuse(USAGE, "signify.pub: is there already", "--key", KEYS / "signify.pub", "--key", again)
    refuse(USAGE, "more than 16", *["--key", KEYS / "signify.pub"] * 17)
    for device in ("/dev/null,c,1,3", "/init/x,c,1,3", "/dev/null/x,c,1,3", "/sbin/flashinit/x,b,1,1", "/etc,c,1,1"):
        refuse(USAGE, device.partition(",")[0], "--device", device)
    refuse(USAGE, "flashpack initramfs", "more")
    refuse(USAGE, "flashpack initramfs", "--fw-version", "1")
    maker.run(wanted=USAGE)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: initramfs.py FLASHPACK")
    with tempfile.TemporaryDirectory(prefix="flashinit-initramfs-") as name:
        try:
            maker = Maker(sys.argv[1], pathlib.Path(name))
            check_contents(maker)
            check_refusals(maker)
        except Wrong as fault:
            print(fault)
            return 1
    print("What went in came out, and what cannot boot was refused.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
