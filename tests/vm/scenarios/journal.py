# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal of an update: what is noted when, what is told of it, and what cannot be one."""

import json

from labkit import bench, journal, workbench
from labkit.journal import Record
from labkit.scenario import scenario
from labkit.writing import BUSY, FLASH_FAILED, UNFIT, raw, sample, write

_CONF = "etc/flashinit.conf"
_BLOCK = 128 << 10  # bytes in an eraseblock of the NAND


def _nand(blocks):
    return f"12M(rootfs),{blocks * 128}k(journal),-(data)"


def _nor(blocks):
    return f"6M(rootfs),{blocks * 64}k(journal),-(data)"


def _on(lab, layout, parts, conf="", **options):
    return bench.on(lab, layout, parts=parts, files={_CONF: f"journal = journal\n{conf}"}, **options)


def _update(lab, b, words="--after poweroff /mnt/fw.fwi"):
    b.machine.send(f"flashinit update {words}\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


def _image(lab, name="fw-2"):
    return journal.image_id(lab.folder / f"{name}.fwi")


def _status(m, options="", code=0):
    """What status tells of the journal, as an event."""
    result = m.sh(f"flashinit status --json {options} 2>/dev/null")
    events = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    assert result.code == code, f"exit code {result.code} of status, wanted {code}: {result.out}"
    return next(e for e in events if e["event"] == "journal")


def _operations(m):
    """How many erases and programs the flash has seen since the machine is on."""
    return m.sh("cd /sys/module/flashsim/parameters; cat erases programs; cd /", check=True).out


@scenario(timeout=120)
def journal_tells_update(lab):
    """An update on NAND: begun, then done; status tells; --good notes that once, and no more."""
    b = _on(lab, "squashfs-nand", _nand(2), "tries = 3\n")
    checks = b.machine.sh("flashinit check --json /mnt/fw.fwi", check=True).out
    check = next(json.loads(line) for line in checks.splitlines() if '"journal"' in line)
    lab.check_equal((check["name"], check["ok"], check["eraseblocks"], check["bad"]),
                    ("journal", True, 2, 0), "the condition")
    lab.check("journal: journal is mtd1: 2 of its 2 eraseblocks are good; it says: empty"
              in b.machine.sh("flashinit check /mnt/fw.fwi", check=True).out, "what check tells")
    result = b.machine.sh("flashinit status --good")
    lab.check_equal(result.code, 1, "exit code of --good with an empty journal")
    lab.check("tells of no update that was done: nothing can be good" in result.out, result.out)
    _update(lab, b)
    begun = Record("begun", _image(lab), "2")
    done = Record("done", _image(lab), "2")
    lab.check_equal(journal.records(b.flash), [begun, done], "records after the update")
    m = b.power_on(2)
    lab.check_equal(_status(m), {"event": "journal", "partition": "journal", "state": "done",
                                 "good": False, "tries": 0, "limit": 3, "firmware": "2",
                                 "image": _image(lab)}, "what status tells")
    lab.check("journal: done: firmware 2, booted 0 of 3 times and not said to be good yet" in
              m.sh("flashinit status", check=True).out, "what status tells people")
    out = m.sh("flashinit status --good", check=True).out
    lab.check("journal: done: firmware 2, good" in out, out)
    lab.check_equal(_status(m)["good"], True, "good")
    before = _operations(m)
    out = m.sh("flashinit status --good", check=True).out
    lab.check("journal: done: firmware 2, good" in out, out)
    lab.check_equal(_operations(m), before, "operations after it was said before")
    m.kill()
    good = Record("done", _image(lab), "2", good=True)
    lab.check_equal(journal.records(b.flash)[-1], good, "the last record")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario(timeout=300)
def journal_places(lab):
    """One eraseblock or two, NAND or NOR, a bad one, rubbish in it: each time begun, then done."""
    for layout, parts, bad, content in (
            ("squashfs-nand", _nand(1), [], b""), ("squashfs-nand", _nand(2), [96], b""),
            ("squashfs-nand", _nand(2), [97], sample(_BLOCK, "rubbish")),
            ("jffs2-nor", _nor(1), [], sample(64 << 10, "rubbish")), ("jffs2-nor", _nor(2), [], b""),
            ("squashfs-nand", _nand(16), [96, 100], sample(14 * _BLOCK, "rubbish"))):
        what = f"{layout}, {parts}, bad {bad}, {len(content)} bytes of rubbish"
        b = _on(lab, layout, parts, badblocks=bad, prompt=False, filler="64k")
        b.machine.up(1)
        b.machine.kill()
        b.flash.write("journal", content)
        b.power_on(1)
        b.mount_stick()
        _update(lab, b)
        found = journal.records(b.flash)
        lab.check_equal(found, [Record("begun", _image(lab), "2"),
                                Record("done", _image(lab), "2", good=True)], f"{what}: records")


@scenario(timeout=120)
def journal_cut(lab):
    """Power goes in mid-flash: status says begun, code 5; the same again: no second begun; done."""
    b = _on(lab, "squashfs-nand", _nand(2), faults={"cut": 60})
    old = b.flash.read("rootfs")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
    begun = Record("begun", _image(lab), "2")
    lab.check_equal(journal.records(b.flash), [begun], "records after the cut")
    b.flash.write("rootfs", old)
    m = b.restart(1)
    b.mount_stick()
    lab.check_equal(_status(m, code=5)["state"], "begun", "state")
    result = m.sh("flashinit status --good")
    lab.check_equal(result.code, 1, "exit code of --good")
    lab.check("nothing can be good (it says: begun)" in result.out, result.out)
    _update(lab, b)
    found = journal.records(b.flash)
    lab.check_equal(found[-1], Record("done", _image(lab), "2", good=True), "the last record")
    lab.check_equal(found.count(begun), 1, "records that say begun")


def _but_used(flash):
    """What is in all partitions but the one that JFFS2 is mounted from, which it goes on to write."""
    return [flash.bytes(part.name) for part in flash.partitions if part.name != "used"]


@scenario(timeout=300)
def journal_refused(lab):
    """Missing, large, shared, written, protected, bad, in use: 4 or 6, by check, update and write."""
    parts = ("10M(rootfs),2M(small),128k(good),256k@12160k(across),128k(locked)ro,128k(dead),"
             "640k(used),-(data)")
    links = {_CONF: "/tmp/conf"}
    stick = {"small.fwi": bench.pack(lab, "small", {"small": sample(50000, "small")})}
    b = bench.on(lab, "squashfs-nand", parts=parts, links=links, stick=stick, filler="64k",
                 badblocks=[98])
    m = b.machine
    m.sh("mkdir /tmp/used && mount -t jffs2 mtd:used /tmp/used && sync", check=True)
    before = _but_used(b.flash)
    for name, image, code, words in (
            ("nowhere", "fw", UNFIT, "no MTD partition is named nowhere"),
            ("data", "fw", UNFIT, "data: cannot be the journal: it has"),
            ("small", "small", UNFIT, "shares flash with mtd1, which is written"),
            ("across", "small", UNFIT, "shares flash with mtd1, which is written"),
            ("locked", "fw", UNFIT, "(locked) is write-protected"),
            ("dead", "fw", UNFIT, "dead: cannot be the journal: it has no good eraseblock"),
            ("used", "fw", BUSY, "/tmp/used")):
        m.sh(f"echo journal = {name} >/tmp/conf", check=True)
        verbs = ["check", "update"] + (["write"] if image == "small" else [])
        for verb in verbs:
            result = m.sh(f"flashinit {verb} /mnt/{image}.fwi")
            lab.check_equal(result.code, code, f"exit code of {verb} with {name}: {result.out}")
            lab.check(words in result.out, f"{words!r} is not in {result.out!r}")
    m.sh("umount /tmp/used", check=True)
    lab.check(_but_used(b.flash) == before, "flash was changed")
    m.sh("echo journal = good >/tmp/conf && flashinit check /mnt/fw.fwi", check=True)
    lab.check(_but_used(b.flash) == before, "flash was changed by check")


@scenario(timeout=120)
def journal_says_when_not_kept(lab):
    """None is configured, or a program writes: check says so; status --good names the remedy."""
    b = bench.on(lab, "squashfs-nand", parts=_nand(2), links={_CONF: "/tmp/conf"}, filler="64k")
    m = b.machine
    out = m.sh("touch /tmp/conf; flashinit check /mnt/fw.fwi", check=True).out
    lab.check("journal: no partition is named for one" in out, out)
    result = m.sh("flashinit status --good")
    lab.check_equal(result.code, 4, "exit code of --good without a journal")
    lab.check("name its partition in /etc/flashinit.conf (journal = PARTITION)" in result.out,
              result.out)
    m.sh("echo journal = journal >/tmp/conf", check=True)
    out = m.sh("flashinit check --exec /bin/x --include /bin/busybox=/bin/x /mnt/fw.fwi",
               check=True).out
    lab.check("journal: is not kept: nobody knows what a program writes" in out, out)
    m.send("flashinit update --after poweroff --exec '/bin/echo hi' --include "
           "/bin/busybox=/bin/echo\n")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    lab.check_equal(journal.records(b.flash), [], "records")


@scenario(timeout=120)
def journal_cannot_be_written(lab):
    """Begun cannot be noted: nothing is erased, the old firmware boots; write: exit code 4."""
    b = _on(lab, "squashfs-nand", _nand(2), faults={"erasefail": [96, 97]})
    before = b.flash.bytes("rootfs")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("journal: no eraseblock takes a record", timeout=40)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1, timeout=40)
    b.machine.kill()
    lab.check(b.flash.bytes("rootfs") == before, "rootfs was changed")
    flash = lab.flash(parts="1M(rootfs),128k(journal)", size="2M")
    w = workbench.on_uml(lab, flash, faults={"erasefail": [8]})
    w.run(f"echo journal = journal >/{_CONF}")
    write(w, raw(w, "rootfs", sample(300000, "new")), UNFIT, ["takes a record of the journal"])
    lab.check_equal(flash.bytes("rootfs"), b"\xff" * (1 << 20), "rootfs")


