#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every C file is laid out as .clang-format says. To put it right: clang-format -i FILE

set -eu

cd "$(dirname "$0")/../.."
sh tests/style/files.sh '*.c' '*.h' | tr '\n' '\0' | xargs -0 -r clang-format --dry-run -Werror
