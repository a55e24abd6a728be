#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: openrc,initscripts,orphan-sysvinit-scripts,busybox-syslogd
#
# openrc.sh FOLDER
#
# Makes a root with OpenRC, its own init included, one of the laboratory: for build.sh, before it is packed.

set -eu

root=$1

ln -s openrc-init "$root/sbin/init"
cat >"$root/etc/init.d/lab" <<-'END'
	#!/sbin/openrc-run
	supervisor=supervise-daemon
	command=/bin/sh
	command_args="-c 'exec /lab </dev/console >/dev/console 2>&1'"
	retry=KILL/5 # the shell does not heed TERM
	depend() {
		after *
	}
END
chmod 755 "$root/etc/init.d/lab"
ln -s agetty "$root/etc/init.d/agetty.tty1"
echo rc_shell=/lab >>"$root/etc/rc.conf" # of single-user mode
for service in lab agetty.tty1; do
	chroot "$root" rc-update -q add "$service" default
done
