# SPDX-License-Identifier: GPL-2.0-or-later
"""Inits that have no way to run another program in their place: by ptrace, on Debians with their services."""

from labkit.debian import Debian
from labkit.scenario import scenario

_STATE = "cut -d ' ' -f 3- /proc/self/mountinfo; ls / /run | grep -v agetty.reload; readlink /proc/1/exe; readlink /proc/1/root"


def _supervises(m):
    """What PID 1 and its helpers look after is started anew once it has ended."""
    m.sh("old=$(cat /run/crond.pid); kill -9 $old; until new=$(cat /run/crond.pid) && "
         "[ -n \"$new\" ] && [ $new != $old ] && kill -0 $new; do sleep 0.1; done", check=True, timeout=60)


def _update(lab, d, name, services):
    """Refused without --via ptrace, and all goes on; with it the disk is the image, which boots."""
    m = d.boot()
    d.check_services(services)
    lab.check_equal(m.sh("readlink /proc/1/exe").out, f"/usr/sbin/{name}", "PID 1")
    before = m.sh(_STATE).out
    for verb in "check", "update":
        result = m.sh(f"flashinit {verb} /mnt/fw.fwi", timeout=60)
        lab.check_equal(result.code, 4, f"exit code\n{result.out}")
        lab.check("not BusyBox init; if no other method fits it, there is --via ptrace" in result.out,
                  result.out)
        lab.check_equal(m.sh(_STATE).out, before, "the system afterwards")
    _supervises(m)
    m.send("flashinit update --via ptrace --after poweroff /mnt/fw.fwi\n")
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=60)
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    d.check_written()


@scenario(timeout=240)
def runit_ptrace(lab):
    """Debian's runit, whose services are supervised by others than PID 1."""
    _update(lab, Debian(lab, "runit"), "runit",
            ["systemd-udevd", "syslogd", "klogd", "dbus-daemon", "cron", "sshd", "getty", "runsvdir", "runsv"])


@scenario(timeout=240)
def finit_ptrace(lab):
    """Debian's finit, which supervises its services itself."""
    _update(lab, Debian(lab, "finit"), "finit",
            ["systemd-udevd", "syslogd", "dbus-daemon", "cron", "sshd", "agetty"])