@scenario(timeout=120)
def journal_retrying(lab):
    """NOR that cannot be erased: attempt after attempt, begun is noted once, and done is not."""
    b = _on(lab, "jffs2-nor", _nor(2), faults={"erasefail": list(range(9, 20))})
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("DO NOT TURN OFF; trying again in 2 s", timeout=40)
    b.machine.kill()
    lab.check_equal(journal.records(b.flash), [Record("begun", _image(lab), "2")], "records")


@scenario(timeout=120)
def journal_of_write(lab):
    """write: begun, done; nothing to do: a begun one becomes done; what is not guarded is not noted."""
    flash = lab.flash(parts="1M(rootfs),1M(other),256k(journal)", size="4M")
    flash.write("journal", journal.make(Record("begun", "0" * 64, "old")))
    w = workbench.on_uml(lab, flash)
    w.run(f"echo journal = journal >/{_CONF}")
    image = w.put("fw.fwi", bench.pack(lab, 7, {"rootfs": sample(300000, "new")}))
    other = w.put("other.fwi", bench.pack(lab, 8, {"other": sample(300000, "new")}))
    write(w, image)
    begun, done = (Record(state, _image(lab, "fw-7"), "7", good=state == "done")
                   for state in ("begun", "done"))
    lab.check_equal(journal.records(flash)[-2:], [begun, done], "records")
    w.count_operations()
    write(w, image)
    lab.check_equal(w.operations(), {"erase": 0, "program": 0}, "operations the second time")
    w.run(f"echo target = mtd0 >>/{_CONF}")
    write(w, other)
    lab.check_equal(journal.records(flash)[-1], done, "the last record after another target")
    again = w.put("again.fwi", bench.pack(lab, 9, {"rootfs": sample(300000, "again")}))
    write(w, again)
    lab.check_equal([r.firmware for r in journal.records(flash)[-2:]], ["9", "9"],
                    "firmware in the last records after a target by another name")
    w.machine.kill()
    flash.write("journal", journal.make(begun))
    w = workbench.on_uml(lab, flash)
    w.run(f"printf 'journal = journal\\ntries = 2\\n' >/{_CONF}")
    lab.check_equal(_status(w, code=FLASH_FAILED)["state"], "begun", "state")
    write(w, w.put("fw.fwi", lab.folder / "fw-7.fwi"))
    lab.check_equal(journal.records(flash)[-1], Record("done", _image(lab, "fw-7"), "7"),
                    "the last record when nothing was left to be written")
    lab.check_equal(_status(w)["state"], "done", "state")


