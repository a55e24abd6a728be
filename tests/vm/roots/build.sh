#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# build.sh systemd|sysvinit|openrc|runit|finit [SUITE]
#
# A Debian root of that suite, or else of this machine's own release, with that init, its usual services, and a shell on
# the console that says "FIRMWARE 1 UP" when all of them have been started: an ext4 image of 320 MiB. Nothing is
# installed. The last line of stdout is the path of the image. It is kept, until what makes it changes, and so are the
# packages, for the next one.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${FLASHINIT_BUILD:-$(cd "$here/../../.." && pwd)/build}
name=${1:?which init}
suite=${2-}
result=$build/lab/root-$name$suite-$(cat "$0" "$here/common.sh" "$here/$name.sh" | sha256sum | cut -c -12)
debs=$build/lab/cache/debs$suite

# Whom the files belong to does not matter to a machine of the laboratory, and not everybody can give them away.
pack() {
	mkdir "$partial/tree"
	tar -C "$partial/tree" -xf "$partial/root.tar" --no-same-owner --exclude='./dev/*' --exclude='./proc/*'
	truncate -s 320M "$partial/root.ext4"
	mke2fs -q -t ext4 -d "$partial/tree" "$partial/root.ext4"
	chmod -R u+w "$partial/tree"
	rm -rf "$partial/tree" "$partial/root.tar"
}

packages() {
	sed -n 's/^# packages: //p' "$here/common.sh" "$here/$name.sh" | paste -s -d ,
}

# mmdebstrap mounts what is needed while packages are installed: in a namespace of its own.
unpack() {
	# shellcheck source=tests/vm/kernel/suite.sh
	. "$here/../kernel/suite.sh"
	suite_sources "$suite" "$partial/sources"
	set -- "$partial/sources"/*
	# What a mirror has of another suite may be some weeks old.
	[ -z "$suite" ] || set -- "$@" --aptopt='Acquire::Check-Valid-Until "false"'
	own=
	[ "$(id -u)" -ne 0 ] || own='unshare -m'
	# shellcheck disable=SC2086,SC2016 # no word, or two; and $1 is mmdebstrap's
	$own mmdebstrap -q --variant=minbase --include="$(packages)" --skip=essential/unlink \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
		--setup-hook="sync-in $partial/debs /var/cache/apt/archives" \
		--customize-hook="sync-out /var/cache/apt/archives $partial/debs" \
		--customize-hook="$here/common.sh" --customize-hook="$here/$name.sh" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' "${suite:-$release}" "$partial/root.tar" "$@" \
		</dev/null >&2
	rm -r "$partial/sources"
}

# Another root may be built meanwhile: so each has its own copies, since tar takes a new link for a change of the file, and
# what is new appears whole.
borrow_packages() {
	mkdir -p "$debs"
	cp -a "$debs" "$partial/debs"
}

keep_packages() {
	for file in "$partial"/debs/*.deb; do
		mv -f "$file" "$debs/"
	done
	rm -rf "$partial/debs"
}

mkdir -p "$build/lab"
exec 9>"$build/lab/root-$name$suite.lock"
flock 9
if [ ! -d "$result" ]; then
	echo "root: building Debian's with $name${suite:+, $suite}" >&2
	partial=$result.partial
	rm -rf "$partial"
	mkdir "$partial"
	borrow_packages
	unpack
	keep_packages
	pack
	mv "$partial" "$result"
fi
echo "$result/root.ext4"
