# SPDX-License-Identifier: GPL-2.0-or-later
"""Inits other than BusyBox's: each method of taking over from them, and what is left when it fails."""

import re
import time

from labkit import bench, inits
from labkit.scenario import scenario

_STATE = "cat /proc/self/mountinfo; ls / /tmp /run; cat /etc/inittab; readlink /proc/1/exe; readlink /proc/1/root"
_UPDATE = "flashinit update --via {} --after poweroff /mnt/fw.fwi"


def _on(lab, layout, init, **options):
    """Firmware 1 under that init, which gives a shell on the console."""
    b = bench.on(lab, layout, prompt=False, append=f"init={init}", **{"filler": "1M", **options})
    _enter(b, 1)
    return b


def _qemu(lab, init):
    b = bench.on(lab, "jffs2-nor", lab.qemu, filler="1M", prompt=False, hardware={"init": init})
    _enter(b, 1)
    return b


def _enter(b, version):
    b.machine.expect(f"FIRMWARE {version} UP", timeout=60)
    b.machine.expect(f"firmware {version}# ")
    b.mount_stick()


def _finish(lab, b):
    """The machine powers off, the flash is the image, and firmware 2 comes up under the same init."""
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.switch_on()
    _enter(b, 2)
    lab.check_equal(b.machine.sh("cat /etc/version").out, "2", "/etc/version")


def _refused(lab, b, command, words, before):
    result = b.machine.sh(command, timeout=40)
    lab.check_equal(result.code, 4, f"exit code\n{result.out}")
    lab.check(words in result.out, f"{words!r} is not in {result.out}")
    lab.check_equal(b.machine.sh(_STATE).out, before, "the system afterwards")


@scenario()
def ptrace_plain_init(lab):
    """A PID 1 that knows nothing: refused, but with --via ptrace taken over, in the midst of a wait."""
    b = _on(lab, "jffs2-nand", "/usr/bin/plaininit")
    before = b.machine.sh(_STATE).out
    for verb in "check", "update":
        _refused(lab, b, f"flashinit {verb} /mnt/fw.fwi",
                 "plaininit, not BusyBox init; if no other method fits it, there is --via ptrace", before)
    out = b.machine.sh("flashinit check --via ptrace /mnt/fw.fwi", check=True).out
    lab.check("init: PID 1 can be traced: via ptrace" in out, out)
    lab.check_equal(b.machine.sh(_STATE).out, before, "the system after a check")
    b.machine.send(_UPDATE.format("ptrace") + "\n")
    _finish(lab, b)


@scenario()
def ptrace_busybox(lab):
    """BusyBox init by ptrace, which the configuration asks for: it waits by sigtimedwait."""
    b = bench.on(lab, "squashfs-nand", filler="1M", files={"etc/flashinit.conf": "via = ptrace\n"})
    out = b.machine.sh("flashinit check --via auto /mnt/fw.fwi", check=True).out
    lab.check("init: PID 1 is BusyBox v1.35.0: via busybox" in out, out)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("PID 1 stands still, and is made to run flashinit")
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.power_on(2)


@scenario()
def ptrace_old_init(lab):
    """A PID 1 full of handlers and children, which would do its work by signals."""
    b = bench.on(lab, "squashfs-nand", filler="1M", append="init=/usr/bin/oldinit")
    b.machine.send(_UPDATE.format("ptrace") + "\n")
    b.machine.expect("PID 1 stands still, and is made to run flashinit")
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.power_on(2)


@scenario(timeout=180)
def ptrace_exec_fails(lab):
    """QEMU: PID 1 cannot exec, so all is undone, and it goes on as before, with its memory."""
    b = _qemu(lab, "/usr/bin/stubborn")
    before = b.machine.sh(_STATE).out
    for _ in range(3):
        _refused(lab, b, _UPDATE.format("ptrace"),
                 "PID 1 cannot run /sbin/flashinit: Permission denied", before)
        # An orphan, which nobody but PID 1 reaps.
        b.machine.sh("(sleep 0.1 & echo $! >/run/orphan); until [ -s /run/orphan ]; do :; done; "
                     "while [ -e /proc/$(cat /run/orphan) ]; do :; done; rm /run/orphan", check=True)
    b.machine.kill()
    b.switch_on()
    _enter(b, 1)


@scenario()
def ptrace_forbidden(lab):
    """PID 1 is traced by another, or the right to trace is missing: refused."""
    b = _on(lab, "squashfs-nand", "/usr/bin/plaininit")
    command = "flashinit update --via ptrace /mnt/fw.fwi"
    before = b.machine.sh(_STATE).out
    _refused(lab, b, f"stubborn powerless {command}", "no CAP_SYS_PTRACE?", before)
    b.machine.sh("stubborn tracer >/tmp/traced & until [ -s /tmp/traced ]; do :; done", check=True)
    before = b.machine.sh(_STATE).out
    _refused(lab, b, command, "is another doing it (TracerPid", before)