@scenario(timeout=120)
def journal_end_cannot_be_written(lab):
    """Done cannot be noted: no success is claimed, by status neither; the image is whole."""
    flash = lab.flash(parts="1M(rootfs),128k(journal)", size="2M")
    new = sample(300000, "new")
    image = bench.pack(lab, 7, {"rootfs": new})
    begun = Record("begun", journal.image_id(image), "7")
    flash.write("journal", journal.make(begun))
    w = workbench.on_uml(lab, flash, faults={"erasefail": [8], "programfail": [513, 514, 515]})
    w.run(f"echo journal = journal >/{_CONF}")
    write(w, w.put("fw.fwi", image), FLASH_FAILED, ["is written and proven, but the journal does not"])
    lab.check_flash(flash, "rootfs", new)
    lab.check_equal(journal.records(flash), [], "records: none that says begun")


def _guarded(lab, layout, parts, conf, **options):
    return _on(lab, layout, parts, f"tries = 2\n{conf}", append="init=/sbin/flashinit", **options)


def _bring(lab, version, **options):
    """A partition image of that version, and the firmware image that brings it."""
    files = {_CONF: options.pop("conf")}
    new = lab.firmware(version, "squashfs-nand", filler="64k", files=files, **options)
    return new, bench.pack(lab, version, {"rootfs": new})


