#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# fuzz.sh PROGRAM CORPUS FOUND SECONDS LARGEST
#
# Runs a fuzzer over its corpus, and then for SECONDS, or FLASHINIT_FUZZ_SECONDS if that is set, with inputs of at most
# LARGEST bytes. It starts with the corpus and what earlier runs have added to the folder FOUND/corpus. An input that
# crashes it, hangs it or makes it take too much memory goes to FOUND.

set -eu

program=$1 corpus=$2 found=$3 seconds=${FLASHINIT_FUZZ_SECONDS:-$4} largest=$5

# Freed memory is kept for a while to catch its use: a little is enough, and leaves the limit to what is in use.
ASAN_OPTIONS="quarantine_size_mb=8:${ASAN_OPTIONS-}"
export ASAN_OPTIONS

mkdir -p "$found/corpus"

# No size is allocated that an input merely claims: 1 MiB for an index or a chunk is the most that any may ask for.
run() {
	"$program" -seed=1 -timeout=5 -malloc_limit_mb=3 -rss_limit_mb=512 -max_len="$largest" -print_final_stats=1 \
		-artifact_prefix="$found/" "$@"
}

run -runs=0 "$corpus"
[ "$seconds" -eq 0 ] || run -max_total_time="$seconds" "$found/corpus" "$corpus"
