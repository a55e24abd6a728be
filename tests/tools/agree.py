#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""agree.py FLASHINIT FLASHPACK [EMULATOR]: holds the programs against fwi.py, the other implementation of the image format.

FLASHINIT must allow and refuse what hostile.py says, each image in the lists that it writes. What FLASHPACK makes must be
allowed by fwi.py and hold what went in, and be the same bytes each time. EMULATOR runs FLASHINIT. Exits with 1 if anything is not so.
"""

import concurrent.futures
import os
import pathlib
import random
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent
OK, REFUSED, UNFIT = 0, 3, 4


class Disagreement(Exception):
    """A program does not do what it should; the message says what."""


def run(*command, wanted=OK):
    """Runs a command that must end with this exit code, or one of these."""
    # Without byte code beside the scripts, and whatever the user has set for the sanitizers.
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False
    )
    output = done.stdout.decode(errors="replace").strip()
    if done.returncode not in (wanted if isinstance(wanted, tuple) else (wanted,)):
        raise Disagreement(f"{' '.join(map(str, command))}: exit code {done.returncode}, wanted {wanted}: {output}")
    return output


def fwi(*arguments, wanted=OK):
    return run(sys.executable, TOOLS / "fwi.py", *arguments, wanted=wanted)


# What hostile.py makes


def read_list(path):
    """Pairs of a name and whether it is allowed."""
    with open(path, encoding="utf-8") as file:
        return [(words[0], words[1] == "allowed") for words in map(str.split, file)]


def hostile_commands(flashinit, folder):
    """Commands with the exit codes that they must end with."""
    verify = [*flashinit, "verify"]
    for name, allowed in read_list(folder / "cases.txt"):
        yield [*verify, folder / f"{name}.fwi"], OK if allowed else REFUSED
    with_key = [*verify, "--key", folder / "test.pub"]
    for name, allowed in read_list(folder / "keyed.txt"):
        yield [*with_key, folder / f"{name}.fwi"], OK if allowed else REFUSED
    image = folder / "keyed-signify.fwi"
    for name, allowed in read_list(folder / "keys.txt"):
        yield [*verify, "--key", folder / f"{name}.pub", image], OK if allowed else (REFUSED, UNFIT)


def check_hostile(flashinit, folder):
    run(sys.executable, TOOLS / "hostile.py", folder)
    commands = list(hostile_commands(flashinit, folder))
    faults = []

    def try_one(command):
        try:
            run(*command[0], wanted=command[1])
        except Disagreement as fault:
            faults.append(str(fault))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(try_one, commands))
    if faults:
        raise Disagreement("\n".join(sorted(faults)))
    assert len(commands) > 300, "hostile.py has lost its cases"
    return len(commands)


# What flashpack makes


def inputs(folder):
    """Files of different lengths with what is packed, kept and left out, and the options they go with."""
    chaos = random.Random(1)
    text = b"All work and no play makes Jack a dull boy. " * 5000
    for name, contents, options in (
        ("rootfs", text[:100_001] + b"\xff" * 50_000 + chaos.randbytes(30_000), "chunk-size=16k"),
        ("kernel", chaos.randbytes(65_536) + text[:65_536], "tail=keep,chunk-size=64k"),
        ("jffs2", b"\xff" * 4096 + text[:5000], "tail=jffs2,chunk-size=4k"),
        ("tiny", b"\xff", "chunk-size=1M"),
        ("image", text[:8191], "kind=ubi"),
        ("ubi", chaos.randbytes(5000), "kind=ubivol,volume=rootfs"),
        ("ubi", text[:4096], "kind=ubivol,volume=data,volume-size=1M,volume-type=static,chunk-size=4k"),
        ("mmcblk0p2", text[:200_000], "kind=block"),
    ):
        file = folder / f"input-{len(list(folder.glob('input-*')))}"
        file.write_bytes(contents)
        yield f"{name}={file},{options}", contents


def check_flashpack(flashinit, flashpack, folder):
    words, contents = zip(*inputs(folder), strict=True)
    image, again, signed = folder / "fw.fwi", folder / "again.fwi", folder / "signed.fwi"
    common = ["--fw-version", "1.2.3", "--board", "acme,router", "--board", "b", "--rollback-number", "7"]
    run(flashpack, "-o", image, *common, *words)
    run(flashpack, *words, *common, "-o", again)
    if image.read_bytes() != again.read_bytes():
        raise Disagreement("flashpack: not the same bytes from the same input")
    if "not signed" not in fwi("check", image):
        raise Disagreement("fwi.py check: takes an unsigned image for a signed one")
    run(*flashinit, "verify", image)
    for number, wanted in enumerate(contents, 1):
        fwi("extract", image, number, folder / "out")
        if (folder / "out").read_bytes() != wanted:
            raise Disagreement(f"payload {number} is not what went in")
    check_signing(flashinit, flashpack, folder, image, signed)
    return len(contents)


def check_signing(flashinit, flashpack, folder, image, signed):
    """The index that flashpack gives out, signed by hostile.py's key, makes an image that both of them take."""
    sys.dont_write_bytecode = True
    from hostile import KEY  # here, for the line before it

    key, signature, index = folder / "test.pub", folder / "fw.sig", folder / "fw.index"
    key.write_bytes(KEY.public())
    run(flashpack, "index", "-o", index, image)
    for form in ((), (b"Ed", b"legacy"), (b"ED", b"timestamp:1")):
        signature.write_bytes(KEY.sign(index.read_bytes(), *form))
        run(flashpack, "sign", "--key", key, "-o", signed, image, signature)
        if "signed by key" not in fwi("check", "--key", key, signed):
            raise Disagreement("fwi.py check: the signature counts for nothing")
        run(*flashinit, "verify", "--key", key, signed)
        run(*flashinit, "verify", "--key", key, image, wanted=REFUSED)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: agree.py FLASHINIT FLASHPACK [EMULATOR]")
    flashinit, flashpack = [*sys.argv[3:], sys.argv[1]], sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="flashinit-agree-") as name:
        folder = pathlib.Path(name)
        try:
            payloads = check_flashpack(flashinit, flashpack, folder)
            cases = check_hostile(flashinit, folder / "hostile")
        except Disagreement as fault:
            print(fault)
            return 1
    print(f"They agree about {cases} images and keys, and {payloads} payloads came back as they went in.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
