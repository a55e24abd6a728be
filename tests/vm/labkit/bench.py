# SPDX-License-Identifier: GPL-2.0-or-later
"""The set-up of every update: firmware 1 runs from flash, and a stick holds firmware 2."""

from pathlib import Path

from labkit import image, paths, tools

_STICK = "$(ls /dev/ubda /dev/vda 2>/dev/null)"


GO_ON = ("cat </tmp/full >/tmp/out 7>&- & cat=$!; kill -CONT $pid; wait $pid; code=$?; exec 7>&-; "
         "wait $cat; set -m; (exit $code)")


def standing(command):
    """A shell command that runs the update command, $pid, and stops it where it waits to say its first word.

    Its output goes into a pipe that is full; GO_ON lets it go on and gives its exit code. It sleeps
    now and then before, too: so it must be found asleep for a while; and it waits for two seconds only.
    Without job control, by which the shell would tell of the stop as of an end.
    """
    return ("set +m; mkfifo /tmp/full; exec 7<>/tmp/full; head -c 65536 /dev/zero >&7; "
            f"{command} >&7 2>/tmp/standing & pid=$!; "
            "until grep -q FLOCK /proc/locks; do :; done; n=0; while [ $n -lt 6 ]; do "
            "read -r x x state x </proc/$pid/stat; [ $state = S ] && n=$((n + 1)) || n=0; "
            "sleep 0.05; done; kill -STOP $pid")


def pack(lab, version, payloads, **options):
    """The path of a firmware image of {partition: content or path}, made by flashpack.

    Its long options are given as board="thincan", rollback_number=1.
    """
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    for part, content in payloads.items():
        if isinstance(content, bytes):
            file = lab.folder / f"payload-{version}-{part}"
            file.write_bytes(content)
            content = file
        words.append(f"{part}={content}")
    path = lab.folder / f"fw-{version}.fwi"
    tools.run(paths.FLASHPACK, "-o", path, "--fw-version", version, *words)
    return path


class Bench:
    """A machine with its flash, the new firmware's partition image, and a stick with files."""

    def __init__(self, lab, layout, start, flash, new, mount_at, options, prompt):
        self.machines = []
        self.flash = flash
        self.new = new
        self.stick = options["disks"][0]
        self._start = start or lab.uml
        self._file_system = image.split_layout(layout)[0]
        self._options = options
        self.mount_at = mount_at
        if prompt:
            self.power_on(1)
            self.mount_stick()
        else:
            self.switch_on()

    def switch_on(self):
        """Start the machine, and wait for nothing."""
        self.machine = self._start(self.flash, self._file_system, **self._options)
        self.machines.append(self.machine)
        return self.machine

    def power_on(self, version):
        """Start the machine and wait for the firmware of that version."""
        self.switch_on().up(version)
        return self.machine

    def restart(self, version, **options):
        """The same without the faults, and with other options of the machine."""
        self._options.pop("faults", None)
        self._options.update(options)
        return self.power_on(version)

    def mount_stick(self):
        """Mount the stick in the guest."""
        self.machine.sh(f"mount {_STICK} {self.mount_at}", check=True)


def on(lab, layout, start=None, filler="3M", payloads=None, files=None, links=None, stick=None,
       inittab=None, prompt=True, mount_at="/mnt", faults=None, append=None, mem=None, disks=(),
       as_payload="{}", hardware=None, **geometry):
    """Firmware 1 running from flash of that layout; fw.fwi on the stick at /mnt brings firmware 2.

    `as_payload` has the root's options ("{},kind=ubi"); `payloads` go into the image besides it,
    `files` and `links` into both firmwares; `stick` holds more files for the stick, behind which
    come `disks`; without `prompt` nothing is waited for; `faults`, `append` and
    `mem` are the machine's, and so is all in `hardware`; the rest is the flash's geometry.
    """
    flash = lab.flash(image.split_layout(layout)[1], **geometry)
    make = {"flash": flash, "files": files, "links": links, "inittab": inittab}
    flash.write("rootfs", lab.firmware(1, layout, filler="1M", **make))
    new = lab.firmware(2, layout, filler=filler, **make)
    firmware = pack(lab, 2, {"rootfs": as_payload.format(new), **(payloads or {})})
    given = {"faults": faults, "append": append, "mem": mem, **(hardware or {})}
    options = {name: value for name, value in given.items() if value is not None}
    files = {"fw.fwi": Path(firmware), **(stick or {})}
    options["disks"] = [lab.disk(files), *disks]
    return Bench(lab, layout, start, flash, new, mount_at, options, prompt)
