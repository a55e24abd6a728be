# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices whose power is cut in mid-update, and again in mid-recovery, until the new firmware runs.

A device has flashinit as /init of an initramfs, as a guard, and a firmware 1 that updates itself as
soon as it is up. Each boot is a machine of its own; between them the flash is looked at.
"""

import os
import re
import shutil
import threading
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path

from labkit import bench, image, paths, rootfs, tools, ubi
from labkit.errors import CheckFailed, MachineError

MODES = ["torn", "unreadable", "before", "after"]

_MAX_BOOTS = 8
_PATIENCE = 120
_CUT_CODE = 137
_NOR_BUFFER = 512
_SIDE_BY_SIDE = 4
_LAST_LINES = 25

# Both firmwares have it; typing would be slower, and has to be waited for.
_UPDATE = """\
#!/bin/sh
[ "$(cat /etc/version)" = 1 ] || exit 0
grep -qw settle /proc/cmdline && exec poweroff
mount -t squashfs -o ro "$(ls /dev/ubda /dev/vda 2>/dev/null)" /mnt && flashinit update /mnt/fw.fwi
"""
_INITTAB = rootfs.INITTAB + "::once:/etc/update\n"


@dataclass(frozen=True)
class Cut:
    """The power goes at that operation since boot, 1 being the first; see flashsim's parameters."""
    operation: int
    mode: str = "torn"
    seed: int = 1

    def __str__(self):
        return f"{self.operation}-{self.mode}-{self.seed}"

    def faults(self):
        """As parameters of flashsim."""
        return {"cut": self.operation, "cutmode": self.mode, "seed": self.seed}


def chain_name(chain):
    """One cut per boot, as text: 812-torn-3+40-after-9."""
    return "+".join(map(str, chain)) or "none"


def parse_chain(name):
    """The other way."""
    words = (cut.split("-") for cut in name.split("+") if cut != "none")
    return [Cut(int(operation), mode, int(seed)) for operation, mode, seed in words]


def alone():
    """The one device that the environment asks for, or None."""
    name = os.environ.get("LAB_CUT")
    return parse_chain(name) if name else None


def guard_initramfs(lab, conf):
    """An initramfs with nothing in it but flashinit and its configuration."""
    config, archive = lab.folder / "flashinit.conf", lab.folder / "guard.cpio"
    config.write_text(conf, encoding="utf-8")
    tools.run(paths.FLASHPACK, "initramfs", "-o", archive, "--program", paths.FLASHINIT,
              "--config", config)
    return archive


