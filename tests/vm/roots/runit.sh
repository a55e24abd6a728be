#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: runit-init,orphan-sysvinit-scripts,busybox-syslogd
#
# runit.sh FOLDER
#
# Makes a root with runit one of the laboratory: for build.sh, before it is packed. Two services are runit's own, and
# supervised; the others come by their init scripts, as Debian has it.

set -eu

root=$1
sv=$root/etc/sv

mkdir "$sv/lab" "$sv/cron"
cat >"$sv/lab/run" <<-'END'
	#!/bin/sh
	until [ -s /run/sshd.pid ] && [ -s /run/crond.pid ]; do sleep 0.2; done
	exec /lab </dev/console >/dev/console 2>&1
END
cat >"$sv/cron/run" <<-'END'
	#!/bin/sh
	exec cron -f
END
chmod 755 "$sv/lab/run" "$sv/cron/run"
rm -f "$root"/etc/runit/runsvdir/default/getty-tty*
for service in lab cron getty-tty1; do
	ln -sfn "/etc/sv/$service" "$root/etc/runit/runsvdir/default/$service"
done
