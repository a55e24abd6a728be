#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every shell script passes shellcheck: *.sh, .ci/run, and whatever else starts with #!/bin/sh or bash.

set -eu

cd "$(dirname "$0")/../.."

scripts() {
	sh tests/style/files.sh '*.sh'
	sh tests/style/files.sh '*' | grep -v '\.sh$' | tr '\n' '\0' |
		xargs -0 -r grep -l -I -m 1 -E '^#! ?/(usr/)?bin/(env )?(ba|da)?sh' |
		while read -r file; do
			if head -n 1 "$file" | grep -q '^#!'; then
				echo "$file"
			fi
		done
}

scripts | tr '\n' '\0' | xargs -0 -r shellcheck --external-sources --source-path=SCRIPTDIR
