# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write of raw MTD partitions, held against nandwrite and flashcp."""

import json

from labkit import bench, nandsim, workbench
from labkit.nandsim import ERASEBLOCK, PAGE, PAGES
from labkit.scenario import scenario
from labkit.writing import (DONE, FLASH_FAILED, REFUSED, UNFIT, check_image, check_same, raw,
                            sample, write, write_nothing)

_BLOCKS = 24
_BAD = [0, 1, 5, 9, 23]
_OOB, _OOB_FREE = 64, 2  # bytes in a page's OOB; where those that are free begin
_ROOM = (_BLOCKS - len(_BAD)) * ERASEBLOCK


def _nandwrite(w, number, content):
    """What one does without flashinit."""
    path = w.put("stock", content)
    w.run(f"flash_erase -q /dev/mtd{number} 0 0 2>/dev/null; "
          f"nandwrite -q -p /dev/mtd{number} {path}")


def _without_stamps(dumped, start):
    """A dump with OOB; the first good eraseblock, number `start`, must have stamps there."""
    flash = bytearray(dumped)
    for page, stamp in (start * PAGES, b"FIpn"), ((start + 1) * PAGES - 1, b"FIdn"):
        at = page * (PAGE + _OOB) + PAGE + _OOB_FREE
        check_same(flash[at:at + 4], stamp, f"the OOB of page {page}")
        flash[at:at + 4] = b"\xff" * 4
    return bytes(flash)


@scenario(timeout=300)
def write_nand(lab):
    """NAND with bad blocks first, in the midst and last: each byte is as nandwrite's.

    So is each of the OOB, but for the stamps in the first good eraseblock's.
    """
    w = workbench.on_qemu(lab)
    bad = [part * _BLOCKS + block for part in (0, 1) for block in _BAD]
    nandsim.load(w, _BLOCKS, _BLOCKS, badblocks=bad)
    blank = b"\xff" * (3 * ERASEBLOCK)
    middle = sample(4 * ERASEBLOCK, 1) + blank + sample(2 * ERASEBLOCK + 12345, 2)
    for content in sample(_ROOM, 3), middle, sample(1, 4), blank[:5000] + b"x" + blank:
        words = raw(w, nandsim.name(0), content)
        write(w, words)
        _nandwrite(w, 1, content)
        for oob in False, True:
            found, wanted = (nandsim.dump(w, number, oob=oob) for number in (0, 1))
            if oob:
                found = _without_stamps(found, 2)
            check_same(found, wanted, f"{len(content)} bytes, OOB {oob}: not as nandwrite's")
        found = nandsim.dump(w, 0, bad="skipbad")
        check_image(found, content, "the image, then blank flash")
        write_nothing(w, words)
    before = nandsim.dump(w, 0)
    write(w, raw(w, nandsim.name(0), sample(_ROOM + 1, 5)), UNFIT)
    check_same(nandsim.dump(w, 0), before, "an image that is too large changed something")


@scenario(timeout=300)
def write_nand_tail(lab):
    """What is behind the image: kept with tail=keep, gone without; the image is the same."""
    w = workbench.on_qemu(lab)
    nandsim.load(w, _BLOCKS, badblocks=[3])
    old, new = sample(20 * ERASEBLOCK, 1), sample(7 * ERASEBLOCK + 7, 2)
    room = (_BLOCKS - 1) * ERASEBLOCK
    _nandwrite(w, 0, old)
    write(w, raw(w, nandsim.name(0), new, "tail=keep"))
    found, at = nandsim.dump(w, 0, bad="skipbad"), 8 * ERASEBLOCK
    check_same(found[:at], new.ljust(at, b"\xff"), "the image")
    check_same(found[at:], old[at:].ljust(room - at, b"\xff"), "what is behind it was not kept")
    write(w, raw(w, nandsim.name(0), new, "tail=erase"))
    check_image(nandsim.dump(w, 0, bad="skipbad"), new, "tail=erase")


