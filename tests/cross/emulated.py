#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""emulated.py EMULATOR PROGRAM NATIVE FLASHPACK: PROGRAM says under QEMU what NATIVE says.

The images are made by this machine's flashpack: each kind of payload and encoding, signed, and with
a byte changed. Other images, hundreds of them, are agree.py's, which takes an emulator, too.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent.parent / "tools"
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOOLS))

from agree import inputs  # noqa: E402, here for the lines above
from hostile import KEY  # noqa: E402


def images(flashpack, folder):
    """A signed image and its key, and the same with one byte changed in its last chunk."""
    image, index, signature = folder / "plain.fwi", folder / "index", folder / "signature"
    words = [word for word, _ in inputs(folder)]
    options = ["--fw-version", "2.0", "--board", "acme"]
    subprocess.run([flashpack, "-o", image, *options, *words], check=True)
    subprocess.run([flashpack, "index", "-o", index, image], check=True)
    signature.write_bytes(KEY.sign(index.read_bytes()))
    subprocess.run([flashpack, "sign", "-o", folder / "signed.fwi", image, signature], check=True)
    (folder / "test.pub").write_bytes(KEY.public())
    broken = bytearray((folder / "signed.fwi").read_bytes())
    broken[-7] ^= 0x10
    (folder / "broken.fwi").write_bytes(broken)


# Arguments, and the exit code they must end with.
CASES = (
    (["--version"], 0),
    (["--help"], 0),
    (["--nonsense"], 2),
    (["info", "plain.fwi"], 0),
    (["info", "signed.fwi"], 0),
    (["verify", "plain.fwi"], 0),
    (["verify", "--key", "test.pub", "signed.fwi"], 0),
    (["verify", "--key", "test.pub", "plain.fwi"], 3),
    (["verify", "--key", "test.pub", "broken.fwi"], 3),
    (["check", "plain.fwi"], 4),
)


def said(command, arguments, folder):
    """Exit code and lines, but for the program's path; free memory is another at another time."""
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = done.stdout.decode(errors="replace").replace(command[-1], "flashinit")
    if arguments[0] == "check":
        text = re.sub(r"\d+( [KMG]iB)?", "N", text)
    return done.returncode, text


def main():
    if len(sys.argv) != 5:
        sys.exit("usage: emulated.py EMULATOR PROGRAM NATIVE FLASHPACK")
    emulator, program, native, flashpack = sys.argv[1:]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="flashinit-cross-") as name:
        folder = pathlib.Path(name)
        images(flashpack, folder)
        for arguments, wanted in CASES:
            ours = said([emulator, program], arguments, folder)
            theirs = said([native], arguments, folder)
            if ours != theirs or ours[0] != wanted:
                print(f"flashinit {' '.join(arguments)}: wanted exit code {wanted}")
                print(f"  emulated: {ours}\n  native: {theirs}")
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
