# SPDX-License-Identifier: GPL-2.0-or-later
"""Which images a device takes: signatures, boards, anti-rollback numbers, plain partition images."""

import gzip
import hashlib
from pathlib import Path

from labkit import bench, paths, tools
from labkit.scenario import scenario


class Signer:
    """Keys and signatures by the stock programs."""

    def __init__(self, lab):
        self.folder = lab.folder

    def signify_key(self, name):
        """Make a key pair; the public key's path."""
        public = self.folder / f"{name}.pub"
        tools.run("signify-openbsd", "-G", "-n", "-p", public, "-s", self.folder / f"{name}.sec")
        return public

    def minisign_key(self, name):
        """The same with minisign."""
        public = self.folder / f"{name}.pub"
        tools.run("minisign", "-G", "-W", "-p", public, "-s", self.folder / f"{name}.sec")
        return public

    def _insert(self, image, signature, name):
        signed = self.folder / f"{name}.fwi"
        tools.run(paths.FLASHPACK, "sign", "-o", signed, image, signature)
        return signed

    def _index(self, image):
        index = self.folder / "index"
        tools.run(paths.FLASHPACK, "index", "-o", index, image)
        return index

    def signify(self, image, key, name):
        """A copy of the image, signed."""
        index, signature = self._index(image), self.folder / "signature"
        tools.run("signify-openbsd", "-S", "-s", self.folder / f"{key}.sec", "-m", index,
                  "-x", signature)
        return self._insert(image, signature, name)

    def minisign(self, image, key, name, *options):
        """The same with minisign; `-l` for its legacy form."""
        index, signature = self._index(image), self.folder / "signature"
        tools.run("minisign", "-S", "-s", self.folder / f"{key}.sec", "-m", index, "-x", signature,
                  *options)
        return self._insert(image, signature, name)


def _refused(lab, machine, command, words, code=3):
    result = machine.sh(command)
    lab.check_equal(result.code, code, f"exit code of {command}: {result.out!r}")
    lab.check(words in result.out, f"{command}: {words!r} is not in {result.out!r}")


def _flip(path, offset, name):
    data = bytearray(Path(path).read_bytes())
    data[offset] ^= 1
    other = path.with_name(name)
    other.write_bytes(data)
    return other


@scenario(timeout=90)
def signed_images(lab):
    """A device with keys: signify and both forms of minisign are taken, everything else is refused."""
    signer = Signer(lab)
    keys = {"etc/flashinit.keys/a.pub": signer.signify_key("a"),
            "etc/flashinit.keys/b.pub": signer.minisign_key("b")}
    signer.signify_key("stranger")
    flash = lab.flash()
    new = lab.firmware(2, "squashfs-nand", flash, files=keys)
    plain = bench.pack(lab, 2, {"rootfs": new})
    other = bench.pack(lab, 3, {"data": b"z" * 5000})
    signed = signer.signify(plain, "a", "signed")
    other_signed = signer.signify(other, "a", "other-signed").read_bytes()
    data = signed.read_bytes()
    # The chunks of one signed image behind the index and signature of another.
    swapped = lab.folder / "swapped.fwi"
    chunks = int.from_bytes(other_signed[20:28], "little")
    swapped.write_bytes(other_signed[:-chunks] + data[-chunks:])
    stick = {"plain.fwi": plain, "signed.fwi": signed, "swapped.fwi": swapped,
             "minisign.fwi": signer.minisign(plain, "b", "minisign"),
             "legacy.fwi": signer.minisign(plain, "b", "legacy", "-l"),
             "stranger.fwi": signer.signify(plain, "stranger", "stranger"),
             "cut.fwi": lab.folder / "cut.fwi",
             "index.fwi": _flip(signed, 60, "index.fwi"),
             "chunk.fwi": _flip(signed, len(data) - 1000, "chunk.fwi")}
    (lab.folder / "cut.fwi").write_bytes(data[:-1])
    b = bench.on(lab, "squashfs-nand", files=keys, stick=stick)
    for name, words in (("plain", "is not signed, and 2 public keys are installed"),
                        ("stranger", "signed by a key that is not installed here"),
                        ("index", "damaged: index checksum does not match"),
                        ("chunk", "damaged: rootfs chunk"), ("cut", "cut short"),
                        ("swapped", "damaged: data chunk")):
        _refused(lab, b.machine, f"flashinit update /mnt/{name}.fwi", words)
    _refused(lab, b.machine, "flashinit update --force-board /mnt/signed.fwi",
             "for unsigned images only", code=2)
    _refused(lab, b.machine, "flashinit update --raw rootfs=/mnt/plain.fwi", "are not signed")
    for name, key in ("signed", "a.pub"), ("minisign", "b.pub"), ("legacy", "b.pub"):
        result = b.machine.sh(f"flashinit check /mnt/{name}.fwi", check=True)
        lab.check(f"whole, signed by {key}" in result.out, result.out)
    b.machine.send("flashinit update --after poweroff /mnt/minisign.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", new)


@scenario()
def damaged_key(lab):
    """A device whose public key is damaged takes no image at all."""
    key = {"etc/flashinit.keys/a.pub": "untrusted comment: a\nRWR=\n"}
    b = bench.on(lab, "squashfs-nand", files=key, filler="64k")
    _refused(lab, b.machine, "flashinit update /mnt/fw.fwi", "a.pub: not a public key", code=4)


