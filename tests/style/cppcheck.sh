#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cppcheck.sh CACHE: flash/ and init/ pass cppcheck; CACHE is a folder that lets it skip what has not changed.

set -eu

cache=$1
cd "$(dirname "$0")/../.."
mkdir -p "$cache"
# Our own headers are enough for it: the C library's it knows by heart.
cppcheck --quiet --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
	--std=c11 --language=c --suppress=missingIncludeSystem --cppcheck-build-dir="$cache" \
	-D__linux__ -D_GNU_SOURCE= -DFLASHINIT_VERSION='""' -I . -I flash -I init flash init
