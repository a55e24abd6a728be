# SPDX-License-Identifier: GPL-2.0-or-later
"""The hand-over by inits of several versions and configurations, and with inittabs of all kinds."""

from labkit import bench, guest, inits, rootfs
from labkit.scenario import scenario

_UPDATE = "flashinit update --after poweroff /mnt/fw.fwi\n"
_RC = ("#!/bin/sh\nmount -t proc proc /proc\nmount -t sysfs sysfs /sys\nmount -t tmpfs t /run\n"
       "mount -t tmpfs t /var\nmount /dev/ubda /mnt\necho FIRMWARE $(cat /etc/version) UP\n")
_STATE = "cat /proc/self/mountinfo; ls / /tmp /run; cat /etc/inittab"


def _finish(lab, b):
    """The machine powers off, and the flash is the image."""
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


def _update(lab, **options):
    """Update, compare, and boot firmware 2, by the same init."""
    b = bench.on(lab, "squashfs-nand", filler="1M", **options)
    b.machine.send(_UPDATE)
    _finish(lab, b)
    b.power_on(2)
    return b


@scenario()
def init_1_30(lab):
    """Debian 11's BusyBox 1.30: its handler notes the last signal, and may lose one."""
    b = _update(lab, files={"sbin/init": inits.of_debian("bullseye")})
    lab.check("v1.30" in b.machine.sh("strings /proc/1/exe | grep -m 1 'BusyBox v'").out, "another one")


@scenario()
def init_1_37(lab):
    """Debian 13's BusyBox 1.37."""
    b = _update(lab, files={"sbin/init": inits.of_debian("trixie")})
    lab.check("v1.37" in b.machine.sh("strings /proc/1/exe | grep -m 1 'BusyBox v'").out, "another one")


@scenario()
def init_with_handlers(lab):
    """As before BusyBox 1.14: all is done in handlers, which may interrupt one another."""
    _update(lab, append="init=/usr/bin/oldinit")


@scenario()
def init_kills_removed(lab):
    """FEATURE_KILL_REMOVED: what an entry has started lives on when the inittab is reread."""
    wait = "#!/bin/sh\ntrap 'echo ENDED >/dev/console; exit' TERM\nsleep 1000 & wait\n"
    b = bench.on(lab, "squashfs-nand", filler="1M", files={
        "etc/wait": wait, "sbin/init": inits.configured(FEATURE_KILL_REMOVED="y")},
        inittab=rootfs.INITTAB + "::respawn:/bin/sh /etc/wait\n")
    b.machine.send(_UPDATE)
    found = b.machine.expect("ENDED|The system is going down NOW!")
    lab.check("going down" in found.group(0), "its process was ended by the rereading")
    b.machine.expect("ENDED")
    _finish(lab, b)
    b.power_on(2)


@scenario()
def init_with_syslog(lab):
    """FEATURE_INIT_SYSLOG and another INIT_TERMINAL_TYPE, with and without a daemon that listens."""
    init = inits.configured(FEATURE_INIT_SYSLOG="y", INIT_TERMINAL_TYPE='"vt220"')
    for daemon in "true", "syslogd":
        b = bench.on(lab, "squashfs-nand", filler="1M", files={"sbin/init": init})
        b.machine.sh(daemon, check=True)
        b.machine.send(_UPDATE)
        _finish(lab, b)
        b.power_on(2)


def _without_inittab(lab, rc, init, **options):
    """A firmware whose init knows no inittab; it runs /etc/init.d/rcS and asks for Enter."""
    return bench.on(lab, "squashfs-nand", filler="1M", prompt=False,
                    files={"etc/init.d/rcS": rc, **init}, **options)


def _enter(machine, version):
    machine.expect(f"^FIRMWARE {version} UP$")
    machine.expect("Please press Enter to activate this console")
    machine.send("\n")
    machine.expect(f"firmware {version}# ")


@scenario()
def init_without_inittab(lab):
    """FEATURE_USE_INITTAB off: it restarts as what it has built in, which is us in the RAM root."""
    init = {"sbin/init": inits.configured(FEATURE_USE_INITTAB="n")}
    b = _without_inittab(lab, _RC, init)
    _enter(b.machine, 1)
    b.machine.send(_UPDATE)
    _finish(lab, b)
    b.switch_on()
    _enter(b.machine, 2)


