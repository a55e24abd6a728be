# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit as the kernel's first process: whether it boots, and what the real init sees of it."""

import difflib
import re
import statistics
from pathlib import Path

from labkit import bench, cpio, image, initstate, journal, paths, rootfs, tools
from labkit.scenario import scenario

_ARGUMENTS = "one=two -- first second"
_GUARD = "init=/sbin/flashinit"
_BALLAST = 8 << 20
_MOST_MS = 150  # three times the budget: machines that are loaded make no haste


def _on_flash(lab, layout, **options):
    """A chip with firmware 1 of that layout, and the layout's file system."""
    file_system, kind = image.split_layout(layout)
    flash = lab.flash(kind)
    flash.write("rootfs", lab.firmware(1, layout, flash=flash, **options))
    return flash, file_system


def _state(lab, flash, root, **options):
    """What init sees, once firmware 1 is up."""
    machine = lab.uml(flash, root, **options)
    state, _ = initstate.read(machine)
    return state, machine.up(1)


def _check_same(lab, found, wanted):
    changes = difflib.unified_diff(wanted.splitlines(), found.splitlines(), lineterm="", n=0)
    lab.check_equal(list(changes), [], "what init sees otherwise than from the kernel")


def _healthy(lab, layout, words=""):
    """The guard boots what is whole, and init sees what it sees when the kernel starts it."""
    flash, root = _on_flash(lab, layout)
    words += f" {_ARGUMENTS}"
    direct, machine = _state(lab, flash, root, append=f"init=/usr/bin/initstate {words}")
    machine.kill()
    words = f"{_GUARD} flashinit.init=/usr/bin/initstate {words}"
    guarded, machine = _state(lab, flash, root, append=words)
    _check_same(lab, guarded, direct)
    lab.check("flashinit: " not in machine.console, "the guard is not silent")


@scenario()
def guard_jffs2(lab):
    """init=/sbin/flashinit on JFFS2 that is whole: init is started as by the kernel."""
    _healthy(lab, "jffs2-nand")


@scenario()
def guard_ubifs(lab):
    """init=/sbin/flashinit on UBIFS that is whole: init is started as by the kernel."""
    _healthy(lab, "ubifs-nand")


@scenario()
def guard_squashfs(lab):
    """init=/sbin/flashinit on SquashFS by mtdblock: init is started as by the kernel."""
    _healthy(lab, "squashfs-nor")


@scenario()
def guard_ubiblock(lab):
    """init=/sbin/flashinit on SquashFS on a ubiblock: init is started as by the kernel."""
    _healthy(lab, "ubiblock-nand")


@scenario()
def guard_cramfs(lab):
    """init=/sbin/flashinit on CRAMFS in place, without a devtmpfs: init is started as by the kernel."""
    _healthy(lab, "cramfs-nor", "devtmpfs.mount=0")


def _stick(lab, flash, layout, **payloads):
    """A partition image of firmware 2, and a stick with the image that brings it."""
    new = lab.firmware(2, layout, flash=flash, filler="1M")
    as_payload = "{},kind=ubi" if layout.startswith("ubi") else "{}"
    image_file = bench.pack(lab, 2, {"rootfs": as_payload.format(new), **payloads})
    return new, lab.disk({"fw.fwi": Path(image_file)})


@scenario(timeout=60)
def guard_blank_start(lab):
    """A target's first eraseblock is blank: the root moves to RAM, all is written from the stick."""
    flash, root = _on_flash(lab, "jffs2-nand")
    new, stick = _stick(lab, flash, "jffs2-nand", data=b"data" * 100000)
    machine = lab.uml(flash, root, append=f"{_GUARD} flashinit.target=rootfs flashinit.target=data",
                      disks=[stick])
    machine.expect("this system is not booted: an update was cut", timeout=20)
    machine.expect("written and proven", timeout=40)
    machine.up(2, timeout=40)
    lab.check("FIRMWARE 1 UP" not in machine.console, "half a system was booted")
    machine.kill()
    lab.check_flash(flash, "rootfs", new)


