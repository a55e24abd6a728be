# SPDX-License-Identifier: GPL-2.0-or-later
#
# Toolchain: the unit tests for another CPU, FLASHINIT_CPU, against Debian's glibc for it, to run under qemu-user.

include("${CMAKE_CURRENT_LIST_DIR}/cpu.cmake")
unset(FLASHINIT_MUSL_ARCH)
list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -L "/usr/${FLASHINIT_TRIPLET}")
string(APPEND CMAKE_C_FLAGS_INIT " ${cpu_flags} -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64")
