# SPDX-License-Identifier: GPL-2.0-or-later
"""The hand-over by Debian's sysvinit as it is there, with its scripts and its services."""

from labkit.debian import Debian, DebianOnUbi
from labkit.scenario import scenario

_SERVICES = ["systemd-udevd", "syslogd", "klogd", "dbus-daemon", "cron", "sshd", "getty"]


def _update(lab, d):
    m = d.boot()
    d.check_services(_SERVICES)
    lab.check_equal(m.sh("cat /proc/1/comm; runlevel").out, "init\nN 2", "PID 1")
    out = m.sh("flashinit check /mnt/fw.fwi", check=True, timeout=60).out
    lab.check("init: PID 1 is sysvinit: via sysvinit" in out, out)
    m.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=60)
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    d.check_written()


@scenario(timeout=240)
def sysvinit_services(lab):
    """Debian's, with its usual services, on ext4 on a disk: the disk is the image, which boots."""
    _update(lab, Debian(lab, "sysvinit"))


@scenario(timeout=240)
def sysvinit_ubi(lab):
    """The same on UBIFS: its flash is the image, which boots."""
    _update(lab, DebianOnUbi(lab, "sysvinit"))