@scenario(timeout=180)
def ptrace_yama(lab):
    """QEMU with Debian's kernel: Yama forbids it, which is said; without that PID 1 is replaced."""
    b = _qemu(lab, "/usr/bin/plaininit")
    yama = "/proc/sys/kernel/yama/ptrace_scope"
    before = b.machine.sh(_STATE).out
    b.machine.sh(f"echo 2 >{yama} && flashinit check --via ptrace /mnt/fw.fwi", check=True)
    b.machine.sh(f"echo 3 >{yama}", check=True)
    _refused(lab, b, "flashinit update --via ptrace /mnt/fw.fwi", "or is /proc/sys/kernel/yama/ptrace_scope 3", before)
    b.machine.kill()
    b.switch_on()
    _enter(b, 1)
    b.machine.send(_UPDATE.format("ptrace") + "\n")
    _finish(lab, b)


@scenario()
def ptrace_busy_init(lab):
    """A PID 1 that computes, and gets a SIGSTOP while it is traced: refused, and it computes on."""
    b = _on(lab, "squashfs-nand", "/usr/bin/plaininit busy")
    before = b.machine.sh(_STATE).out
    traced = "until grep -q TracerPid:.$! /proc/1/status; do :; done"
    result = b.machine.sh(f"{_UPDATE.format('ptrace')} & {traced}; kill -STOP 1; wait $!",
                          timeout=60)
    lab.check_equal(result.code, 4, f"exit code\n{result.out}")
    lab.check("PID 1 was not seen in a system call within 10 s" in result.out, result.out)
    lab.check_equal(b.machine.sh(_STATE).out, before, "the system afterwards")
    lab.check_equal(b.machine.sh("cut -d ' ' -f 3 /proc/1/stat").out, "R", "state of PID 1")


@scenario(timeout=120)
def ptrace_exec_hangs(lab):
    """PID 1 hangs in its exec: said after ten seconds; it may still succeed, SIGSTOP or not."""
    b = _on(lab, "squashfs-nand", "/usr/bin/hungexec")
    b.machine.sh("until [ -s /run/server ]; do :; done; server=$(cat /run/server)", check=True)
    hangs = "until read -r x x state x </proc/1/stat && [ $state = D ]; do :; done"
    result = b.machine.sh(f"{_UPDATE.format('ptrace')} & {hangs}; kill -STOP 1; wait $!",
                          timeout=60)
    lab.check_equal(result.code, 1, f"exit code\n{result.out}")
    lab.check("PID 1 hangs in its exec since 10 s; the root is in RAM: reset the device" in result.out,
              result.out)
    b.machine.send("kill -9 $server\n")
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def ptrace_seccomp(lab):
    """QEMU: PID 1 is under a filter of system calls, which flashinit would inherit: refused."""
    b = bench.on(lab, "squashfs-nor", lab.qemu, hardware={"init": "/usr/bin/noreboot"})
    before = b.machine.sh(_STATE).out
    for verb in "check", "update":
        _refused(lab, b, f"flashinit {verb} --via ptrace /mnt/fw.fwi",
                 "PID 1 is under a seccomp filter, which", before)


# What is respawned wants a shell's login for its prompt, and a terminal.
_SHELL = "/bin/sh -l </dev/console >/dev/console 2>&1"
_SYSVINIT = f"""\
id:2:initdefault:
si::sysinit:/etc/rc
sh:27:respawn:{_SHELL}
da:27:respawn:/bin/sh /sbin/holderd
"""


def _sysvinit(lab, layout, inittab=_SYSVINIT, name="/sbin/init", **options):
    files = inits.sysvinit()
    return _on(lab, layout, name, files={**files, "sbin/telinit": files["sbin/init"]},
               inittab=inittab, **options)


@scenario()
def sysvinit_update(lab):
    """Debian's sysvinit, found by itself: its FIFO is had in the RAM root, and it runs /sbin/init anew."""
    b = _sysvinit(lab, "jffs2-nand")
    out = b.machine.sh("flashinit check /mnt/fw.fwi", check=True).out
    lab.check("init: PID 1 is sysvinit: via sysvinit" in out, out)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    _finish(lab, b)


def _init_7(lab, name, **options):
    """Sysvinit in runlevel 7, by a name that may be too short to tell of it."""
    inittab = _SYSVINIT.replace("id:2:", "id:7:") + "tw:2:once:/bin/touch /run/two\n"
    return _sysvinit(lab, "jffs2-nand", inittab, name, **options)


@scenario()
def sysvinit_runlevel(lab):
    """Sysvinit in runlevel 7 would run nothing anew: refused before anything is changed."""
    b = _init_7(lab, "/sbin/init")
    seven = "until grep -q 'init .7' /proc/1/cmdline; do sleep 0.1; done"
    before = b.machine.sh(f"{seven}; {_STATE}").out
    for verb in "check", "update":
        _refused(lab, b, f"flashinit {verb} /mnt/fw.fwi", "PID 1 is \"init [7]\", and runs "
                 "nothing anew but in runlevels 0 to 6 and S", before)


