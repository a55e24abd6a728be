#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build the User-Mode Linux kernel of the laboratory, with flashsim in it, from Debian's
# linux-source-6.1. Nothing is installed. The last line of stdout is the path of the kernel.
#
# The result is kept in a folder named after everything it is made from; the unpacked source and its
# objects are kept too, so that a change in flashsim.c is a matter of seconds.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${FLASHINIT_BUILD:-$(cd "$here/../../.." && pwd)/build}
package=linux-source-6.1
lab=$build/lab
cache=$lab/cache

say() {
	echo "kernel: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# The version of a source package downloaded before, so that a finished laboratory needs no network
# and does not rebuild whenever Debian publishes an update. Remove the cache to get the update.
cached_version() {
	for deb in "$cache/${package}_"*_all.deb; do
		[ -e "$deb" ] || return 0
		version=${deb##*/"${package}"_}
		echo "${version%_all.deb}"
		return 0
	done
}

download_source() {
	mkdir -p "$cache/partial-download"
	cd "$cache/partial-download"
	say "downloading $package (about 140 MB)"
	apt-get -q download "$package" >&2 || die "apt-get download $package failed"
	for deb in *.deb; do
		mv "$deb" "$cache/$(echo "$deb" | sed 's/%3a/:/')"
	done
	cd "$here"
	rmdir "$cache/partial-download"
}

unpack_source() {
	say "unpacking $package $version"
	rm -rf "$source.partial"
	mkdir -p "$source.partial"
	dpkg-deb --fsys-tarfile "$cache/${package}_${version}_all.deb" |
		tar -xO "./usr/src/$package.tar.xz" |
		xz -dc -T0 |
		tar -x -C "$source.partial" --strip-components=1
	echo 'obj-y += flashsim.o' >>"$source.partial/drivers/mtd/devices/Makefile"
	mv "$source.partial" "$source"
}

# Copy only what differs: make goes by the time of the file.
install_driver() {
	target=$source/drivers/mtd/devices/flashsim.c
	cmp -s "$here/flashsim.c" "$target" || cp "$here/flashsim.c" "$target"
}

# A machine that has halted takes the signals that were held back while nothing of it is there any
# more to handle them: where the host typed, or a timer ran out, just then, it aborts (3 in 2500 on a
# busy host), and a restart does not come. Without the call they are lost, as they ought to be.
mend_halt() {
	main=$source/arch/um/os-Linux/main.c
	! grep -q '^	unblock_signals();$' "$main" || sed -i '/^	unblock_signals();$/d' "$main"
}

# An option of the fragment that Kconfig dropped would show up much later as a strange failure.
configure() {
	say "configuring"
	make -s -C "$source" ARCH=um KCONFIG_ALLCONFIG="$here/uml.config" allnoconfig >&2
	missing=$(grep '^CONFIG_' "$here/uml.config" | grep -vxFf "$source/.config" || true)
	[ -z "$missing" ] || die "Kconfig dropped:" "$missing"
}

# A line every 200 objects; the full output goes to a log.
show_progress() {
	tee "$lab/kernel-build.log" | awk '
		/^  (CC|AR|LD|AS) / { if (++n % 200 == 0) { print "kernel: " n " objects"; fflush() } }
		/error|Error|warning: .*flashsim|flashsim.*warning/ { print; fflush() }' >&2
}

compile() {
	say "compiling (minutes the first time, seconds after a change in flashsim.c)"
	make -C "$source" ARCH=um -j"$(nproc)" linux 2>&1 | show_progress
	[ -x "$source/linux" ] || die "build failed, see $lab/kernel-build.log"
}

mkdir -p "$lab"
exec 9>"$lab/kernel-build.lock"
flock 9

version=$(cached_version)
if [ -z "$version" ]; then
	download_source
	version=$(cached_version)
fi
hash=$( (echo "$version" && cat "$here/uml.config" "$here/flashsim.c" "$here/build.sh") |
	sha256sum | cut -c1-12)
result=$lab/uml-$hash
source=$lab/${package}_$version

if [ ! -x "$result/linux" ]; then
	[ -d "$source" ] || unpack_source
	install_driver
	mend_halt
	rm -f "$source/linux"
	configure
	compile
	mkdir -p "$result"
	cp "$source/linux" "$result/linux.partial"
	mv "$result/linux.partial" "$result/linux"
	say "built in $result"
fi
echo "$result/linux"
