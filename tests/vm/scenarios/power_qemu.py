# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU is killed at random moments of updates and recoveries: no firmware is lost."""

import os
import random
import re
import time
from concurrent import futures
from pathlib import Path

from labkit import bench, image, paths, rootfs, tools
from labkit.errors import CheckFailed, MachineError
from labkit.scenario import scenario

_SEED = 20261122
_KILLS = 10  # of each of two devices, at least
_BROKEN = 8  # of all kills, that leave no firmware in flash
_PATIENCE = 240
_CONF = "after = poweroff\n"

# Debian's kernel needs its drivers loaded first; then the guard finds what it would as /init.
_START = """\
#!/bin/sh
umount /sys
umount /proc
umount /dev
exec /sbin/flashinit
"""

# Each firmware updates itself to the next one, if the stick has it.
_UPDATE = """\
#!/bin/sh
mount -t squashfs -o ro /dev/vda /mnt
next=/mnt/fw-$(($(cat /etc/version) + 1)).fwi
[ -e "$next" ] || exec poweroff
flashinit update "$next"
"""
_INITTAB = rootfs.INITTAB + "::once:/etc/update\n"


class _Moment:
    """When the console says so much; or once so great a part of what is to be written has begun."""

    def __init__(self, mark, wait=0):
        self._mark = mark
        self._wait = wait

    def __str__(self):
        if isinstance(self._mark, float):
            return f"{self._mark:.0%} of the eraseblocks"
        return f'"{self._mark}" and {self._wait * 1000:.0f} ms'

    def wait_for(self, machine, missing):
        """Return when it has come; missing() counts eraseblocks that are not yet the new ones."""
        if not isinstance(self._mark, float):
            machine.expect(self._mark, _PATIENCE)
            time.sleep(self._wait)  # not to wait for anything: this is the moment
            return
        left = int(missing() * (1 - self._mark))
        machine.expect("the old root is unmounted|looking for an image", _PATIENCE)
        deadline = time.monotonic() + _PATIENCE
        while missing() > left and machine.running and time.monotonic() < deadline:
            time.sleep(0.001)


