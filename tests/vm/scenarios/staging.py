# SPDX-License-Identifier: GPL-2.0-or-later
"""Staging: whatever fails in it, the system is as before, and a later update works."""

from labkit import bench
from labkit.scenario import scenario

# All that an update could leave changed, as text to compare.
_STATE = """\
#!/bin/sh
# $SHELL_PID is the shell of the console.
cat /proc/self/mountinfo
md5sum /etc/inittab
ls / /dev /mnt /run /tmp /var
for process in /proc/[0-9]*; do
    read -r name <$process/comm && read -r line <$process/cmdline
    [ -z "$line" ] || [ $process = /proc/$$ ] || echo "$process $name"
done 2>/dev/null
for process in 1 $SHELL_PID; do
    ls -l /proc/$process/root /proc/$process/cwd /proc/$process/fd/*
done | sed 's/.* \(.* ->\)/\1/'
stty -a 2>/dev/null
cd /sys/module/flashsim/parameters && cat erases programs
"""

# sweep [-k] COMMAND: runs a command again and again, with its first, second, ... changing call failing, until there is
# none left to fail; says after which of them the system was another one. With -k it is killed there,
# and runs once more unhindered.
_SWEEP = """\
#!/bin/sh
kill=
[ "$1" != -k ] || { kill=-k; shift; }
export SHELL_PID=$PPID
: >/tmp/before; : >/tmp/after; : >/tmp/out; : >/tmp/codes
state >/tmp/before
call=$((START - 1))
until grep -q "failcall: only" /tmp/out; do
    call=$((call + 1))
    failcall $kill $call "$@" >/tmp/out 2>&1
    code=$?
    [ -z "$kill" ] || "$@" >>/tmp/out 2>&1 || call=broken
    echo $code $(grep failcall: /tmp/out) >>/tmp/codes
    [ $call = broken ] || for look in 1 2 3 4 5; do
        state >/tmp/after
        cmp -s /tmp/before /tmp/after && continue 2
        usleep 200000
    done
    cat /tmp/out
    diff /tmp/before /tmp/after
    exit 1
done
"""
_FILES = {"bin/state": _STATE, "bin/sweep": _SWEEP}


def _sweep(lab, machine, command, start=1):
    """The calls that failed in turn, with the exit codes that the command then had."""
    machine.sh("rm -f /tmp/codes /tmp/before /tmp/after /tmp/out", check=True)
    result = machine.sh(f"START={start} sweep {command}", timeout=200)
    lab.check_equal(result.code, 0, f"{command}: {result.out}")
    return machine.sh("cat /tmp/codes").out.splitlines()


def _number_of(calls, name):
    """The number of the first call of that name."""
    return next(number for number, line in enumerate(calls, 1) if f", {name}" in line)


def _small(lab):
    small = bench.pack(lab, "small", {"data": b"new data" * 1000})
    return bench.on(lab, "squashfs-nand", files=_FILES, stick={"small.fwi": small})


@scenario(timeout=300)
def undo_every_step(lab):
    """Each changing system call of a dry run, then of an update, fails once: all is as before."""
    b = _small(lab)
    m = b.machine
    calls = _sweep(lab, m, "flashinit update --dry-run /mnt/small.fwi")
    for name in "mount", "mkdir", "write", "link", "fork", "chroot", "umount2", "rmdir":
        _number_of(calls, name)
    # Up to there it is the same. The last one is not hindered, and goes all the way.
    start = _number_of(calls, "chroot")
    m.send(f"START={start} sweep flashinit update --after poweroff /mnt/small.fwi\n")
    lab.check_equal(m.wait_exit(200), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "data", b"new data" * 1000)


@scenario(timeout=300)
def killed_while_staging(lab):
    """Killed at each changing system call of a dry run: the next update removes what is left."""
    b = _small(lab)
    calls = _sweep(lab, b.machine, "-k flashinit update --dry-run /mnt/small.fwi", 20)
    lab.check(any("killed at" in line and "link" in line for line in calls), calls)
    b.machine.send("flashinit update --after poweroff /mnt/small.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "data", b"new data" * 1000)


# Mounts that are shared, a second namespace that has peers of all of them, and a slave.
_SHARE = """\
#!/bin/sh
mount --make-rshared /
unshare -m --propagation shared sh -c 'echo >/run/peer; exec sleep 3600' &
unshare -m --propagation slave sh -c 'echo >/run/slave; exec sleep 3600' &
until [ -e /run/peer ] && [ -e /run/slave ]; do :; done
"""
_PEERS = """\
#!/bin/sh
for process in /proc/[0-9]*; do
    read -r name <$process/comm && [ $name != sleep ] || cat $process/mountinfo
done 2>/dev/null
"""


@scenario(timeout=90)
def shared_mounts(lab):
    """Every mount is shared, with peers elsewhere: they stay peers after a dry run; updated."""
    files = {**_FILES, "bin/share": _SHARE, "bin/peers": _PEERS}
    b = bench.on(lab, "squashfs-nand", files=files)
    m = b.machine
    m.sh("share", check=True)
    before = m.sh("cat /proc/self/mountinfo; peers").out
    lab.check(before.count("shared:1 ") >= 2 and "master:1" in before, before)
    m.sh("flashinit update --dry-run /mnt/fw.fwi", check=True)
    lab.check_equal(m.sh("cat /proc/self/mountinfo; peers").out, before, "all mounts")
    m.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    m.expect("staged in RAM: /run/flashinit.root")
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def no_devtmpfs(lab):
    """A kernel without devtmpfs: the device nodes are made by hand; no flash is out of reach."""
    b = bench.on(lab, "squashfs-nand")
    # While it waits for the end of a pipe one can look.
    nodes = b.machine.sh("mkfifo /tmp/p; sh -c 'cat /mnt/fw.fwi; exec sleep 3600' >/tmp/p & feed=$!; "
                         "failcall -t devtmpfs flashinit update /tmp/p 2>/dev/null & pid=$!; "
                         "until [ -e /run/flashinit.root/image.fwi ]; do :; done; "
                         "cd /run/flashinit.root/dev; ls -l | sed -n 's/^\\([bc]\\).* /\\1 /p'; cd /; "
                         "kill $(pidof flashinit); wait $pid; kill $feed").out.split("\n")
    wanted = {"c console", "c null", "c kmsg", "c mtd0", "c mtd0ro", "c mtd1", "b mtdblock0", "b loop0"}
    lab.check(wanted <= set(nodes) and "c tty" not in nodes, f"nodes: {nodes}")
    b.machine.send("failcall -t devtmpfs flashinit update --after poweroff /mnt/fw.fwi\n")
    b.machine.expect("mount, fails: No such device")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.power_on(2)
