#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# files.sh PATTERN...
#
# Lists the project's files whose path matches one of the patterns, one a line, relative to the top of the tree: what
# git tracks or would track, or, where this is no checkout (a tarball, or another user's), what lies outside build/.

set -eu

cd "$(dirname "$0")/../.."

all() {
	if [ -e .git ] && git ls-files >/dev/null 2>&1; then
		# Files deleted but not yet from the index are still listed; they have nothing to check.
		git ls-files --cached --others --exclude-standard | while read -r file; do
			[ ! -f "$file" ] || echo "$file"
		done
	else
		find . \( -path ./build -o -path ./.git \) -prune -o -type f -print | sed 's|^\./||'
	fi
}

all | sort | while read -r file; do
	for pattern; do
		# shellcheck disable=SC2254 # a pattern is meant to match as one
		case $file in
		$pattern)
			echo "$file"
			break
			;;
		esac
	done
done
