# SPDX-License-Identifier: GPL-2.0-or-later
"""The hand-over by systemd: Debian 12's, on ext4 on a disk, with its usual services."""

from labkit.debian import Debian
from labkit.scenario import scenario

_SERVICES = "systemd-journald systemd-udevd systemd-logind dbus cron ssh lab"
# What an update that fails must leave as it was.
_STATE = ("cut -d ' ' -f 3- /proc/self/mountinfo; ls -AR /run/initramfs; cat /proc/1/comm; "
          f"systemctl is-active {_SERVICES}; systemctl list-jobs")


def _services_run(lab, m):
    m.sh("systemctl is-system-running --wait", timeout=90)
    lab.check_equal(m.sh(f"systemctl is-active {_SERVICES}").out.split(), ["active"] * 7, "services")


def _refused(lab, m, command, words, before):
    result = m.sh(command, timeout=60)
    lab.check_equal(result.code, 4, f"exit code\n{result.out}")
    lab.check(words in result.out, f"{words!r} is not in {result.out}")
    lab.check_equal(m.sh(_STATE).out, before, "the system afterwards")
    _services_run(lab, m)


@scenario(timeout=240)
def systemd_update(lab):
    """Its services stop, it unmounts what it can, and hands over: the disk is the image, which boots."""
    d = Debian(lab, "systemd")
    m = d.boot()
    _services_run(lab, m)
    before = m.sh(_STATE).out
    out = m.sh("flashinit check /mnt/fw.fwi", check=True).out
    lab.check("init: PID 1 is systemd: via systemd" in out, out)
    lab.check_equal(m.sh(_STATE).out, before, "the system after a check")
    m.sh("flashinit update --dry-run /mnt/fw.fwi", check=True, timeout=60)
    lab.check_equal(m.sh(_STATE).out, before, "the system after a dry run")
    m.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    m.expect("systemd shuts down, and runs flashinit at the end of that")
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=120)
    m.expect("watchdog0 is fed from here on")  # systemd has started it, and left it running
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    d.check_written()


@scenario(timeout=240)
def systemd_refuses(lab):
    """It does not take the request, or does not answer: undone, and it goes on as before, dracut's root, too."""
    d = Debian(lab, "systemd")
    m = d.boot()
    m.sh("mkdir /run/initramfs; echo '#!/bin/sh' >/run/initramfs/shutdown", check=True)
    m.sh("systemctl mask --runtime reboot.target", check=True)
    before = m.sh(_STATE).out
    update = "flashinit update /mnt/fw.fwi"
    _refused(lab, m, update, "systemd does not take the request to reboot", before)
    m.sh("systemctl unmask --runtime reboot.target", check=True)
    m.sh("mv /bin/systemctl /root/ctl; printf '#!/bin/sh\\nexec sleep 100' >/bin/systemctl; "
         "chmod 755 /bin/systemctl", check=True)
    result = m.sh(update, timeout=60)
    lab.check_equal(result.code, 4, f"exit code\n{result.out}")
    lab.check("systemd has not answered /bin/systemctl" in result.out, result.out)
    # Killed while it asks for the reboot, it leaves nothing that another reboot would run.
    m.sh("printf '#!/bin/sh\\n[ $1 = show ] || exec sleep 321\\n' >/bin/systemctl; "
         f"{update} >/dev/null 2>&1 & pid=$!; until pgrep -x -f 'sleep 321' >/dev/null; do :; done; "
         "kill -9 $pid; wait $pid; pkill -9 -x -f 'sleep 321'", timeout=60)
    m.sh("[ -e /run/initramfs/sbin/flashinit ] && ! [ -e /run/initramfs/shutdown ]", check=True)
    m.sh("mv /root/ctl /bin/systemctl", check=True)
    out = m.sh("flashinit update --dry-run /mnt/fw.fwi", check=True, timeout=60).out
    lab.check("left by an update that was killed, and removed" in out, out)
    lab.check_equal(m.sh(_STATE).out, before, "the system afterwards")
    _services_run(lab, m)
    m.kill()
    d.boot()
