# SPDX-License-Identifier: GPL-2.0-or-later
"""The hand-over by systemd: Debian's, on ext4 on a disk, with its usual services."""

from labkit import tools
from labkit.debian import Debian, DebianOnUbi
from labkit.scenario import scenario

_SERVICES = "systemd-journald systemd-udevd systemd-logind dbus cron ssh getty@tty1 lab"
# What an update that fails must leave as it was. A service's credentials are mounted when systemd comes to it.
_STATE = ("cut -d ' ' -f 3- /proc/self/mountinfo | grep -v ' /run/credentials/'; ls -AR /run/initramfs; cat /proc/1/comm; "
          f"systemctl is-active {_SERVICES}; systemctl list-jobs")


def _services_run(lab, m):
    m.sh("systemctl is-system-running --wait", timeout=90)
    lab.check_equal(m.sh(f"systemctl is-active {_SERVICES}").out.split(), ["active"] * 8, "services")


def _set(m, setting):
    """Have systemd itself run with that setting, which it tells nobody of."""
    m.sh(f"mkdir -p /run/systemd/system.conf.d; printf '[Manager]\\n{setting}\\n' "
         ">/run/systemd/system.conf.d/lab.conf; systemctl daemon-reexec", check=True, timeout=60)


def _refused(lab, m, command, words, before):
    result = m.sh(command, timeout=60)
    lab.check_equal(result.code, 4, f"exit code\n{result.out}")
    lab.check(words in result.out, f"{words!r} is not in {result.out}")
    lab.check_equal(m.sh(_STATE).out, before, "the system afterwards")
    _services_run(lab, m)


def _update(lab, suite=""):
    d = Debian(lab, "systemd", suite=suite)
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
def systemd_update(lab):
    """Its services stop, it unmounts what it can, and hands over: the disk is the image, which boots."""
    _update(lab)


@scenario(timeout=240)
def systemd_trixie(lab):
    """The same with that of Debian 13, 257."""
    _update(lab, "trixie")


@scenario(timeout=240)
def systemd_forky(lab):
    """The same with that of Debian's next release, 262."""
    _update(lab, "forky")


@scenario(timeout=240)
def systemd_boot(lab):
    """--after boot, from a disk that has image and outcome; a watchdog that systemd leaves off stays off."""
    d, disk = Debian(lab, "systemd"), lab.disk(size="32M")
    tools.run("mkfs.ext4", "-q", "-F", disk.path)
    m = d.boot(disk)
    boot_id = m.sh("cat /proc/sys/kernel/random/boot_id").out
    m.sh("mount -t ext4 /dev/ubdc /media && cp /mnt/fw.fwi /media && umount /mnt", check=True)
    _set(m, "RebootWatchdogSec=off")
    m.send("flashinit update --after boot --outcome /media/outcome /media/fw.fwi\n")
    m.expect("the image stays where it is \\(ext4\\)")
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=120)
    m.up(2, timeout=60)
    lab.check_equal(m.sh("cat /proc/sys/kernel/random/boot_id").out, boot_id, "the boot")
    lab.check_equal(m.sh("cat /sys/class/watchdog/watchdog0/state").out, "inactive", "the watchdog")
    # Systemd has made its file system read-only at the end: it was not when the outcome was written.
    m.sh("mount -t ext4 /dev/ubdc /mnt", check=True)
    turns = [line.split()[3] for line in m.sh("cat /mnt/outcome").out.splitlines()]
    lab.check_equal(turns, ["handing-over", "taken-over", "cleared", "begun", "done"], "turns")
    m.sh("sync")
    m.kill()
    d.check_boots()