def _unreadable(flash):
    """Where the rootfs's content, good eraseblocks in order, has pages that cannot be read."""
    good, pages = flash.good_blocks("rootfs"), flash.eraseblock // flash.page
    return [good.index(page // pages) * flash.eraseblock + page % pages * flash.page
            for page in flash.unreadable("rootfs") if page // pages in good]


class Device:
    """What all machines of a campaign have in common, and the chip as it is before the update."""

    def __init__(self, lab, layout, parts, conf="", spare=False, badblocks=()):
        self.file_system, kind = image.split_layout(layout)
        self._ubi = self.file_system in ("ubifs", "ubiblock")
        conf = f"after = poweroff\n{conf}"
        self.flash = lab.flash(kind, parts=parts, badblocks=badblocks)
        make = {"flash": self.flash, "inittab": _INITTAB,
                "files": {"etc/update": _UPDATE, "etc/flashinit.conf": conf}}
        old = lab.firmware(1, layout, filler="512K", **make)
        self.flash.write("rootfs", old)
        self.new = lab.firmware(2, layout, filler="1M", **make)
        payload = f"{self.new},kind=ubi" if self._ubi else self.new
        firmware = Path(bench.pack(lab, 2, {"rootfs": payload}))
        if spare:
            self.flash.write("spare", firmware)
        self.flash.write("data", b"what has to stay" * 4096)
        self.disks = [lab.disk({"fw.fwi": firmware})]
        self.guard = guard_initramfs(lab, conf)
        self._settle(lab)
        self._old = self._volumes(self.flash) if self._ubi else old.read_bytes()
        self._others = self._read_others(self.flash)

    def start(self, lab, flash, faults=None, append=""):
        """Switch a machine on."""
        # UBIFS writes whenever it is mounted for writing; then the old firmware had no fixed bytes.
        append = f"{append} ro" if self._ubi else append
        return lab.uml(flash, self.file_system, initrd=self.guard, disks=self.disks,
                       faults=faults, append=append)

    def _settle(self, lab):
        """Let the file system and UBI do what they do to a new flash."""
        machine = self.start(lab, self.flash, append="settle")
        if machine.wait_exit(_PATIENCE) or "FIRMWARE 1 UP" not in machine.console:
            raise CheckFailed(f"firmware 1 did not come up and power off:\n{machine.console}")

    def next_erase(self, operation, hit):
        """The erase that comes next behind an operation that was a program, or None.

        `hit` is what flashsim said of it. An eraseblock's programs follow each other, one for each
        page (NOR: buffer) that is not blank.
        """
        program = re.match(r"program of (?:page|buffer) (\d+)", hit)
        unit = self.flash.page if self.flash.kind == "nand" else _NOR_BUFFER
        block = int(program.group(1)) * unit // self.flash.eraseblock if program else None
        good = self.flash.good_blocks("rootfs")
        if block not in good[1:]:
            return None
        size, wanted = self.flash.eraseblock, Path(self.new).read_bytes()
        start, end = (int(program.group(1)) * unit) % size, (good.index(block) + 1) * size
        content = wanted[end - size + start:end]
        pages = (content[at:at + unit] for at in range(0, len(content), unit))
        return operation + sum(1 for page in pages if page.strip(b"\xff"))

    def _read_others(self, flash):
        return {part.name: flash.bytes(part.name) for part in flash.partitions
                if part.name not in ("rootfs", "journal")}

    def differences(self, flash):
        """How the rootfs is not the new firmware, in words; UBI's erase counters apart."""
        if self._ubi:
            found = ubi.differences(flash, "rootfs", self.new)
        else:
            found = flash.compare("rootfs", self.new)
        return found + [f"page {page} is unreadable" for page in flash.unreadable("rootfs")]

    @staticmethod
    def _volumes(flash):
        """What UBI finds, with pages that cannot be read for blank ones."""
        content = bytearray(flash.read("rootfs"))
        for start in _unreadable(flash):
            content[start:start + flash.page] = b"\xff" * flash.page
        size = flash.eraseblock
        return ubi.mapped([bytes(content[at:at + size]) for at in range(0, len(content), size)])

    def _is_whole(self, flash):
        """Which firmware is whole, but perhaps not in all that nobody reads."""
        if self._ubi:
            found = self._volumes(flash)
            new = ubi.mapped(ubi.image_blocks(flash, self.new))
            return "1" if ubi.same(found, self._old) else "2" if ubi.same(found, new) else None
        # JFFS2 leaves cleanmarkers behind the image whenever it likes.
        read = flash.read("rootfs", len(self._old))
        bad = [start for start in _unreadable(flash)
               if self._old[start:start + flash.page].strip(b"\xff")]
        return "1" if read == self._old and not bad else None

    def state(self, flash):
        """The firmware that the flash holds, "1" or "2", or "neither"."""
        return self._is_whole(flash) or ("neither" if self.differences(flash) else "2")

    def check_others(self, flash):
        """The other partitions are none of its business."""
        changed = [name for name, content in self._read_others(flash).items()
                   if content != self._others[name]]
        if changed:
            raise CheckFailed(f"the update changed {', '.join(changed)}")


@dataclass
class Story:
    """What became of one device."""
    chain: list
    hits: list  # what each cut hit, in flashsim's words
    boots: int


class Run:
    """One device of a campaign, from the old firmware to the new one."""

    def __init__(self, device, lab, chain):
        self._device = device
        self._lab = lab
        self._cuts = list(chain)
        self._flash = device.flash.copy(lab.folder / "flash.bin")
        self.story = Story(chain, [], 0)
        self.counted = 0  # operations of the last boot that was not cut
        self._machine = None

    def _boot(self):
        """Switch it on, and let it do what it will; true once the new firmware is up."""
        before = self._device.state(self._flash)
        cut = self._cuts[0] if self._cuts else None
        self.story.boots += 1
        machine = self._machine = self._device.start(self._lab, self._flash, cut.faults() if cut else None)
        try:
            machine.expect("^FIRMWARE 2 UP$", _PATIENCE)
            code = None
        except MachineError:
            code = machine.wait_exit(30)  # a machine that is on has had its time
        machine.kill()
        self._lab.check_rules()
        self._check_boot(before, machine.console)
        self._device.check_others(self._flash)
        if code == _CUT_CODE and cut:
            self._cuts.pop(0)
            hit = re.search(r"power cut at operation \d+ \((.*)\)", machine.console)
            self.story.hits.append(hit.group(1) if hit else "unknown")
        elif code is not None:
            self._check_end(code, machine.console)
        return code is None

    def _check_boot(self, before, console):
        """Nothing but a firmware that is whole has got control."""
        if "Kernel panic" in console:
            raise CheckFailed("the kernel panicked")
        for version in re.findall(r"^FIRMWARE (\d+) UP", console, re.MULTILINE):
            if version != before:
                raise CheckFailed(f"firmware {version} runs, and the flash holds {before}")

    def _check_end(self, code, console):
        """It was not cut: an update or a recovery ended, and powered off."""
        if code:
            raise CheckFailed(f"exit code {code} after an update or a recovery")
        differences = self._device.differences(self._flash)
        if differences:
            raise CheckFailed("powered off, and the flash is not the new firmware: "
                              + "; ".join(differences[:5]))
        done = re.search(r"flashsim: (\d+) erases, (\d+) programs", console)
        self.counted = int(done.group(1)) + int(done.group(2)) if done else 0

    def last_words(self):
        """The end of what the last boot's console showed, for a message."""
        console = self._machine.console if self._machine else ""
        return "\n".join(f"     | {line}" for line in console.splitlines()[-_LAST_LINES:])

    def go(self):
        """Boot until the new firmware is up."""
        while self.story.boots < _MAX_BOOTS:
            if self._boot():
                return self.story
        raise CheckFailed(f"after {_MAX_BOOTS} boots the new firmware is not up")


class Campaign:
    """Many devices, a few at a time."""

    def __init__(self, lab, device):
        self._lab = lab
        self._device = device
        self._stop = threading.Event()
        self.stories = []
        self.failures = []

    def count(self):
        """Operations of an update that is not cut."""
        run = Run(self._device, self._lab.part("none"), [])
        run.go()
        return run.counted

    def _one(self, chain):
        if self._stop.is_set():
            return
        name = chain_name(chain)
        part = self._lab.part(name)
        run = Run(self._device, part, chain)
        try:
            self.stories.append(run.go())
        except CheckFailed as error:
            self.failures.append(f"{name}: {error}\n     console and flash: {part.folder}\n"
                                 f"{run.last_words()}")
            return
        finally:
            part.close()
        if alone() is None:
            shutil.rmtree(part.folder)

    def run(self, chains):
        """Run them all; what failed is in `failures`, what did not in `stories`."""
        chains = {chain_name(chain): chain for chain in chains}.values()
        with futures.ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            try:
                for done in [pool.submit(self._one, chain) for chain in chains]:
                    done.result()
            except BaseException:
                self._stop.set()
                self._lab.close()
                raise

    def check(self):
        """Fail if any of them did."""
        if self.failures:
            raise CheckFailed(f"{len(self.failures)} devices failed (LAB_CUT=NAME runs one alone):"
                              "\n  " + "\n  ".join(self.failures))
