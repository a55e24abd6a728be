# SPDX-License-Identifier: GPL-2.0-or-later
"""The hand-over by OpenRC's own init: Debian's, with its usual services."""

from labkit import tools
from labkit.debian import Debian, DebianOnUbi
from labkit.scenario import scenario

_SERVICES = ["systemd-udevd", "syslogd", "klogd", "dbus-daemon", "cron", "sshd", "agetty",
             "supervise-daemo"]
_STATE = ("cut -d ' ' -f 3- /proc/self/mountinfo; ls / /run /run/openrc/started | grep -v agetty.reload; "
          "readlink /proc/1/exe; readlink /proc/1/root")
_UPDATE = "flashinit update --after poweroff /mnt/fw.fwi"
_AFRESH = "OpenRC init version "


def _state(m):
    """The system's state, without what PID 1 says of its FIFO while it is asked for."""
    return [line for line in m.sh(_STATE).out.splitlines() if not line.startswith("PID1: ")]


def _refused(lab, m, words, before):
    result = m.sh(_UPDATE, timeout=60)
    lab.check_equal(result.code, 4, f"exit code\n{result.out}")
    lab.check(words in result.out, f"{words!r} is not in {result.out}")
    lab.check_equal(_state(m), before, "the system afterwards")


def _works(m):
    """PID 1 reads its FIFO: it runs itself anew, and goes on."""
    m.send("openrc-shutdown -R now\n")
    m.expect(_AFRESH)
    m.sh("until grep -qz reexec /proc/1/cmdline; do :; done", check=True)


def _update(lab, d, m):
    d.check_services(_SERVICES)
    out = m.sh("flashinit check /mnt/fw.fwi", check=True, timeout=60).out
    lab.check("init: PID 1 is openrc-init: via openrc" in out, out)
    m.send(f"{_UPDATE}\n")
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=60)
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    d.check_written()


@scenario(timeout=240)
def openrc_update(lab):
    """Asked for it by its FIFO, it runs itself anew in the RAM root: the disk is the image, which boots."""
    d = Debian(lab, "openrc")
    _update(lab, d, d.boot(append="init=/usr/sbin/openrc-init"))


@scenario(timeout=240)
def openrc_ubi(lab):
    """The same on UBIFS: its flash is the image, which boots."""
    d = DebianOnUbi(lab, "openrc")
    _update(lab, d, d.boot())


def _script(lab, d, path, text):
    script = lab.folder / "script"
    script.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    d.put(script, path)


@scenario(timeout=240)
def openrc_refuses(lab):
    """It starts up, waits for a shell, or could not run itself anew: refused, and it goes on as before."""
    d = Debian(lab, "openrc")
    _script(lab, d, "/etc/rc.local", "/lab </dev/console >/dev/console 2>&1")
    _script(lab, d, "/usr/sbin/relative", "cd /sbin\nexec -a ./openrc-init /sbin/openrc-init")
    m = d.boot()
    before = _state(m)
    _refused(lab, m, "is openrc-init still starting up?", before)
    m.send("exit\n")
    m.up(1)
    _works(m)
    m.send("openrc-shutdown --single now\n")
    m.up(1)
    before = _state(m)
    _refused(lab, m, "init has not opened /run/openrc/init.ctl within 10 s", before)
    m.send("exit\n")
    m.up(1)
    m.kill()
    m = d.boot(append="init=/sbin/relative")
    before = _state(m)
    _refused(lab, m, "PID 1 was started as ./openrc-init: it needs an absolute path", before)


@scenario(timeout=240)
def openrc_forky(lab):
    """That of Debian's next release, 0.64.1, which keeps its FIFO open: undone while it waits for a shell, then granted."""
    d = Debian(lab, "openrc", suite="forky")
    m = d.boot()
    m.send("openrc-shutdown --single now\n")
    m.up(1)
    before = _state(m)
    _refused(lab, m, "init has not run itself anew within 10 s", before)
    m.send("exit\n")
    m.up(1)
    lab.check(_AFRESH not in m.console.split("FIRMWARE 1 UP")[1], "it has run itself anew later")
    _works(m)
    _update(lab, d, m)


# For openrc-init only: while there is a /run/held it does not read what it is asked for, nor exec with a /run/failing.
_HELD = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void for_no_child(void)
{
	unsetenv("LD_PRELOAD");
}

size_t fread(void *to, size_t size, size_t count, FILE *file)
{
	size_t (*real)(void *, size_t, size_t, FILE *) = dlsym(RTLD_NEXT, "fread");

	while (access("/oldroot/run/held", F_OK) == 0)
		usleep(1000);
	return real(to, size, count, file);
}

int execlp(const char *name, const char *first, ...)
{
	char *words[] = { (char *)first, NULL, NULL };
	va_list rest;

	va_start(rest, first);
	words[1] = va_arg(rest, char *);
	va_end(rest);
	if (access("/oldroot/run/failing", F_OK) == 0) {
		usleep(20000); /* a tick: in the same one its next open would note no time of access, nor keep the root */
		return errno = EACCES, -1;
	}
	return execvp(name, words);
}
"""


@scenario(timeout=240)
def openrc_exec_fails(lab):
    """It fails to run itself anew, or does not come to it: undone, it goes on, and then it works."""
    d = Debian(lab, "openrc")
    source, library = lab.folder / "held.c", lab.folder / "held.so"
    source.write_text(_HELD, encoding="utf-8")
    tools.run("gcc", "-shared", "-fPIC", "-o", library, source)
    d.put(library, "/usr/lib/held.so")
    _script(lab, d, "/usr/sbin/wrapper", "LD_PRELOAD=/lib/held.so exec -a openrc-init /sbin/openrc-init")
    m = d.boot(append="init=/sbin/wrapper")
    for what in "failing", "held":
        m.sh(f"touch /run/{what}", check=True)
        before = _state(m)
        _refused(lab, m, "init has not run itself anew within 10 s", before)
        m.sh(f"rm /run/{what}", check=True)
    lab.check(_AFRESH not in m.console.split("FIRMWARE 1 UP")[1], "it has run itself anew later")
    _works(m)
    m.send(f"{_UPDATE}\n")
    m.expect("this is PID 1 now, in RAM; the old root goes", timeout=60)
    lab.check_equal(m.wait_exit(60), 0, "exit code after poweroff")
    d.check_written()
