#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# package.sh NAME
#
# Unpacks a Debian package of this machine's own release, for a firmware to have. Nothing is installed. The last line of
# stdout is the folder. What was fetched is kept.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${FLASHINIT_BUILD:-$(cd "$here/../../.." && pwd)/build}
cache=$build/lab/packages
name=${1:?which package}
result=$cache/$name

unpack() {
	partial=$result.partial
	rm -rf "$partial"
	mkdir "$partial"
	echo "package: downloading $name" >&2
	(cd "$partial" && apt-get -q download "$name" >&2)
	dpkg-deb -x "$partial/$name"_*.deb "$partial"
	rm "$partial/$name"_*.deb
	mv "$partial" "$result"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
[ -d "$result" ] || unpack
echo "$result"
