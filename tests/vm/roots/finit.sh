#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: finit-sysv,busybox-syslogd
#
# finit.sh FOLDER
#
# Makes a root with finit one of the laboratory: for build.sh, before it is packed.

set -eu

root=$1

# Debian's finit comes without the plugins that would start these, and tell of the network.
rm -f "$root"/etc/finit.d/*.conf
cat >"$root/etc/finit.d/lab.conf" <<-'END'
	run [S] mkdir -p /run/dbus /run/sshd
	service [S2345] /lib/systemd/systemd-udevd -- Devices
	service [2345] dbus-daemon --system --nofork --nopidfile -- D-Bus
	service [2345] syslogd -n -- Log
	service [2345] cron -f -- Cron
	service [2345] /usr/sbin/sshd -D -- SSH
	service [2345] /sbin/agetty tty1 -- Getty
	service [2345] name:lab /etc/lab -- Shell
END
cat >"$root/etc/lab" <<-'END'
	#!/bin/sh
	until [ -s /run/sshd.pid ] && [ -s /run/crond.pid ]; do sleep 0.2; done
	exec /lab </dev/console >/dev/console 2>&1
END
chmod 755 "$root/etc/lab"
