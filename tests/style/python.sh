#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# python.sh CACHE: every Python script compiles. The byte code goes to the folder CACHE, not beside the scripts.

set -eu

PYTHONPYCACHEPREFIX=$1
export PYTHONPYCACHEPREFIX
cd "$(dirname "$0")/../.."
sh tests/style/files.sh '*.py' | tr '\n' '\0' | xargs -0 -r python3 -m py_compile