class _Device:
    """A device that goes from firmware to firmware, and loses its power on each way."""

    def __init__(self, lab, layout, seed):
        self._lab = lab
        self._layout = layout
        self._file_system = image.split_layout(layout)[0]
        self._dice = random.Random(seed)
        self._flash = lab.flash("nor", parts="6M(rootfs),-(data)")
        self._images = {}
        self._disk = None
        self._flash.write("rootfs", self._image(1))
        self.kills = 0
        self.broken = 0
        self.said = []

    def _image(self, version):
        """A firmware's partition image."""
        if version not in self._images:
            files = {"etc/update": _UPDATE, "etc/flashinit.conf": _CONF}
            self._images[version] = Path(self._lab.firmware(
                version, self._layout, self._flash, _INITTAB, files, filler="3M"))
        return self._images[version].read_bytes()

    def _insert(self, version):
        """Have a stick with that firmware, and no other."""
        self._image(version)
        file = bench.pack(self._lab, version, {"rootfs": self._images[version]})
        self._disk = self._lab.disk({f"fw-{version}.fwi": Path(file)})

    def _start(self):
        words = " ".join(image.root_arguments(self._file_system, self._flash))
        files = {"sbin/start": _START, "sbin/flashinit": paths.FLASHINIT,
                 "etc/flashinit.conf": _CONF}
        return self._lab.qemu(self._flash, root=None, init="/sbin/start", files=files,
                              disks=[self._disk], append=words)

    def _state(self, old):
        """The version that the flash holds from first to last byte of it, or None."""
        for version in (old, old + 1):
            content = self._image(version)
            if self._flash.read("rootfs", len(content)) == content:
                return version
        return None

    def _counter(self, version):
        """A function that counts the eraseblocks which are not yet that firmware's."""
        content, size = self._image(version), self._flash.eraseblock
        blocks = [(self._flash.partition("rootfs").offset + at, content[at:at + size])
                 for at in range(0, len(content), size)]

        def missing():
            with open(self._flash.path, "rb", buffering=0) as file:
                return sum(os.pread(file.fileno(), len(block), at) != block for at, block in blocks)

        return missing

    @staticmethod
    def _check_boot(console, before):
        """Nothing but a firmware that is whole has got control."""
        for version in re.findall(r"^FIRMWARE (\d+) UP", console, re.MULTILINE):
            if int(version) != before:
                raise CheckFailed(f"firmware {version} runs, and the flash held "
                                  f"{before or 'no firmware'}")

    def _kill(self, old, moment):
        """Boot, and kill it at that moment; gives the state that this leaves."""
        before = self._state(old)
        machine = self._start()
        self.said.append(f"{self._layout}: firmware {before or 'none'}; killed at {moment}")
        moment.wait_for(machine, self._counter(old + 1))
        self.kills += machine.running
        machine.kill()
        self._check_boot(machine.console, before)
        after = self._state(old)
        self.broken += after is None
        self.said[-1] += f": {after or 'none'} left"
        return after

    def _finish(self, old):
        """Boot once more, and let it: then the next firmware is in flash."""
        before = self._state(old)
        machine = self._start()
        self.said.append(f"{self._layout}: firmware {before or 'none'}; left alone")
        code = machine.wait_exit(_PATIENCE)
        self._check_boot(machine.console, before)
        if code:
            raise CheckFailed(f"exit code {code}")
        differences = self._flash.compare("rootfs", self._image(old + 1))
        if differences:
            raise CheckFailed(f"powered off, and the flash is not firmware {old + 1}: "
                              + "; ".join(differences[:5]))

    def _step(self, old, moment, more):
        """From one firmware to the next: killed then, and at so many more moments."""
        self._insert(old + 1)
        left = self._kill(old, moment)
        for again in more:
            if left is None:
                left = self._kill(old, again)
        if left != old + 1:
            self._finish(old)

    def _moments(self):
        """Where to kill: (in the update, in the recoveries behind it), without an end."""
        first = ["the old root goes", "is written and proven"]
        while True:
            mark = first.pop() if first and self._dice.random() < 0.4 else self._dice.random()
            wait = self._dice.uniform(0, 0.2) if mark == "the old root goes" else 0
            more = [_Moment("this is the recovery", self._dice.uniform(0, 1)),
                    _Moment(self._dice.random())]
            yield _Moment(mark, wait), more[self._dice.randint(0, 1):]

    def go(self):
        """The whole way."""
        moments = self._moments()
        version = 1
        try:
            while self.kills < _KILLS:
                self._step(version, *next(moments))
                version += 1
            self._disk = self._lab.disk({"empty": b""})
            machine = self._start()
            machine.expect(f"^FIRMWARE {version} UP$", _PATIENCE)
            machine.kill()
        except (CheckFailed, MachineError) as error:
            raise CheckFailed(f"{self.said[-1] if self.said else ''}: {error}") from error


@scenario(timeout=900)
def power_qemu(lab):
    """QEMU is killed at 20 random moments of updates and of recoveries: JFFS2, SquashFS."""
    print(f"seed {_SEED}", flush=True)
    tools.build("qemu-kernel.sh")  # once, before there are threads
    devices = [_Device(lab.part(layout), layout, _SEED + n)
               for n, layout in enumerate(("jffs2-nor", "squashfs-nor"))]
    with futures.ThreadPoolExecutor(len(devices)) as pool:
        try:
            for run in [pool.submit(device.go) for device in devices]:
                run.result()
        finally:
            lab.close()
            for device in devices:
                print("\n".join(device.said), flush=True)
    broken = sum(device.broken for device in devices)
    print(f"{sum(device.kills for device in devices)} kills, {broken} left no firmware", flush=True)
    lab.check(broken >= _BROKEN, "too few of the kills left no firmware")