def _reboot(m, version):
    m.send("reboot\n")
    return m.up(version, timeout=40)


@scenario(timeout=180)
def journal_failed_boots(lab):
    """New firmware never says it is good: two boots, then a newer one from the stick; that does: it stays."""
    conf = "journal = journal\ntries = 2\n"
    new, image = _bring(lab, 3, conf=conf)
    b = _guarded(lab, "squashfs-nand", _nand(2), "", stick={"fw3.fwi": image}, filler="64k")
    m = b.machine
    m.send("flashinit update /mnt/fw.fwi\n")
    m.up(2, timeout=40)
    lab.check_equal(_status(m)["tries"], 1, "tries in the first boot")
    _reboot(m, 2)
    lab.check_equal(_status(m)["tries"], 2, "tries in the second boot")
    m.send("reboot\n")
    m.expect("this system is not booted", timeout=30)
    m.expect("found .*fw3.fwi: firmware 3")
    m.up(3, timeout=40)
    event = _status(m)
    lab.check_equal((event["image"], event["good"], event["tries"]),
                    (journal.image_id(image), False, 1), "what the journal says of firmware 3")
    m.sh("flashinit status --good", check=True)
    for _ in range(2):
        _reboot(m, 3)
    m.kill()
    lab.check_equal(journal.records(b.flash)[-1],
                    Record("done", journal.image_id(image), "3", good=True, tries=1), "the last record")
    lab.check_flash(b.flash, "rootfs", new)


@scenario(timeout=180)
def journal_failed_boots_older(lab):
    """New firmware never says it is good: the older one in an MTD partition is written, and boots."""
    conf = "journal = journal\ntries = 2\nsource = mtd:data\n"
    _, image = _bring(lab, 1, conf=conf)
    b = _guarded(lab, "squashfs-nand", "8M(rootfs),256k(journal),-(data)", "source = mtd:data\n",
                 filler="64k", prompt=False)
    b.machine.up(1).kill()
    b.flash.write("data", image)
    m = b.power_on(1)
    b.mount_stick()
    m.send("flashinit update /mnt/fw.fwi\n")
    m.up(2, timeout=40)
    _reboot(m, 2)
    m.send("reboot\n")
    m.expect("this system is not booted", timeout=30)
    m.up(1, timeout=40)
    event = _status(m)
    lab.check_equal((event["image"], event["firmware"], event["tries"]),
                    (journal.image_id(image), "1", 1), "what the journal says")


