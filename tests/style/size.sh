#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# size.sh PROGRAM LIMIT: the program has at most LIMIT bytes, needs no loader or library, and carries no symbols.

set -eu

program=$1 limit=$2
failed=0

fail() {
	echo "$program: $*"
	failed=1
}

size=$(stat -c %s "$program")
echo "$program: $size bytes, $((limit - size)) below the limit of $limit"
[ "$size" -le "$limit" ] || fail "larger than its budget; $program.map tells what is in it"

# The loader's name is what tells a dynamic program, a static-pie has a dynamic section without it.
headers=$(readelf --wide --program-headers --sections "$program")
case $headers in *INTERP*) fail "not statically linked" ;; esac
case $headers in *.symtab*) fail "not stripped" ;; esac
case $headers in *.debug_*) fail "carries debug information" ;; esac
exit "$failed"