@scenario(timeout=120)
def sysvinit_declines(lab):
    """It does not tell that it is in runlevel 7: undone, and it listens as before, and then works."""
    b = _init_7(lab, "/i", links={"i": "sbin/init"})
    before = b.machine.sh(f"until [ -p /run/initctl ]; do sleep 0.1; done; {_STATE}").out
    _refused(lab, b, "flashinit update /mnt/fw.fwi", "init has not run itself anew within 10 s: is it in a runlevel", before)
    b.machine.sh("telinit 2; until [ -e /run/two ]; do sleep 0.1; done", check=True)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(40), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


def _script(answer):
    """What the old root has validated images by, which has nothing to say about ours."""
    answers = ", ".join(f'"{word}": {answer}' for word in ("valid", "forceable", "allow_backup"))
    return f"#!/bin/sh\necho '{{ {answers} }}'\n"


def _procd(lab, layout, words="", answer="false", **options):
    """Firmware 1 under a stand-in for OpenWrt's procd; words are more for the kernel and for that."""
    return _on(lab, layout, f"/usr/bin/procd {words}", links={"bin/ubus": "../usr/bin/procd"},
               files={"usr/libexec/validate_firmware_image": _script(answer)}, **options)


@scenario()
def procd_update(lab):
    """A stand-in for procd, found by itself: asked for a sysupgrade by ubus, it runs flashinit."""
    b = _procd(lab, "jffs2-nand")
    out = b.machine.sh("flashinit check /mnt/fw.fwi", check=True).out
    lab.check("init: PID 1 is procd: via procd" in out, out)
    before = b.machine.sh(_STATE).out
    for harm, undo, words in [
            ("mv /bin/ubus /tmp", "mv /tmp/ubus /bin", "/bin/ubus: needed to ask PID 1: No such file"),
            ("mkdir /oldroot", "rmdir /oldroot", "/oldroot: remove it: a late procd would go there")]:
        for verb in "check", "update":
            _refused(lab, b, f"{harm}; flashinit {verb} /mnt/fw.fwi; code=$?; {undo}; (exit $code)", words, before)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    _finish(lab, b)


@scenario()
def procd_failed(lab):
    """No answer, or a procd that does not know the method: undone, and its service runs."""
    b = _procd(lab, "squashfs-nand", "refuses")
    flash = b.flash.snapshot()
    command = "flashinit update /mnt/fw.fwi"
    before = b.machine.sh(_STATE).out
    _refused(lab, b, command, "Command failed: 3", before)
    b.machine.sh("echo exec sleep 1000 | sed '1i #!/bin/sh' >/run/silent; chmod +x /run/silent",
                 check=True)
    b.machine.sh("mount --bind /run/silent /bin/ubus", check=True)
    before = b.machine.sh(_STATE).out  # ten seconds, or a few more
    _refused(lab, b, command, "procd has not answered /bin/ubus from the RAM root after 1", before)
    b.machine.sh("umount /bin/ubus && while pidof sleep; do :; done; "
                 "kill -0 $(cat /run/service) && ubus call system validate_firmware_image "
                 "'{\"path\": \"/x\"}'", check=True)
    b.machine.kill()
    lab.check(b.flash.snapshot() == flash, "the flash was changed")
    b.switch_on()
    _enter(b, 1)


@scenario()
def procd_late(lab):
    """A procd that grants the request when all is undone finds nothing to run in the old root."""
    b = _procd(lab, "squashfs-nand", "late", answer="true")
    flash = b.flash.snapshot()
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("Command failed: 7")
    b.machine.expect("Failed to chroot for upgraded exec")
    b.machine.expect("procd: late, and the answer would have been 9")
    b.machine.expect("firmware 1# ")
    b.machine.sh("while pidof flashinit; do :; done", check=True)
    lab.check(re.search(r"procd has not run /sbin/upgraded after \d+ s", b.machine.console),
              "the update does not say so")
    lab.check_equal(b.machine.sh("readlink /proc/1/exe").out, "/usr/bin/procd", "PID 1")
    b.machine.kill()
    lab.check(b.flash.snapshot() == flash, "the flash was changed")


@scenario()
def procd_watchdog(lab):
    """The watchdog that procd hands over is fed; the new procd gets none, and opens it anew."""
    b = _procd(lab, "squashfs-nand", "softdog.soft_margin=8 softdog.nowayout=1", filler="3M",
               faults={"erasetime": 500})
    b.machine.send("flashinit update --after boot /mnt/fw.fwi\n")
    b.machine.expect("watchdog0 is fed from here on; its timeout is 8 s", timeout=40)
    start = time.monotonic()
    b.machine.expect("the new firmware is written and proven", timeout=40)
    took = time.monotonic() - start
    lab.check(took > 9, f"flashing took {took:.1f} s only: nothing is shown by that")
    b.machine.expect("FIRMWARE 2 UP")
    b.machine.expect("firmware 2# ")
    lab.check("watchdog" in b.machine.sh("ls -l /proc/1/fd").out, "procd does not have it open")
    lab.check("WDT failed" not in b.machine.console, "procd could not feed it")
    b.machine.kill()
    lab.check_flash(b.flash, "rootfs", b.new)
