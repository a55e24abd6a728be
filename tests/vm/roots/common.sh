#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: udev,dbus,cron,openssh-server,util-linux,kmod,procps
#
# common.sh FOLDER
#
# What all roots of the laboratory have in common, for build.sh, before they are packed: /lab is what an init is to run on
# the console when everything else has been started. The root is a disk, and the stick the next; or the stick is the first.

set -eu

root=$1

echo flashinit >"$root/etc/hostname"
: >"$root/etc/machine-id"
echo '/dev/ubda / ext4 defaults 0 0' >"$root/etc/fstab"
chroot "$root" passwd -q -d root
cat >"$root/lab" <<-'END'
	#!/bin/sh
	mount -r -t squashfs /dev/ubda /mnt 2>/dev/null || mount -r /dev/ubdb /mnt
	printf '\nFIRMWARE 1 UP\n' # behind what an init may have sent to reset the terminal
	PS1='firmware 1# ' exec bash --norc --noediting -i
END
chmod 755 "$root/lab"