@scenario(timeout=60)
def guard_mode_recover(lab):
    """flashinit.mode=recover on a SquashFS that is whole: let go of, written anew, and powered off."""
    flash, root = _on_flash(lab, "squashfs-nor")
    new, stick = _stick(lab, flash, "squashfs-nor")
    machine = lab.uml(flash, root, append=f"{_GUARD} flashinit.mode=recover flashinit.after=poweroff",
                      disks=[stick])
    machine.expect("nothing uses the flash", timeout=20)
    lab.check_equal(machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(flash, "rootfs", new)
    lab.uml(flash, root, append=_GUARD).up(2)


@scenario(timeout=60)
def guard_mode_recover_ubifs(lab):
    """flashinit.mode=recover on UBIFS: UBI is detached, the partition written anew, and booted."""
    flash, root = _on_flash(lab, "ubifs-nand")
    _, stick = _stick(lab, flash, "ubifs-nand")
    machine = lab.uml(flash, root, append=f"{_GUARD} flashinit.mode=recover flashinit.after=poweroff",
                      disks=[stick])
    lab.check_equal(machine.wait_exit(40), 0, "exit code after poweroff")
    lab.uml(flash, root, append=_GUARD).up(2)


@scenario()
def guard_mode_pass(lab):
    """flashinit.mode=pass boots whatever there is, without a look at it."""
    flash, root = _on_flash(lab, "jffs2-nand")
    flash.erase_block(flash.good_blocks("data")[0])
    machine = lab.uml(flash, root, append=f"{_GUARD} flashinit.mode=pass flashinit.target=data").up(1)
    machine.kill()
    machine = lab.uml(flash, root, append=f"{_GUARD} flashinit.target=data")
    machine.expect("this system is not booted: an update was cut")
    machine.expect("waiting for a medium")
    lab.check("FIRMWARE" not in machine.console, "what is not whole was booted")


@scenario()
def guard_cannot_look(lab):
    """No such targets, a journal that is none, words that make no sense: said, and booted."""
    flash, root = _on_flash(lab, "squashfs-nor")
    words = ("flashinit.target=nothing flashinit.journal=rootfs flashinit.mode=sideways "
             "flashinit.no=such flashinit.tries=1")
    machine = lab.uml(flash, root, append=f"{_GUARD} {words}")
    for text in ("mode is guard, recover or pass, not \"sideways\"", "the journal cannot be read",
                 "no MTD partition is named nothing", "whether nothing is whole is not known"):
        machine.expect(text)
    machine.up(1)


@scenario()
def guard_init_missing(lab):
    """The real init that is wanted is missing, /sbin/init is flashinit itself: the next one is run."""
    flash, root = _on_flash(lab, "squashfs-nor", links={"sbin/init": "flashinit"},
                            files={"etc/init": "#!/bin/sh\necho THE OTHER INIT\nexec sh\n"})
    machine = lab.uml(flash, root, append=f"{_GUARD} flashinit.init=/no/init")
    machine.expect("/no/init cannot be run: No such file")
    machine.expect("/sbin/init is flashinit itself, not the real init")
    machine.expect("THE OTHER INIT")


@scenario()
def guard_no_init(lab):
    """There is nothing that could be init but flashinit itself: an image is looked for."""
    flash, root = _on_flash(lab, "squashfs-nor", links={"sbin/init": "flashinit", "bin/sh": "none"})
    machine = lab.uml(flash, root, append=_GUARD)
    machine.expect("this system is not booted: there is no init that can be run")
    machine.expect("waiting for a medium")


def _initramfs(lab, config="", ballast=0):
    """The path of an initramfs that is flashinit and this configuration, and bytes of ballast."""
    path, file = lab.folder / "initramfs.cpio", lab.folder / "flashinit.conf"
    file.write_text(config)
    tools.run(paths.FLASHPACK, "initramfs", "-o", path, "--program", paths.FLASHINIT,
              "--config", file)
    if ballast:
        tree = lab.folder / "ballast"
        rootfs.put(tree, "lib/firmware/ballast", rootfs.filler(ballast, "ballast"))
        path.write_bytes(path.read_bytes() + cpio.archive(tree))
    return path


def _less_what_an_initramfs_does(state):
    """Where there was one, the kernel counts its devices and RAM otherwise, whoever mounts the root."""
    return re.sub(r"size=\d+k,nr_inodes=\d+,|(?<=: 0:)\d+", "", state)


def _healthy_from_initramfs(lab, layout):
    """As /init the guard mounts the root, and init sees what it sees when the kernel does that."""
    flash, root = _on_flash(lab, layout)
    words = f"init=/usr/bin/initstate {_ARGUMENTS}"
    direct, machine = _state(lab, flash, root, append=words)
    used = initstate.used_kib(machine)
    machine.kill()
    guarded, machine = _state(lab, flash, root, append=words,
                              initrd=_initramfs(lab, ballast=_BALLAST))
    _check_same(lab, _less_what_an_initramfs_does(guarded), _less_what_an_initramfs_does(direct))
    lab.check("flashinit: " not in machine.console, "the guard is not silent")
    lab.check(initstate.used_kib(machine) < used + _BALLAST // 2048, "the initramfs still takes memory")


@scenario()
def guard_initramfs_jffs2(lab):
    """/init of an initramfs, JFFS2 that is whole: mounted, and init started, as by the kernel."""
    _healthy_from_initramfs(lab, "jffs2-nand")


@scenario()
def guard_initramfs_ubifs(lab):
    """/init of an initramfs, UBIFS that is whole: mounted, and init started, as by the kernel."""
    _healthy_from_initramfs(lab, "ubifs-nand")


@scenario()
def guard_initramfs_squashfs(lab):
    """/init of an initramfs, SquashFS by mtdblock: mounted, and init started, as by the kernel."""
    _healthy_from_initramfs(lab, "squashfs-nand")


@scenario()
def guard_initramfs_ubiblock(lab):
    """/init of an initramfs, SquashFS on a ubiblock: mounted, and init started, as by the kernel."""
    _healthy_from_initramfs(lab, "ubiblock-nand")


@scenario()
def guard_initramfs_cramfs(lab):
    """/init of an initramfs, CRAMFS in place: mounted, and init started, as by the kernel."""
    _healthy_from_initramfs(lab, "cramfs-nor")


@scenario(timeout=60)
def guard_initramfs_blank_start(lab):
    """The root's first eraseblock is blank: not booted, but waited for a stick, written, and booted."""
    flash, root = _on_flash(lab, "squashfs-nand")
    flash.erase_block(flash.good_blocks("rootfs")[0])
    new, stick = _stick(lab, flash, "squashfs-nand")
    machine = lab.uml(flash, root, initrd=_initramfs(lab))
    machine.expect("this system is not booted: an update was cut")
    machine.expect("waiting for a medium")
    lab.mconsole(f"config ubd1r={stick.path}")
    machine.expect("written and proven", timeout=40)
    machine.up(2, timeout=40)
    lab.check("FIRMWARE 1 UP" not in machine.console, "half a system was booted")
    machine.kill()
    lab.check_flash(flash, "rootfs", new)


@scenario(timeout=60)
def guard_initramfs_cannot_mount(lab):
    """What is there is no file system that root= speaks of: not a panic, but an image is looked for."""
    flash, root = _on_flash(lab, "squashfs-nand")
    machine = lab.uml(flash, "jffs2", initrd=_initramfs(lab))
    machine.expect("this system is not booted: root=mtd:rootfs: cannot be mounted as jffs2")
    machine.expect("waiting for a medium")
    machine.kill()
    machine = lab.uml(flash, root, initrd=_initramfs(lab), append="root=/dev/nowhere")
    machine.expect("root=/dev/nowhere has not appeared", timeout=30)


def _times(lab, flash, root, ways, rounds):
    """{name: median of the milliseconds to init's start}, one way after the other in each round.

    They count from the start of the kernel, or, where a program stands before, from that one's.
    """
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, how in ways.items():
            machine = lab.uml(flash, root, **how)
            before = initstate.started(machine) if "timed" in how["append"] else 0
            times[name].append(initstate.started(machine) - before)
            machine.kill()
    return {name: statistics.median(found) for name, found in times.items()}


def _time(lab, layout, rounds=5):
    """What the guard adds to a healthy boot, with a journal and two targets, by the kernel's clock."""
    config = "journal = data\ntarget = rootfs\ntarget = spare\ninit = /usr/bin/initstate\n"
    flash = lab.flash("nand", parts="12M(rootfs),512k(spare),256k(data)")
    links = {f"usr/bin/{name}": "initstate" for name in ("timedguard", "timeddirect")}
    flash.write("rootfs", lab.firmware(1, layout, flash=flash, links=links,
                                       files={"etc/flashinit.conf": config}))
    flash.write("spare", b"spare" * 1000)
    flash.write("data", journal.make(journal.Record("done", "0" * 64, "1", good=True)))
    ways = {"timeddirect": {"append": "init=/usr/bin/timeddirect"},
            "timedguard": {"append": "init=/usr/bin/timedguard"},
            "direct": {"append": "init=/usr/bin/initstate"},
            "initramfs": {"append": "init=/usr/bin/initstate", "initrd": _initramfs(lab, config)}}
    found = _times(lab, flash, image.split_layout(layout)[0], ways, rounds)
    guard = found["timedguard"] - found["timeddirect"]
    initramfs = found["initramfs"] - found["direct"]
    print(f"{layout}: the guard adds {guard:.1f} ms; as /init of an initramfs, the kernel's unpacking "
          f"included, {initramfs:.1f} ms to {found['direct']:.1f} ms", flush=True)
    return max(guard, initramfs)


@scenario(timeout=180)
def guard_time(lab):
    """The guard adds less than its budget, three times over, to a healthy boot beside the direct one."""
    for layout in ("squashfs-nand", "jffs2-nand"):
        added = [_time(lab, layout)]
        while added[-1] >= _MOST_MS and len(added) < 4:
            added.append(_time(lab, layout))
        lab.check(added[-1] < _MOST_MS, f"the guard adds {added} ms to a healthy boot")


def _with_journal(lab, record, config, layout="squashfs-nand"):
    """Flash with firmware 1 and a journal of one record, and its file system."""
    flash = lab.flash("nand", parts="12M(rootfs),256k(journal),-(data)")
    files = {"etc/flashinit.conf": f"journal = journal\n{config}"}
    flash.write("rootfs", lab.firmware(1, layout, flash=flash, files=files))
    flash.write("journal", journal.make(record))
    return flash, image.split_layout(layout)[0]


def _packed(lab, flash, version):
    """An image that brings SquashFS with that firmware."""
    return Path(bench.pack(lab, version,
                           {"rootfs": lab.firmware(version, "squashfs-nand", flash=flash)}))


@scenario(timeout=60)
def guard_journal_begun(lab):
    """All starts are whole, but the journal says that an update was begun: that one is ended."""
    begun = journal.Record("begun", "1" * 64, "2")
    flash, root = _with_journal(lab, begun, "")
    machine = lab.uml(flash, root, append=_GUARD)
    machine.expect("this system is not booted: the update to version 2 was cut")
    machine.expect("waiting for a medium")
    machine.kill()
    lab.check_equal(journal.records(flash), [begun], "the journal")
    machine = lab.uml(flash, root, append=_GUARD, disks=[lab.disk({"x.fwi": _packed(lab, flash, 3)})])
    machine.up(3, timeout=40)
    lab.check_equal(journal.records(flash)[-1].state, "done", "what the journal says last")


@scenario(timeout=60)
def guard_counts_boots(lab):
    """A new firmware that is never said to be good is booted twice, and then another one looked for."""
    flash = lab.flash("nand", parts="12M(rootfs),256k(journal),-(data)")
    same = _packed(lab, flash, 1)
    done = journal.Record("done", journal.image_id(same), "1")
    flash, root = _with_journal(lab, done, "tries = 2\n")
    for boots in (1, 2):
        lab.uml(flash, root, append=_GUARD).up(1).kill()
        lab.check_equal(journal.records(flash)[-1].tries, boots, "boots that the journal counts")
    machine = lab.uml(flash, root, append=_GUARD, disks=[lab.disk({"same.fwi": same})])
    machine.expect("this system is not booted: version 1 was booted 2 times and never said to be good")
    machine.expect("passed over.*same.fwi")
    machine.expect("waiting for a medium")
    machine.kill()
    other = lab.disk({"same.fwi": same, "other.fwi": _packed(lab, flash, 2)})
    lab.uml(flash, root, append=_GUARD, disks=[other]).up(2, timeout=40)


@scenario()
def guard_writes_nothing(lab):
    """A boot of what was found good, or of what nobody counts, changes not one byte of flash."""
    for config, good in (("tries = 1\n", True), ("", False)):
        done = journal.Record("done", "1" * 64, "1", good=good)
        flash, root = _with_journal(lab, done, config)
        before = flash.snapshot()
        lab.uml(flash, root, append=_GUARD).up(1).kill()
        lab.check(flash.snapshot() == before, "flash was written to")


@scenario(timeout=180)
def guard_qemu(lab):
    """Debian's kernel, whose initramfs enters JFFS2 and starts the guard there: the same state."""
    flash = lab.flash("nor")
    config = {"etc/flashinit.conf": "init = /usr/bin/initstate\n"}
    flash.write("rootfs", lab.firmware(1, "jffs2-nor", flash=flash, files=config))
    states = []
    for init in ("/usr/bin/initstate", "/sbin/flashinit"):
        machine = lab.qemu(flash, init=init)
        states.append(initstate.read(machine)[0])
        machine.up(1).kill()
    _check_same(lab, states[1], states[0])


@scenario(timeout=60)
def guard_no_devtmpfs(lab):
    """The root has no devices at all, as where there is no devtmpfs, and is not whole: mended."""
    flash, root = _on_flash(lab, "squashfs-nor")
    new, stick = _stick(lab, flash, "squashfs-nor", data=b"data" * 1000)
    machine = lab.uml(flash, root, disks=[stick],
                      append=f"{_GUARD} devtmpfs.mount=0 flashinit.target=data flashinit.after=poweroff")
    machine.expect("this is the recovery: an update was cut", timeout=20)
    lab.check_equal(machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(flash, "rootfs", new)


@scenario()
def guard_journal_rubbish(lab):
    """What is in the journal's partition makes no sense: it is an empty journal, and no reason to wait."""
    flash, root = _with_journal(lab, journal.Record("begun", "1" * 64, "2"), "tries = 1\n")
    flash.write("journal", rootfs.filler(256 << 10, "rubbish"))
    before = flash.snapshot()
    lab.uml(flash, root, append=_GUARD).up(1).kill()
    lab.uml(flash, root, initrd=_initramfs(lab, "journal = journal\ntries = 1\n")).up(1).kill()
    lab.check(flash.snapshot() == before, "flash was written to")


@scenario()
def guard_crashes(lab):
    """The guard is killed while it counts a boot: said, and booted."""
    flash, root = _with_journal(lab, journal.Record("done", "1" * 64, "1"), "tries = 3\n")
    machine = lab.uml(flash, root, append=_GUARD, faults={"signals": ["9@1"]})
    machine.expect("the guard was killed by signal 9")
    machine.expect("whether this system is whole is not known: booting it")
    machine.up(1)


@scenario()
def guard_initramfs_rootwait(lab):
    """The root's device comes late: with rootwait it is waited for, and init started from it."""
    firmware = lab.firmware(1, "squashfs-nor")
    machine = lab.uml(initrd=_initramfs(lab), append="root=/dev/ubdb rootfstype=squashfs rootwait")
    machine.expect("waiting for root=/dev/ubdb")
    lab.mconsole(f"config ubd1r={firmware}")
    machine.up(1)
    machine.sh("grep '^/dev/root / squashfs ro' /proc/mounts", check=True)


def _half_written_disk(lab):
    """A disk with firmware 1, and a first sector that was erased."""
    disk = lab.disk(size="24M")
    tools.run("mkfs.ext4", "-q", "-F", "-d", lab.tree(1), disk.path)
    with disk.path.open("r+b") as file:
        file.write(b"\xff" * 512)
    return disk


@scenario(timeout=60)
def guard_initramfs_late_target(lab):
    """The target that is configured comes late, and is not whole: looked at then, and not booted."""
    disk = _half_written_disk(lab)
    config = _initramfs(lab, "target = ubdb\n")
    machine = lab.uml(initrd=config, append="root=/dev/ubdb rootfstype=ext4 rw rootwait")
    machine.expect("waiting for root=/dev/ubdb", timeout=30)
    lab.mconsole(f"config ubd1={disk.path}")
    machine.expect("this system is not booted: an update was cut: the start of target 1 is blank")
    machine.expect("waiting for a medium")


@scenario(timeout=60)
def guard_initramfs_awaits_no_root(lab):
    """mode=recover, or a journal that says begun: no root that never comes is waited for."""
    begun = journal.Record("begun", "1" * 64, "2")
    flash, _ = _with_journal(lab, begun, "")
    for config, why in (("mode = recover\n", "mode=recover asks for it"),
                        ("journal = journal\n", "the update to version 2 was cut")):
        machine = lab.uml(flash, initrd=_initramfs(lab, config),
                          append="root=/dev/mmcblk0p2 rootwait")
        machine.expect(f"this system is not booted: {why}")
        machine.expect("waiting for a medium")
        machine.kill()


@scenario(timeout=60)
def guard_mode_pass_never_writes(lab):
    """flashinit.mode=pass, a root that cannot be mounted, and one without an init: no image is taken."""
    flash, root = _on_flash(lab, "squashfs-nor", links={"sbin/init": "flashinit", "bin/sh": "none"})
    _, stick = _stick(lab, flash, "squashfs-nor")
    before = flash.snapshot()
    for how in ({"root": "jffs2", "initrd": _initramfs(lab)},
                {"root": root, "initrd": _initramfs(lab)},
                {"root": root, "append": _GUARD}):
        words = f"{how.pop('append', '')} flashinit.mode=pass"
        machine = lab.uml(flash, disks=[stick], append=words, **how)
        machine.expect("this cannot be mended from here: trying anew")
        machine.kill()
    lab.check(flash.snapshot() == before, "flash was written to")


@scenario(timeout=60)
def guard_ext4(lab):
    """A disk as the root: whole with whatever is in its boot sector, and not if that is erased."""
    disk = lab.disk(size="24M")
    tools.run("mkfs.ext4", "-q", "-F", "-d", lab.tree(1), disk.path)
    words = "root=/dev/ubda rootfstype=ext4 rw"
    lab.uml(disks=[disk], append=f"{words} {_GUARD}").up(1).kill()
    lab.uml(disks=[disk], append=words, initrd=_initramfs(lab)).up(1).kill()
    with disk.path.open("r+b") as file:
        file.write(b"\xff" * 512)
    machine = lab.uml(disks=[disk], append=words, initrd=_initramfs(lab))
    machine.expect("this system is not booted: an update was cut: the start of target 1 is blank")


@scenario(timeout=60)
def guard_boot_after(lab):
    """after = boot: once all is mended the guard gets control of the new root, and boots it."""
    flash, root = _on_flash(lab, "squashfs-nor")
    new, stick = _stick(lab, flash, "squashfs-nor", data=b"data" * 100000)
    words = f"{_GUARD} flashinit.target=data flashinit.after=boot"
    machine = lab.uml(flash, root, append=words, disks=[stick])
    machine.expect("booting the new root, without a reboot", timeout=30)
    machine.up(2)
    machine.kill()
    lab.check_flash(flash, "rootfs", new)