@scenario(timeout=300)
def write_nor(lab):
    """NOR: the image is as flashcp's, what is behind it is erased, where flashcp leaves it."""
    w = workbench.on_qemu(lab)
    size, eraseblock, part = 2 << 20, 64 << 10, "mtdram test device"
    w.run("modprobe mtdram total_size=2048 erase_size=64")
    old = w.put("old", sample(size, 1))
    for content in sample(size, 2), sample(9 * eraseblock + 1, 3), b"\xff" * 70000 + b"x":
        path, end = w.put("new", content), -(-len(content) // eraseblock) * eraseblock
        w.run(f"flashcp {old} /dev/mtd0 && flashcp {path} /dev/mtd0")
        flashcp = w.get("cat /dev/mtd0")
        w.run(f"flashcp {old} /dev/mtd0")
        write(w, raw(w, part, content))
        found = w.get("cat /dev/mtd0")
        check_same(found[:end], flashcp[:end], "the image is not as flashcp's")
        check_image(found, content, "the image, then blank flash")
        check_same(flashcp[end:], sample(size, 1)[end:], "flashcp erases behind the image, too")
        if content[:eraseblock].count(0xff) < eraseblock:
            write_nothing(w, raw(w, part, content))
        # else it is as if an update had been cut, after which nothing is trusted to be blank
    write(w, raw(w, part, sample(size + 1, 5)), UNFIT)
    check_same(w.get("cat /dev/mtd0"), found, "an image that is too large changed something")


def _through_pipe(w, name):
    """Something that can be read only once."""
    w.run(f"rm -f /tmp/pipe; mkfifo /tmp/pipe; (cat /host/{name} >/tmp/pipe) &")
    return "/tmp/pipe"


@scenario(timeout=300)
def write_stream(lab):
    """From a pipe: written while it comes; one that breaks off or is broken leaves no start."""
    w, part = workbench.on_qemu(lab), nandsim.name(0)
    nandsim.load(w, _BLOCKS, badblocks=[0])
    content = sample(15 * ERASEBLOCK + 5, 1)
    good = bench.pack(lab, 1, {part: content}).read_bytes()
    broken = bytearray(good)
    broken[len(good) * 3 // 4] ^= 1
    for name, stream in ("short", good[:len(good) // 2]), ("broken", bytes(broken)):
        _nandwrite(w, 0, sample(20 * ERASEBLOCK, 2))
        old = nandsim.dump(w, 0)
        write(w, f"- <{w.put(name, stream)}", REFUSED)
        check_same(nandsim.dump(w, 0), old, f"{name}, from a file that can be read twice")
        write(w, _through_pipe(w, name), FLASH_FAILED)
        check_same(nandsim.dump(w, 0, bad="skipbad")[:ERASEBLOCK], b"\xff" * ERASEBLOCK,
                   f"{name}: the first good eraseblock, which should be blank")
    w.put("good", good)
    write(w, _through_pipe(w, "good"))
    check_image(nandsim.dump(w, 0, bad="skipbad"), content, "good")


@scenario(timeout=300)
def write_json(lab):
    """--json: each line is an event, the last says the exit code; --dry-run changes nothing."""
    w, part = workbench.on_qemu(lab), nandsim.name(0)
    nandsim.load(w, _BLOCKS, badblocks=[2], weakblocks="4:0")
    words = raw(w, part, sample(5 * ERASEBLOCK, 1))
    before = nandsim.dump(w, 0)
    write(w, f"--dry-run {words}")
    check_same(nandsim.dump(w, 0), before, "after --dry-run")
    for case, code, wanted in ((words, DONE, {"written": 5, "identical": 0}),
                               (words, DONE, {"written": 0, "identical": 5}),
                               (raw(w, "nowhere", b"x"), UNFIT, None)):
        done = w.sh(f"flashinit write --json {case} 2>/dev/null")
        events = [json.loads(line) for line in done.out.splitlines()]
        lab.check_equal((done.code, events[-1]["code"]), (code, code), "exit codes")
        lab.check_equal(events[-1]["event"], "failed" if code else "done", "the last event")
        lab.check(code == DONE or "nowhere" in events[-1]["message"], events[-1])
        told = [{key: event[key] for key in wanted} for event in events
                if event["event"] == "target"] if wanted else []
        lab.check_equal(told, [wanted] if wanted else [], "what is told of the target")
