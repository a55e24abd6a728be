#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: systemd,systemd-sysv
#
# systemd.sh FOLDER
#
# Makes a root with systemd one of the laboratory: for build.sh, before it is packed.

set -eu

root=$1
units=$root/etc/systemd/system

cat >"$units/lab.service" <<-'END'
	[Unit]
	After=getty.target cron.service systemd-logind.service dbus.service ssh.service
	[Service]
	ExecStart=/lab
	StandardInput=tty
	StandardOutput=tty
	TTYPath=/dev/console
	KillSignal=SIGHUP
	[Install]
	WantedBy=multi-user.target
END
chroot "$root" systemctl -q enable lab.service
# The kernel has not all the settings that one sets; the others would be under way at some time or other.
chroot "$root" systemctl -q mask systemd-sysctl.service apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service
