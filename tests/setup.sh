#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# setup.sh [build|cross|lab|test]...
#
# Installs the Debian packages that building (build), building for other CPUs (cross), the virtual machines (lab) and the
# tests (test) need and that are missing; all four where none is named. Does nothing at all where nothing is missing.

set -eu

# gcc only recommends libc6-dev.
build='gcc libc6-dev linux-libc-dev musl-tools cmake ninja-build'
cross='qemu-user python3 binutils'
for cpu in i686:i386 arm:armhf arm:armel aarch64:arm64 mipsel:mipsel mips:mips riscv64:riscv64; do
	abi=gnu
	case ${cpu#*:} in
	armhf) abi=gnueabihf ;;
	armel) abi=gnueabi ;;
	esac
	cross="$cross gcc-${cpu%:*}-linux-$abi linux-libc-dev-${cpu#*:}-cross"
done
# The unit tests of two of them, against glibc.
cross="$cross libc6-dev-armhf-cross libc6-dev-mips-cross"
# util-linux has mkfs.cramfs.
lab='gcc libc6-dev make flex bison bc libelf-dev python3 xz-utils bzip2 cpio kmod'
lab="$lab qemu-system-x86 qemu-system-arm qemu-system-mips qemu-system-misc opensbi busybox-static mtd-utils squashfs-tools util-linux e2fsprogs"
lab="$lab signify-openbsd minisign mmdebstrap"
test='libcmocka-dev clang-format clang-tidy cppcheck shellcheck python3 binutils clang libclang-rt-14-dev'

usage() {
	echo "usage: sh tests/setup.sh [build|cross|lab|test]..." >&2
	exit 2
}

# Those of the named packages that are not installed.
missing_of() {
	for package; do
		case $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null) in
		'installed '*) ;;
		*) printf '%s ' "$package" ;;
		esac
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "setup: run this as root, or install sudo" >&2
		exit 1
	fi
}

apt() {
	echo "setup: apt-get $*"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null
}

[ $# -gt 0 ] || set -- build cross lab test
wanted=
for group; do
	case $group in
	build) wanted="$wanted $build" ;;
	cross) wanted="$wanted $cross" ;;
	lab) wanted="$wanted $lab" ;;
	test) wanted="$wanted $test" ;;
	*) usage ;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	echo "setup: this is no Debian; what Debian calls$wanted must be there" >&2
	exit 0
fi
# shellcheck disable=SC2086 # names of packages, to be split
missing=$(missing_of $wanted)
if [ -n "$missing" ]; then
	echo "setup: missing packages: $missing"
	apt update
	# shellcheck disable=SC2086 # as above
	apt install --no-install-recommends $missing
fi

# The lab fetches its kernels' packages without installing them, but it needs the lists to find them.
case " $wanted " in
*" qemu-system-x86 "*) apt-cache show linux-image-amd64 linux-source-6.1 >/dev/null 2>&1 || apt update ;;
esac