@scenario(timeout=120)
def journal_cut_is_finished(lab):
    """Power goes in mid-flash behind the start: by the journal the guard finishes it from the stick."""
    b = _guarded(lab, "squashfs-nand", _nand(2), "", filler="1M", faults={"cut": 30})
    old = b.flash.read("rootfs")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
    lab.check_equal([r.state for r in journal.records(b.flash)], ["begun"], "records after the cut")
    b.flash.write("rootfs", old)  # whose start looks whole
    b.restart(2)
    lab.check("FIRMWARE 1 UP" not in b.machine.console, "what the journal says is begun was booted")
    lab.check_equal(_status(b.machine)["state"], "done", "state")


@scenario(timeout=120)
def journal_is_worn(lab):
    """A cut, and then no eraseblock of the journal takes a record: mended, and booted, not mended anew."""
    b = _guarded(lab, "squashfs-nand", _nand(2), "", filler="1M", faults={"cut": 30})
    old = b.flash.read("rootfs")
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
    lab.check_equal([r.state for r in journal.records(b.flash)], ["begun"], "records after the cut")
    b.flash.write("rootfs", old)
    b.restart(2, faults={"erasefail": [96, 97]})
    lab.check("but the journal does not say so" in b.machine.console, "no word of the journal")
    lab.check_equal(journal.records(b.flash), [], "records")


@scenario(timeout=120)
def journal_goes_bad(lab):
    """An eraseblock of the journal that cannot be erased, a page that cannot be programmed: the next."""
    b = _on(lab, "squashfs-nand", _nand(2), filler="64k",
            faults={"erasefail": [96], "programfail": [97 * 64]})
    _update(lab, b)
    lab.check_equal([n for n in b.flash.blocks("journal") if b.flash.is_bad(n)], [96], "bad blocks")
    found = list(dict.fromkeys(journal.records(b.flash)))  # half a page has a whole record, too
    lab.check_equal(found, [Record("begun", _image(lab), "2"),
                            Record("done", _image(lab), "2", good=True)], "records")


@scenario(timeout=120)
def journal_missing_in_recovery(lab):
    """mode=recover and no such journal: said, and mended all the same; an image for the journal: not."""
    b = bench.on(lab, "squashfs-nand", parts=_nand(2), filler="64k", prompt=False,
                 append="init=/sbin/flashinit flashinit.mode=recover flashinit.after=poweroff "
                        "flashinit.journal=nowhere")
    b.machine.expect("no MTD partition is named nowhere", timeout=40)
    b.machine.expect("is written and proven, but the journal does not say so", timeout=40)
    lab.check_equal(b.machine.wait_exit(30), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    other = bench.pack(lab, "other", {"journal": sample(50000, "other")})
    before = b.flash.snapshot()
    m = lab.uml(b.flash, "squashfs", disks=[lab.disk({"other.fwi": other})],
                append="init=/sbin/flashinit flashinit.mode=recover flashinit.journal=journal")
    m.expect("passed over: .*other.fwi.*shares flash with mtd1, which is written", timeout=40)
    m.kill()
    lab.check(b.flash.snapshot() == before, "flash was changed")


@scenario(timeout=120)
def journal_cut_of_plain_image(lab):
    """Power goes while a plain image is written, which nobody finds again: any for the board will do."""
    plain = lab.firmware(3, "squashfs-nand", filler="1M")
    b = _guarded(lab, "squashfs-nand", _nand(2), "", filler="64k", faults={"cut": 30},
                 stick={"plain": plain})
    old = b.flash.read("rootfs")
    b.machine.send("flashinit update --raw rootfs=/mnt/plain\n")
    lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
    lab.check_equal([r.state for r in journal.records(b.flash)], ["begun"], "records after the cut")
    b.flash.write("rootfs", old)  # whose start looks whole
    b.restart(2)
    lab.check_equal(_status(b.machine)["state"], "done", "state")
    lab.check_flash(b.flash, "rootfs", b.new)