@scenario()
def init_without_inittab_is_busy(lab):
    """The same, called from its start-up script: it will not listen, so all is undone; later it works."""
    rc = _RC + "exec sh -i </dev/console >/dev/console 2>&1\n"
    b = _without_inittab(lab, rc, {"sbin/init": inits.configured(FEATURE_USE_INITTAB="n")})
    m = b.machine
    m.expect("/ # ")
    before = m.sh(_STATE).out
    result = m.sh("flashinit update /mnt/fw.fwi", timeout=40)
    lab.check_equal(result.code, 4, "exit code")
    lab.check("init has not taken a signal within 10 s" in result.out, result.out)
    lab.check_equal(m.sh(_STATE).out, before, "the system afterwards")
    m.send("exit\n")
    m.expect("Please press Enter to activate this console")
    m.send("\n")
    m.expect("firmware 1# ")
    m.send(_UPDATE)
    _finish(lab, b)


@scenario()
def init_without_inittab_is_old(lab):
    """The same before 1.32: nothing would tell when it is ready; refused beforehand, nothing is touched."""
    init = guest.helpers()["oldinit"].read_bytes()
    other = init.replace(b"/etc/inittab\0", b"/etc/another\0")
    lab.check(other != init, "the stand-in reads another file")
    path = lab.folder / "oldinit"
    path.write_bytes(other)
    path.chmod(0o755)
    files = {"etc/another": rootfs.INITTAB, "sbin/oldinit": path}
    b = bench.on(lab, "squashfs-nand", filler="1M", files=files, append="init=/sbin/oldinit")
    before = b.machine.sh(_STATE).out
    for command in "check", "update":
        result = b.machine.sh(f"flashinit {command} /mnt/fw.fwi")
        lab.check_equal(result.code, 4, "exit code")
        lab.check("built without support for an inittab, and too old" in result.out, result.out)
    lab.check_equal(b.machine.sh(_STATE).out, before, "the system afterwards")


@scenario()
def inittab_absent(lab):
    """No inittab: init's defaults unmount all they can, but not the image, and not the outcome's file."""
    rc = _RC + "mkdir /var/d\nmount -t jffs2 mtd:data /var/d\n"
    b = bench.on(lab, "squashfs-nand", filler="1M", prompt=False, links={"etc/inittab": "nowhere"},
                 files={"etc/init.d/rcS": rc})
    _enter(b.machine, 1)
    b.machine.send("flashinit update --after poweroff --outcome /var/d/outcome /mnt/fw.fwi\n")
    b.machine.expect("umount: .* busy - remounted read-only")
    _finish(lab, b)
    b.switch_on()
    _enter(b.machine, 2)
    told = b.machine.sh("cat /var/d/outcome; flashinit status --outcome /var/d/outcome")
    lab.check_equal(told.code, 0, f"exit code of status\n{told.out}")
    lab.check("0 done" in told.out, told.out)


@scenario()
def inittab_without_restart(lab):
    """An inittab without an entry to restart."""
    _update(lab, inittab=rootfs.INITTAB.replace("::restart:/sbin/init\n", ""))


@scenario()
def inittab_with_restarts(lab):
    """Several entries to restart, with programs and terminals that do not exist: none of them counts."""
    _update(lab, inittab=("::restart:/bin/false\nttyS9::restart:/sbin/init\n" + rootfs.INITTAB +
                          "::restart:/sbin/reboot -f\ntty0:2345:restart:/nowhere\n"))


@scenario()
def inittab_with_ttys(lab):
    """Entries on terminals, one of which does not exist, and what they started."""
    ttys = ("tty1::respawn:/bin/sh -c 'exec sleep 1000'\nptmx::respawn:/bin/sleep 1000\n"
            "ttyS9::askfirst:-/bin/sh\nconsole::once:/bin/true\n/dev/null::respawn:/bin/sleep 1000\n")
    _update(lab, inittab=ttys + rootfs.INITTAB)


@scenario()
def inittab_continued(lab):
    """Lines that go on, up to the last one, and one that looks like an entry to restart but is none."""
    inittab = rootfs.INITTAB.replace("::respawn:/bin/sh /sbin/holderd\n",
                                     "::respawn:/bin/sh \\\n/sbin/holderd\n")
    lab.check(inittab != rootfs.INITTAB, "the inittab is another one now")
    _update(lab, inittab=inittab + "# no \\\n::restart:/bin/false\n::res\\\ntart:/bin/false\n# end \\")
