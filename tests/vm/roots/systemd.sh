#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: systemd,systemd-sysv,udev,dbus,cron,util-linux,kmod,procps
#
# systemd.sh FOLDER
#
# Makes a root with systemd one of the laboratory: for build.sh, before it is packed.

set -eu

root=$1
units=$root/etc/systemd/system

echo flashinit >"$root/etc/hostname"
: >"$root/etc/machine-id"
echo '/dev/ubda / ext4 defaults 0 0' >"$root/etc/fstab"
chroot "$root" passwd -q -d root
cat >"$units/lab.service" <<-'END'
	[Unit]
	After=getty.target cron.service systemd-logind.service dbus.service
	[Service]
	Environment="PS1=firmware 1# "
	ExecStart=/bin/sh -c "mount -r /dev/ubdb /mnt; echo FIRMWARE 1 UP; exec bash --norc --noediting -i"
	StandardInput=tty
	StandardOutput=tty
	TTYPath=/dev/console
	KillSignal=SIGHUP
	[Install]
	WantedBy=multi-user.target
END
chroot "$root" systemctl -q enable lab.service
# The kernel has not all the settings that one sets, another waits for entropy, of which User-Mode Linux has little; the
# others would be under way at some time or other.
chroot "$root" systemctl -q mask systemd-sysctl.service systemd-random-seed.service apt-daily.timer \
	apt-daily-upgrade.timer e2scrub_reap.service
