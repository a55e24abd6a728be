#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cpu.sh ARCHITECTURE FLAVOUR [SUITE]
#
# Unpack Debian's newest kernel of that flavour and its static BusyBox for another CPU, for use in QEMU; those of another
# suite, if one is named. Nothing is installed, and the machine's own package lists stay as they are. The last line of stdout is the folder with
# boot/vmlinuz-*, lib/modules/* and bin/busybox.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${FLASHINIT_BUILD:-$(cd "$here/../../.." && pwd)/build}
architecture=$1 flavour=$2 suite=${3-}
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

# shellcheck source=tests/vm/kernel/suite.sh
. "$here/suite.sh"

# With lists of its own, as if this were a machine of that architecture on which nothing is installed.
apt() {
	command=$1
	shift
	[ -z "$suite" ] ||
		set -- -oDir::Etc::sourcelist=/dev/null -oDir::Etc::sourceparts="$work/sources" "$@"
	"$command" -q -oAPT::Architecture="$architecture" -oAPT::Architectures="$architecture" \
		-oDir::State::Lists="$work/lists" -oDir::State::status="$work/status" \
		-oDir::Cache="$work/cache" -oAcquire::Languages=none -oAcquire::Retries=3 \
		-oAPT::Sandbox::User="$(id -un)" "$@"
}

# "unsigned": the signed package of some architectures comes later than what it is made of.
newest_kernel() {
	apt apt-cache pkgnames linux-image- |
		grep -E "^linux-image-[0-9.]+[+-][a-z0-9]+-$flavour(-unsigned)?\$" | sort -V | tail -n 1
}

# Newer ones are in several packages.
parts_of() {
	apt apt-cache depends "$1" | sed -n 's/^ *Depends: \(linux-\(base\|binary\|modules\)-[0-9].*\)$/\1/p'
}

unpack() {
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
	: >"$work/status"
	[ -z "$suite" ] || suite_sources "$suite" "$work/sources" || die "this machine's suite is not known"
	say "$architecture: package lists"
	# A list that a mirror is just changing is not had; what the others have is enough.
	apt apt-get update >"$work/log" 2>&1 || say "$architecture: some package lists cannot be had"
	kernel=$(newest_kernel)
	[ -n "$kernel" ] || die "$architecture: Debian has no kernel linux-image-*-$flavour"
	say "$architecture: downloading $kernel (about 60 MB)"
	# shellcheck disable=SC2046 # names of packages, to be split
	(cd "$work" && apt apt-get download "$kernel" $(parts_of "$kernel") busybox-static >>log 2>&1) ||
		die "$architecture: download of $kernel failed"
	for deb in "$work"/*.deb; do
		dpkg-deb -x "$deb" "$work/root"
	done
	# Since Debian 13 they are in usr, and the modules are packed.
	for folder in bin lib; do
		[ -e "$work/root/$folder" ] || ln -s "usr/$folder" "$work/root/$folder"
	done
	if [ ! -d "$work/root/boot" ]; then
		mkdir "$work/root/boot"
		mv "$work"/root/lib/modules/*/vmlinuz "$work/root/boot/vmlinuz-$(ls "$work/root/lib/modules")"
	fi
	find "$work/root/lib/modules/" -name '*.ko.xz' -exec unxz {} +
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
