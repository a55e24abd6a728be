#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""seeds.py OUTDIR: writes inputs that the fuzzers can start with to OUTDIR/FUZZER/.

Right ones, and those that tests/tools/hostile.py breaks, as long as they are small. What is kept in corpus/ was chosen
among these and what the fuzzers found: see README.md.
"""

import gzip
import pathlib
import struct
import sys
import zlib

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOP / "tests/tools"))

import fwi  # noqa: E402
import hostile  # noqa: E402

IMAGE_MOST = 2000  # bytes
MESSAGE = b"an index"  # as signature.c and key.c have it


def small_image():
    """A payload of each kind, and a chunk of each encoding, in few bytes."""
    return hostile.image_of(
        fwi.payload_fields(b"kernel", hostile.text(4096) + b"\xff" * 4096 + hostile.noise(20)),
        fwi.payload_fields(b"data", hostile.text(50), kind=2),
        fwi.payload_fields(b"ubi", hostile.text(10), kind=3, volume=(0, 1, b"rootfs")),
        fwi.payload_fields(b"mmcblk0p2", b"\xff" * 10, kind=4, chunk_size=8192),
    )


def images():
    yield hostile.image_of(fwi.payload_fields(b"blank", b"\xff" * 10000)).build()
    yield hostile.image_of(fwi.payload_fields(b"packed", hostile.text(10000))).build()
    base = small_image()
    for case in (*hostile.cases(base), *hostile.keyed_cases(base)):
        if len(case.data) <= IMAGE_MOST:
            yield case.data


def indexes():
    for image in images():
        if len(image) > 40:
            yield image[40 : 40 + struct.unpack_from("<I", image, 12)[0]]


def signatures():
    for image in images():
        if len(image) > 40:
            index, signature = struct.unpack_from("<II", image, 12)
            yield image[40 + index : 40 + index + signature]
    comment = b"timestamp:1\tfile:x"
    for key in (hostile.KEY, hostile.OTHER_KEY):
        yield key.sign(MESSAGE)
        yield key.sign(MESSAGE, b"Ed", comment)
        yield key.sign(MESSAGE, b"ED", comment)


def keys():
    for case in hostile.key_cases():
        yield case.data


CONTENTS = (b"", b"x", hostile.noise(300), hostile.text(5000), b"\xff" * 100000, hostile.noise(20000))


LONG = 62600  # bytes


def long_stream(wrapping):
    """Longer than the 16 KiB that the readers take at once, and still shorter than its contents, which are LONG."""
    packed = zlib.compressobj(9, zlib.DEFLATED, wrapping)
    stream = b"".join(packed.compress(b"x") + packed.flush(zlib.Z_FULL_FLUSH) for _ in range(2600))
    return stream + packed.compress(b"\xff" * (LONG - 2600)) + packed.flush()


def deflates():
    for contents in CONTENTS:
        for level in (0, 1, 9):
            stream = zlib.compress(contents, level)
            yield struct.pack("<I", max(len(contents) - 2, 0)) + stream
            yield struct.pack("<I", len(contents)) + stream[:-1]
    stream = long_stream(15)
    yield struct.pack("<I", LONG - 2) + stream
    yield struct.pack("<I", LONG - 2) + stream[:-1]


def gzips():
    yield long_stream(31)
    for contents in CONTENTS:
        packed = gzip.compress(contents, mtime=0)
        yield packed
        yield packed[:-1]
        yield packed + b"\0"
        yield packed + packed
    header = b"\x1f\x8b\x08\x1e\0\0\0\0\0\3" + b"\4\0ABCD" + b"name\0" + b"comment\0"
    yield header + struct.pack("<H", zlib.crc32(header) & 0xFFFF) + gzip.compress(b"x", mtime=0)[10:]


def inittabs():
    yield b"::sysinit:/etc/init.d/rcS\nttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100\n::restart:/sbin/init\n"
    yield b"# comment\n\ntty1:12345:askfirst:-/bin/sh\n::ctrlaltdel:/sbin/reboot\n::shutdown:/bin/umount -a -r"
    yield b"::restart:/sbin/init \\\n--again\n::once:/bin/x \\\n  y\n::wait:/bin/z # why\n"
    yield b"::once:x\\"
    yield b"::once:x\\\\"
    yield b"::restar\\\nt:/sbin/init\n"
    yield b"::restart:/a\n:2:restart:/b\nnull::restart:/c"


def mountinfos():
    yield (
        b"15 20 0:3 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
        b"16 20 0:14 / /sys rw shared:2 - sysfs sysfs rw\n"
        b"20 1 31:3 / / ro,relatime shared:1 master:2 - squashfs /dev/root ro,errors=continue\n"
        b"21 20 0:15 /a\\040b /mnt/a\\040b rw - ubifs ubi0:root\\134fs rw,assert=read-only,ubi=0,vol=1\n"
        b"22 20 0:18 / / rw - overlay overlay rw,lowerdir=/rom,upperdir=/overlay/upper,workdir=/overlay/work\n"
    )
    yield b"36 35 98:0 /mnt1 /mnt2 rw,noatime - ext3 /dev/root rw"
    yield b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3\n"


def procstats():
    yield b"1 (init) S 0 1 1 0 -1 4194560 1033 93366 22 133 1 40 142 74 20 0 1 0 1 1662976 187\n"
    yield b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n"
    yield b"77 (a) R (b) c\n) Z 1 77 77 0 -1 4227084 0 0\n"
    yield b"5 (x) D 1"


def configs():
    yield b"# this device\nboard = acme,router\nboard=acme,router-2\nrollback-number = 4294967295\nafter = poweroff\n"
    yield b"after=halt\r\n\n\t# x\r\noutcome = /data/outcome\n"
    yield b"rollback-number = -1\n"
    yield b"board =\n"
    yield b"bord = x\n"
    yield b"\0\0\0rollback-number = 3\n"


def plans():
    yield b"image = /var/image.fwi\nafter = reboot\n"
    yield b"after = halt\nimage = x"
    yield b"image = " + b"x" * 255
    yield b"image=x\n"


def outcomes():
    line = b"flashinit: outcome 5 begun 2025-11-22T18:00:00Z firmware 2: erasing and writing\n"
    yield line + b"<5>[ 1.0] flashinit: outcome 0 done 2025-11-22T18:00:00Z well\n"
    yield line + line[:40]
    yield line[:-1]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: seeds.py OUTDIR")
    seeds = {
        "image": images,
        "index": indexes,
        "signature": signatures,
        "key": keys,
        "chunks": lambda: [b""],  # it makes the right ones itself
        "deflate": deflates,
        "gzip": gzips,
        "inittab": inittabs,
        "mountinfo": mountinfos,
        "procstat": procstats,
        "config": configs,
        "plan": plans,
        "outcome": outcomes,
    }
    for fuzzer, some in seeds.items():
        folder = pathlib.Path(sys.argv[1]) / fuzzer
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(dict.fromkeys(some())):
            (folder / f"{number:04}").write_bytes(data)


if __name__ == "__main__":
    main()
