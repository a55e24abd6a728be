# SPDX-License-Identifier: GPL-2.0-or-later
"""What `flashinit check` tells: every condition with its figures, for people and for scripts."""

import json

from labkit import bench, memory, paths, tools
from labkit.scenario import scenario

_CONF = {"etc/flashinit.conf": "board = camera\nrollback-number = 7\n"}


def _events(text):
    """The check events by name, those of targets by partition, and the last event of all."""
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    checks = {e.get("partition", e["name"]): e for e in events if e["event"] == "check"}
    return checks, events[-1]


def _machine(lab, name, options, payloads, **more):
    """A machine with this image on its stick, besides the usual one."""
    flash = lab.flash(parts="13M(rootfs),2M(small),1M(conf)")
    new = lab.firmware(2, "squashfs-nand", flash, filler=more.pop("filler", "1M"), files=_CONF)
    words = [f"rootfs={new}"]
    for part, content in payloads.items():
        path = lab.folder / f"payload-{part}"
        path.write_bytes(content)
        words.append(f"{part}={path}")
    image = lab.folder / f"{name}.fwi"
    tools.run(paths.FLASHPACK, "-o", image, "--fw-version", "2", *options, *words)
    return bench.on(lab, "squashfs-nand", files=_CONF, filler="64k", stick={image.name: image},
                    parts="13M(rootfs),2M(small),1M(conf)", **more), image.stat().st_size


@scenario()
def check_fits(lab):
    """A system that fits: each condition with its figures, as lines and as events; exit code 0."""
    b, size = _machine(lab, "fit", ("--board", "camera", "--rollback-number", "9"),
                       {"conf": bytes(range(256)) * 2048}, badblocks=[100, 122])
    lines = b.machine.sh("flashinit check /mnt/fit.fwi", check=True).out
    for words in ("image: unsigned", "board: this is camera, by /etc/flashinit.conf",
                  "rollback: number 9, the lowest that is taken is 7",
                  "contents: /mnt/fit.fwi: firmware 2, 2 payloads, whole",
                  "init: PID 1 is BusyBox v1.", "mounts: the root (squashfs) goes, and what is "
                  "mounted on it: /", "watchdog: none",
                  "target: conf is mtd2: 7 of its 8 eraseblocks of 131072 bytes are good, 4 needed, "
                  "3 to spare", "target: rootfs is mtd0: 103 of its 104 eraseblocks", "memory: needs ",
                  "home: the image stays where it is (squashfs)",
                  "ramroot: can be placed in /", "this system can be updated"):
        lab.check(f"flashinit: {words}" in lines, f"{words!r} is not in {lines}")
    lab.check(": via busybox\n" in lines, lines)
    checks, last = _events(b.machine.sh("flashinit check --json /mnt/fit.fwi", check=True).out)
    lab.check(all(c["ok"] and c["code"] == 0 for c in checks.values()), checks)
    lab.check_equal({name: checks["conf"][name] for name in ("needed", "available", "bad", "spare")},
                    {"needed": 4 << 17, "available": 7 << 17, "bad": 1, "spare": 3}, "conf")
    free = int(b.machine.sh("sed -n 's/MemAvailable: *//p' /proc/meminfo").out.split()[0]) * 1024
    found = checks["memory"]
    lab.check(1 << 20 < found["needed"] < 3 << 20, found)
    copied, _ = _events(b.machine.sh("cat /mnt/fit.fwi | flashinit check --json -", check=True).out)
    lab.check_equal(copied["memory"]["needed"] - found["needed"], size, "memory for the copy")
    lab.check(abs(found["available"] - free) < 2 << 20, f"{found}, {free} are free")
    lab.check_equal(checks["image"]["size"], size, "size of the image")
    lab.check_equal((checks["rollback"]["number"], checks["rollback"]["lowest"]), (9, 7), "rollback")
    lab.check_equal(last, {"event": "done", "code": 0, "message": ""}, "last event")


@scenario()
def check_unmet(lab):
    """Five conditions that are not met: all are told, and the exit code is the first one's."""
    b, size = _machine(lab, "unfit", ("--board", "router", "--rollback-number", "6"),
                       {"small": b"\x5a" * ((2 << 20) + 1), "kernel": b"x"}, filler="11M", mem="34M")
    memory.take_too_much(b.machine, "/mnt/unfit.fwi")
    said = {"board": "is for board router, this is camera",
            "rollback": "anti-rollback number 6, this device takes none below 7",
            "small": "small: too small: the image needs 17 eraseblocks of 131072 bytes, 16 of 16 are",
            "kernel": "no MTD partition is named kernel", "memory": "too little memory: needs "}
    result = b.machine.sh("flashinit check /mnt/unfit.fwi 2>/tmp/err >/tmp/out")
    lab.check_equal(result.code, 3, "exit code")
    errors = b.machine.sh("cat /tmp/err").out.splitlines()
    lab.check_equal(len(errors), len(said), f"lines on standard error: {errors}")
    for line, words in zip(errors, said.values()):
        lab.check(words in line, f"{words!r} is not in {line!r}")
    lines = b.machine.sh("cat /tmp/out; rm /tmp/out /tmp/err").out
    lab.check("target: rootfs is mtd0" in lines and "init: PID 1" in lines, lines)
    lab.check("cannot be updated: conditions that are not met: 5" in lines, lines)
    result = b.machine.sh("flashinit check --json /mnt/unfit.fwi 2>/dev/null")
    lab.check_equal(result.code, 3, "exit code with --json")
    checks, last = _events(result.out)
    lab.check_equal({n: c["code"] for n, c in checks.items() if not c["ok"]},
                    {"board": 3, "rollback": 3, "small": 4, "kernel": 4, "memory": 4}, "unmet")
    for name, words in said.items():
        lab.check(words in checks[name]["message"], checks[name])
    lab.check(checks["memory"]["needed"] > checks["memory"]["available"], checks["memory"])
    lab.check_equal((last["event"], last["code"]), ("failed", 3), "last event")
    lab.check(said["board"] in last["message"], last)


@scenario()
def update_json(lab):
    """update --json: a line for each condition; refused, its last event has the exit code."""
    b = bench.on(lab, "squashfs-nand", filler="64k")
    result = b.machine.sh("flashinit update --json --dry-run /mnt/fw.fwi", check=True)
    checks, last = _events(result.out)
    lab.check(checks["memory"]["ok"] and checks["rootfs"]["ok"], result.out)
    lab.check_equal(last["event"], "done", "last event of a dry run")
    result = b.machine.sh("flashinit update --json /bin/busybox 2>/dev/null")
    checks, last = _events(result.out)
    lab.check_equal(result.code, 3, "exit code")
    lab.check_equal((last["event"], last["code"]), ("failed", 3), "last event")
    lab.check("not a firmware image" in checks["image"]["message"], result.out)
    b.machine.send("flashinit update --json --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
