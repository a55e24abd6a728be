#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# busybox.sh debian SUITE
# busybox.sh source OPTION=VALUE...
#
# A static BusyBox for the laboratory: Debian's of another SUITE, or one that is built from the source that
# cmake/sources.sha256 pins, with init alone and the options given. Nothing is installed. The last line of stdout is the
# path of the program. What was fetched and built is kept.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
build=${FLASHINIT_BUILD:-$top/build}
lab=$build/lab
cache=$lab/busybox
pins=$top/cmake/sources.sha256

say() {
	echo "busybox: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# shellcheck source=tests/vm/kernel/suite.sh
. "$here/suite.sh"

configure_apt() {
	work=$cache/apt-$1
	rm -rf "$work"
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	suite_sources "$1" "$work/sources" || die "/etc/os-release does not name this machine's suite"
	cat >"$work/apt.conf" <<-END
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$work/sources";
		Dir::State::Lists "$work/lists";
		Dir::Cache "$work/cache";
		Dir::State::status "/dev/null";
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
	END
}

# Its usr is bin's parent since Debian 13. A suite's updates or security may be gone while it is still there.
debian() {
	result=$cache/debian-$1
	[ ! -x "$result" ] || return 0
	say "fetching busybox-static of Debian $1"
	configure_apt "$1"
	apt-get -q -c "$work/apt.conf" update >"$work/log" 2>&1 || true
	(cd "$work" && apt-get -q -c "$work/apt.conf" download busybox-static >>log 2>&1) || {
		tail -n 5 "$work/log" >&2
		die "no package source has busybox-static of Debian $1"
	}
	dpkg-deb --fsys-tarfile "$work"/busybox-static_*.deb |
		tar -xO --wildcards './bin/busybox' './usr/bin/busybox' >"$result.partial" 2>/dev/null || true
	[ -s "$result.partial" ] || die "there is no busybox in busybox-static of Debian $1"
	chmod 755 "$result.partial"
	mv "$result.partial" "$result"
	rm -rf "$work"
}

fetch_source() {
	name=$(sed -n 's/.*  \(busybox_.*\)$/\1/p' "$pins")
	version=${name#busybox_}
	version=${version%.orig.tar.*}
	tarball=$cache/$name
	tree=$cache/busybox-$version
	[ -f "$tarball" ] || sh "$top/cmake/debian-source.sh" "$cache/apt-source" busybox "$version" "$tarball" >&2
	(cd "$cache" && grep "  $name\$" "$pins" | sha256sum --quiet -c -) || die "$tarball is not the pinned file"
	[ -d "$tree" ] || {
		rm -rf "$cache/unpacking"
		mkdir "$cache/unpacking"
		tar -x -C "$cache/unpacking" -f "$tarball"
		mv "$cache/unpacking/busybox-$version" "$tree"
	}
}

# Its allnoconfig does not take options from elsewhere: what it made is edited, and completed.
from_source() {
	fetch_source
	hash=$(echo "$name" "$@" | sha256sum | cut -c1-12)
	result=$cache/source-$hash
	[ ! -x "$result" ] || return 0
	say "building $name with $*"
	out=$cache/build
	rm -rf "$out"
	mkdir "$out"
	make -s -C "$tree" O="$out" allnoconfig >"$out/log"
	for option in CONFIG_STATIC=y CONFIG_INIT=y "$@"; do
		sed -i "/^\\(# \\)\\{0,1\\}${option%%=*}[ =]/d" "$out/.config"
		echo "$option" >>"$out/.config"
	done
	yes '' 2>/dev/null | make -s -C "$out" oldconfig >>"$out/log"
	for option; do
		case $option in
		*=n) ! grep -q "^${option%=n}=" "$out/.config" ;;
		*) grep -qxF "$option" "$out/.config" ;;
		esac || die "Kconfig dropped $option"
	done
	make -s -C "$out" -j"$(nproc)" busybox >>"$out/log" 2>&1 || {
		tail -n 15 "$out/log" >&2
		die "build failed"
	}
	mv "$out/busybox" "$result"
	rm -rf "$out"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

case ${1-} in
debian)
	debian "$2"
	;;
source)
	shift
	from_source "$@"
	;;
*)
	die "usage: busybox.sh debian SUITE | source OPTION=VALUE..."
	;;
esac
echo "$result"
