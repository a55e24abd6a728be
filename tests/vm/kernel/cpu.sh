#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cpu.sh ARCHITECTURE FLAVOUR
#
# Unpack Debian's newest kernel of that flavour and its static BusyBox for another CPU, for use in QEMU. Nothing is
# installed, and the machine's own package lists stay as they are. The last line of stdout is the folder with
# boot/vmlinuz-*, lib/modules/* and bin/busybox.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${FLASHINIT_BUILD:-$(cd "$here/../../.." && pwd)/build}
architecture=$1 flavour=$2
lab=$build/lab
result=$lab/cpu-$architecture
work=$result.apt

say() {
	echo "kernel: $*" >&2
}

die() {
	say "$*"
	[ ! -s "$work/log" ] || tail -n 15 "$work/log" >&2
	exit 1
}

# With lists of its own, as if this were a machine of that architecture on which nothing is installed.
apt() {
	command=$1
	shift
	"$command" -q -oAPT::Architecture="$architecture" -oAPT::Architectures="$architecture" \
		-oDir::State::Lists="$work/lists" -oDir::State::status="$work/status" \
		-oDir::Cache="$work/cache" -oAcquire::Languages=none -oAcquire::Retries=3 \
		-oAPT::Sandbox::User="$(id -un)" "$@"
}

# "unsigned": the signed package of some architectures comes later than what it is made of.
newest_kernel() {
	apt apt-cache pkgnames linux-image-6 |
		grep -E "^linux-image-[0-9.]+-[0-9]+-$flavour(-unsigned)?\$" | sort -V | tail -n 1
}

unpack() {
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
	: >"$work/status"
	say "$architecture: package lists"
	# A list that a mirror is just changing is not had; what the others have is enough.
	apt apt-get update >"$work/log" 2>&1 || say "$architecture: some package lists cannot be had"
	kernel=$(newest_kernel)
	[ -n "$kernel" ] || die "$architecture: Debian has no kernel linux-image-*-$flavour"
	say "$architecture: downloading $kernel (about 60 MB)"
	(cd "$work" && apt apt-get download "$kernel" busybox-static >>log 2>&1) ||
		die "$architecture: download of $kernel failed"
	for deb in "$work"/*.deb; do
		dpkg-deb -x "$deb" "$work/root"
	done
	depmod -b "$work/root" "$(ls "$work/root/lib/modules")"
	mv "$work/root" "$result"
	rm -rf "$work"
}

mkdir -p "$lab"
exec 9>"$result.lock"
flock 9
if [ ! -d "$result" ]; then
	rm -rf "$work"
	unpack
fi
echo "$result"