@scenario(timeout=240)
def systemd_stick(lab):
    """The image stays on a stick with vfat, and the watchdog that systemd has fed before is taken over."""
    d, stick = Debian(lab, "systemd"), lab.disk(size="16M")
    tools.run("busybox", "mkdosfs", stick.path)
    m = d.boot(stick)
    m.sh("mount -t vfat /dev/ubdc /media && cp /mnt/fw.fwi /media && umount /mnt", check=True)
    _set(m, "RuntimeWatchdogSec=20\\nRebootWatchdogSec=25")
    out = m.sh("flashinit check /media/fw.fwi", check=True).out
    lab.check("the image stays where it is (vfat)" in out, out)
    lab.check("watchdog0 runs, timeout 20 s, fed by process 1 (systemd)" in out, out)
    m.send("flashinit update --after poweroff /media/fw.fwi\n")
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=120)
    m.expect("watchdog0 is fed from here on; its timeout is 25 s")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    d.check_written()


# The client is there again before anybody else asks for it.
_WITHOUT_CLIENT = ("mv /bin/systemctl /root/ctl; {}; code=$?; mv /root/ctl /bin/systemctl; (exit $code)")
# Others may free one meanwhile: it is filled at the last moment.
_FULL_RUN = ("all=$(stat -fc %c /run); free=$(stat -fc %d /run); "
             "mount -o remount,nr_inodes=$((all - free + 50)) /run; mkdir /run/full; "
             "until ! : >/run/full/$((n += 1)); do :; done 2>/dev/null; {}; code=$?; rm -r /run/full; "
             "mount -o remount,nr_inodes=$all /run; (exit $code)")


@scenario(timeout=240)
def systemd_cannot(lab):
    """Without systemctl, or without room for the RAM root's place: refused, and nothing was changed."""
    d = Debian(lab, "systemd")
    m = d.boot()
    before = m.sh(_STATE).out
    for verb in "check", "update":
        _refused(lab, m, _WITHOUT_CLIENT.format(f"flashinit {verb} /mnt/fw.fwi"),
                 "/bin/systemctl: needed to ask PID 1: No such file", before)
    m.sh("chmod -x /bin/systemctl", check=True)
    result = m.sh("flashinit check /mnt/fw.fwi")
    lab.check("/bin/systemctl: needed to ask PID 1: Permission denied" in result.out, result.out)
    m.sh("chmod +x /bin/systemctl", check=True)
    _refused(lab, m, _FULL_RUN.format("flashinit update /mnt/fw.fwi"),
             "/run/initramfs: cannot make (free space or inodes there): No space left on device", before)


@scenario(timeout=240)
def systemd_refuses(lab):
    """It does not take the request, or does not answer: undone, and it goes on as before, dracut's root, too."""
    d = Debian(lab, "systemd")
    m = d.boot()
    m.sh("mkdir /run/initramfs; echo '#!/bin/sh' >/run/initramfs/shutdown", check=True)
    m.sh("systemctl mask --runtime reboot.target", check=True)
    before = m.sh(_STATE).out
    update = "flashinit update /mnt/fw.fwi"
    # A service that gets a namespace of its own meanwhile, as most do, must not keep the RAM root.
    m.sh("mv /bin/systemctl /root/ctl; printf '#!/bin/sh\\n[ $1 != start ] || "
         "{ unshare -m --propagation slave sleep 321 >/dev/null 2>&1 & "
         "until pgrep -x -f \"sleep 321\"; do :; done; }\\nexec /root/ctl \"$@\"' >/bin/systemctl; "
         "chmod 755 /bin/systemctl", check=True)
    _refused(lab, m, update, "systemd does not take the request to reboot", before)
    m.sh("mv /root/ctl /bin/systemctl; pid=$(pgrep -x -f 'sleep 321') && "
         "! grep flashinit /proc/$pid/mountinfo && kill -9 $pid", check=True)
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


@scenario(timeout=300)
def systemd_ubi(lab):
    """On UBIFS, which systemd leaves mounted: unmounted, UBI detached, all of it written, and it boots."""
    d = DebianOnUbi(lab, "systemd")
    m = d.boot()
    _services_run(lab, m)
    m.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    m.expect("systemd shuts down, and runs flashinit at the end of that", timeout=60)
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=120)
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    d.check_written()