@scenario()
def boards_and_rollback(lab):
    """Images for other boards or with a lower number are refused; the exceptions are said aloud."""
    conf = {"etc/flashinit.conf": "# this device\nboard = camera-2\nrollback-number = 5\n"
                                  "after = poweroff\n"}
    flash = lab.flash()
    new = lab.firmware(2, "squashfs-nand", flash, files=conf)

    def pack(name, *options):
        path = lab.folder / f"{name}.fwi"
        tools.run(paths.FLASHPACK, "-o", path, "--fw-version", "2", *options, f"rootfs={new}")
        return path

    stick = {f"{name}.fwi": pack(name, *options) for name, options in {
        "right": ("--board", "camera-1", "--board", "camera-2", "--rollback-number", "5"),
        "wrong": ("--board", "camera-3", "--rollback-number", "6"),
        "old": ("--board", "camera-2", "--rollback-number", "4"), "none": ()}.items()}
    b = bench.on(lab, "squashfs-nand", files=conf, stick=stick)
    wrong = "the image is for board camera-3, this is camera-2, by /etc/flashinit.conf"
    low = "has anti-rollback number 4, this device takes none below 5"
    _refused(lab, b.machine, "flashinit update /mnt/wrong.fwi", wrong)
    _refused(lab, b.machine, "flashinit update --allow-downgrade /mnt/wrong.fwi", wrong)
    _refused(lab, b.machine, "flashinit update /mnt/old.fwi", low)
    _refused(lab, b.machine, "flashinit update --force-board /mnt/old.fwi", low)
    _refused(lab, b.machine, "flashinit update /mnt/none.fwi", "anti-rollback number 0")
    b.machine.sh("flashinit check --force-board /mnt/wrong.fwi", check=True)
    b.machine.sh("flashinit check --allow-downgrade /mnt/old.fwi", check=True)
    b.machine.send("flashinit update /mnt/right.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff, by the configuration")
    lab.check_flash(b.flash, "rootfs", new)


@scenario()
def swapped_image(lab):
    """Another image, whole and signed, but too old, takes the place of the one that was admitted."""
    signer = Signer(lab)
    files = {"etc/flashinit.keys/a.pub": signer.signify_key("a"),
             "etc/flashinit.conf": "rollback-number = 5\n"}
    flash = lab.flash()
    new = lab.firmware(2, "squashfs-nand", flash, files=files)

    def pack(name, number):
        path = lab.folder / f"{name}-unsigned.fwi"
        tools.run(paths.FLASHPACK, "-o", path, "--fw-version", name, "--rollback-number", number,
                  f"rootfs={new}")
        return signer.signify(path, "a", name)

    stick = {"old.fwi": pack("old", 4), "new.fwi": pack("new", 5)}
    b = bench.on(lab, "squashfs-nand", files=files, stick=stick)
    before = b.flash.read("rootfs")
    b.machine.sh("cp /mnt/new.fwi /tmp/fw", check=True)
    b.machine.sh(bench.standing("flashinit update /tmp/fw"), check=True)
    b.machine.sh("cat /mnt/old.fwi >/tmp/fw", check=True)
    lab.check_equal(b.machine.sh(bench.GO_ON).code, 3, "exit code")
    error = b.machine.sh("cat /tmp/standing").out
    lab.check("was not the same when read again: it is another image now" in error, error)
    lab.check_equal(b.machine.sh("grep -c flashinit /proc/mounts").out, "0", "mounts left")
    b.machine.kill()
    lab.check(b.flash.read("rootfs") == before, "the flash was changed")


@scenario(timeout=90)
def raw_images(lab):
    """Plain partition images: checksums by option and beside the file, gzip, two at once."""
    flash = lab.flash()
    new = lab.firmware(2, "squashfs-nand", flash)
    raw, data = new.read_bytes(), bytes(range(256)) * 3000
    right = hashlib.sha256(raw).hexdigest()
    packed = gzip.compress(raw, 6)
    stick = {"root": raw, "packed.gz": packed, "data": data,
             "sum": raw[:70000], "sum.sha256": hashlib.sha256(raw[:70000]).hexdigest() + "  sum\n",
             "bad": raw[:70000], "bad.sha256": right + "  bad\n",
             "cut.gz": packed[:-20], "long.gz": packed + b"rubbish", "empty": b"", "big": bytes((2 << 20) + 1)}
    b = bench.on(lab, "squashfs-nand", stick=stick)
    m = b.machine
    for command, words, code in (
            (f"rootfs=/mnt/root --sha256 {'0' * 64}", "its SHA-256 is not the expected one", 3),
            ("rootfs=/mnt/root --crc32 00000000", "its CRC-32 is not the expected one", 3),
            ("rootfs=/mnt/bad", "its SHA-256 is not the expected one", 3),
            ("rootfs=/mnt/cut.gz", "cut short", 3), ("rootfs=/mnt/long.gz", "not a gzip file", 3),
            ("rootfs=/mnt/empty", "is empty", 3), ("rootfs=/mnt", "is a directory", 3),
            ("rootfs=/mnt/none", "No such file", 3), ("kernel=/mnt/root", "no MTD partition", 4),
            ("data=/mnt/big", "data: too small", 4), ("rootfs", "PARTITION=FILE", 2)):
        _refused(lab, m, f"flashinit update --raw {command}", words, code)
    lab.check("its SHA-256 is right" in m.sh("flashinit check --raw data=/mnt/sum").out, "sidecar")
    m.send(f"flashinit update --after poweroff --raw rootfs=/mnt/packed.gz "
           f"--sha256 {hashlib.sha256(packed).hexdigest()} --raw data=/mnt/data\n")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", raw)
    lab.check_flash(b.flash, "data", data)
    b.power_on(2)
