#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unpack the kernel package that Debian's linux-image-amd64 stands for, for use in QEMU. Nothing is
# installed. The last line of stdout is the folder with boot/vmlinuz-* and lib/modules/*.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${FLASHINIT_BUILD:-$(cd "$here/../../.." && pwd)/build}
lab=$build/lab
result=$lab/qemu-kernel

say() {
	echo "kernel: $*" >&2
}

# The package of the kernel itself, by the dependency of the package that always means the latest.
current_package() {
	apt-cache show --no-all-versions linux-image-amd64 |
		sed -n 's/^Depends: \(linux-image-[^ ]*\).*/\1/p'
}

unpack() {
	partial=$result.partial
	rm -rf "$partial"
	mkdir -p "$partial"
	package=$(current_package)
	say "downloading $package (about 70 MB)"
	(cd "$partial" && apt-get -q download "$package" >&2)
	say "unpacking"
	dpkg-deb -x "$partial/$package"_*.deb "$partial"
	rm "$partial/$package"_*.deb
	depmod -b "$partial" "${package#linux-image-}"
	mv "$partial" "$result"
}

mkdir -p "$lab"
exec 9>"$lab/qemu-kernel.lock"
flock 9
[ -d "$result" ] || unpack
echo "$result"
