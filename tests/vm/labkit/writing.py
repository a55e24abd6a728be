# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write in a workbench, and what to write."""

import hashlib
import itertools
import shlex
from pathlib import Path

from labkit import image, rootfs
from labkit.errors import CheckFailed

DONE, REFUSED, UNFIT, FLASH_FAILED, BUSY = 0, 3, 4, 5, 6

_NUMBERS = itertools.count(1)


def sample(length, seed):
    """Bytes such as an image has: mostly dense, with blank and zeroed stretches of some pages."""
    data = bytearray(rootfs.filler(length, seed))
    for start in range(0, length - 40000, 300000):
        data[start + 9000:start + 20000] = b"\xff" * 11000
        data[start + 30000:start + 36000] = bytes(6000)
    return bytes(data)


def check_same(found, wanted, what):
    """Fail unless two byte strings are equal; say where they begin to differ."""
    if found == wanted:
        return
    if len(found) != len(wanted):
        raise CheckFailed(f"{what}: {len(found)} bytes, wanted {len(wanted)}")
    at = next(i for i, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1])
    ours, theirs = (text[at:at + 16].hex(" ") for text in (found, wanted))
    raise CheckFailed(f"{what}: from byte {at:#x} of {len(found):#x} on {ours}, wanted {theirs}")


def check_image(found, content, what):
    """Fail unless what was found is the image, and blank flash behind it."""
    check_same(found, content.ljust(len(found), b"\xff"), what)


def raw(w, part, content, *options):
    """The words --raw PART=FILE,… for bytes or a file of the host."""
    path = w.put(f"in-{next(_NUMBERS)}", content)
    return "--raw " + shlex.quote(",".join([f"{part}={path}", *options]))


def write(w, words, code=DONE, mentions=(), timeout=60):
    """Run flashinit write; it must end with that exit code, and name what it should."""
    done = w.sh(f"flashinit write {words}", timeout=timeout)
    if done.code != code:
        raise CheckFailed(f"flashinit write {words}: exit code {done.code}, wanted {code}\n"
                          f"{done.out}")
    for word in mentions:
        if word not in done.out:
            raise CheckFailed(f"flashinit write {words}: {word!r} is not mentioned in\n{done.out}")
    return done.out


def write_nothing(w, words):
    """The same again finds that nothing is to be done: it neither erases nor programs."""
    w.count_operations()
    write(w, words)
    operations = w.operations()
    if any(operations.values()):
        raise CheckFailed(f"flashinit write {words}, a second time: {operations}")


class Files:
    """A file tree to pack into a file system, and to find again in it."""

    def __init__(self, lab, seed, size=600000):
        self.tree = lab.folder / f"files-{seed}"
        self.contents = {
            "etc/version": f"{seed}\n".encode(), "empty": b"", "zeros": bytes(70000),
            "bin/dense": sample(size, seed), f"only-in-{seed}": b"x" * 5000,
        }
        for name, content in self.contents.items():
            rootfs.put(self.tree, name, content)

    def pack(self, file_system, geometry):
        """The path of a partition image of that file system."""
        path = Path(f"{self.tree}.{next(_NUMBERS)}.{file_system}")
        return image.pack(self.tree, path, file_system, geometry)

    def check(self, w, mount_point):
        """The mounted file system has these files, with these contents, and no others."""
        listing = w.run(f"(cd {mount_point} && find . -type f | sort | xargs sha256sum)")
        found = {name[2:]: digest for digest, name in map(str.split, listing.splitlines())}
        wanted = {name: hashlib.sha256(content).hexdigest()
                  for name, content in self.contents.items()}
        if found != wanted:
            raise CheckFailed(f"files of {mount_point}: found {found}, wanted {wanted}")
