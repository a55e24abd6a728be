#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# debian-source.sh WORK PACKAGE VERSION FILE
#
# Fetches the original tarball of the Debian source package PACKAGE at upstream version VERSION to FILE. Where from and
# how (mirror, proxy, keys) is what the machine's apt is configured for: its sources of binary packages are turned into
# sources of source packages. All that apt writes goes to the folder WORK; the machine's own lists stay as they are, and
# no privilege is needed.

set -eu

work=$1 package=$2 version=$3 file=$4
log=$work/log

say() {
	echo "-- $*" >&2
}

die() {
	say "$*"
	if [ -s "$log" ]; then
		tail -n 15 "$log" | sed 's/^/   /' >&2
	fi
	exit 1
}

# One source file of our own from each of the machine's. Both formats may name binaries, source, or both. A CD-ROM holds
# no source, and would ask for the disc.
derive_sources() {
	rm -rf "$work/sources"
	mkdir -p "$work/sources"
	eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	# shellcheck disable=SC2154 # main and parts: set by apt-config
	for list in "$main" "$parts"*.list; do
		[ -f "$list" ] || continue
		sed -n -e '/cdrom:/d' -e 's/^[[:space:]]*deb\(-src\)\{0,1\}[[:space:]]\{1,\}/deb-src /p' "$list" \
			>"$work/sources/$(basename "$list" .list).list"
	done
	for deb822 in "$parts"*.sources; do
		[ -f "$deb822" ] || continue
		sed 's/^[Tt]ypes:.*/Types: deb-src/' "$deb822" >"$work/sources/$(basename "$deb822")"
	done
}

# The hooks are cleared since they tend the machine's own lists and caches.
write_config() {
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	cat >"$work/apt.conf" <<-END
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$work/sources";
		Dir::State::Lists "$work/lists";
		Dir::Cache "$work/cache";
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
		Acquire::Retries "3";
	END
}

# A third party's repository that has no source or does not answer is no reason to give up: what counts is whether the
# package is found.
update() {
	say "Fetching the index of Debian source packages (kept in $work)"
	apt-get -q -c "$work/apt.conf" update >"$log" 2>&1 || true
}

# The Debian version (epoch, upstream version, revision) whose upstream part is the one we want.
find_version() {
	apt-cache -c "$work/apt.conf" showsrc --only-source "$package" 2>>"$log" | awk -v want="$version" '
		$1 == "Version:" {
			upstream = $2
			sub(/^[0-9]+:/, "", upstream)
			sub(/-[^-]*$/, "", upstream)
			if (upstream == want) {
				print $2
				exit
			}
		}'
}

download() {
	rm -rf "$work/download"
	mkdir "$work/download"
	(
		cd "$work/download"
		apt-get -q -c "$work/apt.conf" source --download-only --tar-only "$package=$1"
	) >"$log" 2>&1
}

command -v apt-get >/dev/null || die "There is no apt-get here to fetch the source of $package with"
derive_sources
write_config
: >"$log"

debian_version=$(find_version)
if [ -z "$debian_version" ]; then
	update
	debian_version=$(find_version)
fi
[ -n "$debian_version" ] || die "No configured package source has $package $version as source"

say "Fetching $(basename "$file")"
# An index of some time ago may name a place that is no more.
if ! download "$debian_version"; then
	update
	download "$debian_version" || die "apt-get could not download the source of $package $debian_version"
fi
found=$work/download/$(basename "$file")
[ -f "$found" ] || die "$package $debian_version has no $(basename "$file")"
mkdir -p "$(dirname "$file")"
mv "$found" "$file"
