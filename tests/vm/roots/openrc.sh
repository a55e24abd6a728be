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
	depend() {
		after *
	}
END
chmod 755 "$root/etc/init.d/lab"
ln -s agetty "$root/etc/init.d/agetty.ttyS0"
mkdir -p "$root/etc/conf.d"
printf '%s\n' agetty_options=-L baud=115200 term_type=vt100 respawn_max=0 >"$root/etc/conf.d/agetty.ttyS0"
echo rc_shell=/lab >>"$root/etc/rc.conf" # of single-user mode
for service in lab agetty.ttyS0; do
	chroot "$root" rc-update -q add "$service" default
done
