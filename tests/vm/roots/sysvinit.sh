#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: sysvinit-core,orphan-sysvinit-scripts,busybox-syslogd
#
# sysvinit.sh FOLDER
#
# Makes a root with sysvinit one of the laboratory: for build.sh, before it is packed.

set -eu

root=$1

# There is but one beside the console, which is the shell's.
sed -i '/getty.*tty[2-6]/d' "$root/etc/inittab"
cat >>"$root/etc/inittab" <<-'END'
	lab:23:respawn:/lab </dev/console >/dev/console 2>&1
END
