#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every source file names its license in one of its first lines.

set -eu

cd "$(dirname "$0")/../.."
tag='SPDX-License-Identifier'
missing=$(
	sh tests/style/files.sh '*.c' '*.h' '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' .ci/run |
		while read -r file; do
			head -n 3 "$file" | grep -q "$tag: GPL-2.0" || echo "$file"
		done
)
if [ -n "$missing" ]; then
	echo "No line \"$tag: GPL-2.0-or-later\" at the top of:"
	echo "$missing"
	exit 1
fi
