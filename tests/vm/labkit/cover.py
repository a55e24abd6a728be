# SPDX-License-Identifier: GPL-2.0-or-later
"""A root that hides what the kernel has booted from."""

INIT = """\
#!/bin/sh
# Covers the root that the kernel has mounted with an overlay: no path leads to it any more.
mount -t tmpfs upper /tmp
mkdir /tmp/up /tmp/work
mount -t overlay -o lowerdir=/,upperdir=/tmp/up,workdir=/tmp/work over /mnt
mount --move /dev /mnt/dev
cd /mnt
mount --move . /
exec chroot . /sbin/init
"""
