#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For busybox.sh, cpu.sh and roots/build.sh, which read it.

# suite_sources SUITE FOLDER: the machine's own package sources, of another suite unless that is empty, into the new
# folder: mirror, proxy and keys are what it is configured for. Sets release, its own suite; fails if nobody knows that.
suite_sources() {
	# shellcheck disable=SC1091 # it is the machine's
	release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[ -n "$release" ] || return 1
	mkdir -p "$2"
	eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	# shellcheck disable=SC2154 # main and parts: set by apt-config
	for file in "$main" "$parts"*.list "$parts"*.sources; do
		[ ! -f "$file" ] || ! grep -q "[[:space:]]main" "$file" ||
			sed -e '/cdrom:/d' -e "s/\\b$release\\b/${1:-$release}/g" "$file" >"$2/$(basename "$file")"
	done
}
