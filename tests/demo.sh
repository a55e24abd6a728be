#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shows what flashinit does: installs what is missing, builds it, boots a virtual machine whose root
# is on flash, has it update itself from inside, and boots the new firmware. All it makes is in build/.

set -eu

[ $# -eq 0 ] || {
	echo "usage: sh tests/demo.sh" >&2
	exit 2
}

cd "$(dirname "$0")/.."

step() {
	echo
	echo "==> $*"
}

step "Packages"
sh tests/setup.sh build lab

step "Build flashinit and flashpack for the target"
cmake --preset musl
cmake --build --preset musl --target flashinit flashpack
ls -l build/musl/flashinit build/musl/flashpack

step "A machine with firmware 1 on its flash, and firmware 2 on a stick"
echo "The machine is QEMU with Debian's kernel. Its root is JFFS2 on flash, its init is BusyBox's."
python3 -B tests/vm/lab run demo
