# SPDX-License-Identifier: GPL-2.0-or-later
#
# Toolchain: the target programs, as small as they get, static, against musl, with Debian's gcc wrapper.

find_program(FLASHINIT_MUSL_GCC musl-gcc)
if(NOT FLASHINIT_MUSL_GCC)
	message(FATAL_ERROR
		"musl-gcc was not found; the musl preset compiles with it.\n"
		"Install the Debian package musl-tools, or name a compiler for musl with "
		"-DFLASHINIT_MUSL_GCC=/path/to/compiler.")
endif()
set(CMAKE_C_COMPILER "${FLASHINIT_MUSL_GCC}")
# Archives of objects for link-time optimization need gcc's own; CMake looks for musl-ar in vain.
find_program(CMAKE_C_COMPILER_AR gcc-ar)
find_program(CMAKE_C_COMPILER_RANLIB gcc-ranlib)

include("${CMAKE_CURRENT_LIST_DIR}/small.cmake")
# The wrapper hides the machine's own headers, the kernel's among them.
set(FLASHINIT_KERNEL_HEADERS ON)
# Parts of the C library are compiled anew (deps.cmake): the name of the architecture's folder in its source.
set(FLASHINIT_MUSL_ARCH "${CMAKE_HOST_SYSTEM_PROCESSOR}")
# Nobody computes with floating point, and registers of its own for copies of structures are longer instructions. No gaps between
# constants, which are there for such copies, and a stack aligned to its words: 1.4 KB less.
if(FLASHINIT_MUSL_ARCH STREQUAL "x86_64")
	string(APPEND CMAKE_C_FLAGS_INIT " -mgeneral-regs-only -malign-data=abi -mpreferred-stack-boundary=3")
endif()
