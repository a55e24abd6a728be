# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is known of another CPU, FLASHINIT_CPU, and Debian's cross compiler for it. For toolchain files.

# Debian's name of the architecture: GNU triplet, folder in musl's source, QEMU's name, and flags. The i386 is an i586,
# for the Geode LX: without conditional moves, and with a stack that is aligned to its words.
set(cpu_i386 i686-linux-gnu i386 i386 "-march=i586 -mtune=geode -mpreferred-stack-boundary=2")
set(cpu_armhf arm-linux-gnueabihf arm arm -mthumb)
set(cpu_armel arm-linux-gnueabi arm arm "-march=armv5te -mthumb")
set(cpu_arm64 aarch64-linux-gnu aarch64 aarch64 "-mno-outline-atomics")
set(cpu_mipsel mipsel-linux-gnu mips mipsel "-march=mips32r2")
set(cpu_mips mips-linux-gnu mips mips "-march=mips32r2")
set(cpu_riscv64 riscv64-linux-gnu riscv64 riscv64 "-march=rv64gc")

# What CMake compiles to try the compiler reads this file, too, and knows no preset.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FLASHINIT_CPU)
set(FLASHINIT_CPU "" CACHE STRING "CPU to build for, where it is not this machine's")
if(NOT DEFINED cpu_${FLASHINIT_CPU})
	message(FATAL_ERROR "FLASHINIT_CPU is \"${FLASHINIT_CPU}\", which ${CMAKE_CURRENT_LIST_FILE} does not know.")
endif()
list(GET cpu_${FLASHINIT_CPU} 0 FLASHINIT_TRIPLET)
list(GET cpu_${FLASHINIT_CPU} 1 FLASHINIT_MUSL_ARCH)
list(GET cpu_${FLASHINIT_CPU} 2 FLASHINIT_QEMU)
list(GET cpu_${FLASHINIT_CPU} 3 cpu_flags)

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR "${FLASHINIT_CPU}")
find_program(FLASHINIT_CROSS_GCC "${FLASHINIT_TRIPLET}-gcc")
if(NOT FLASHINIT_CROSS_GCC)
	message(FATAL_ERROR
		"${FLASHINIT_TRIPLET}-gcc was not found; the preset for ${FLASHINIT_CPU} compiles with it.\n"
		"`sh tests/setup.sh cross` installs it. Elsewhere, name a compiler with -DFLASHINIT_CROSS_GCC=/path/to/compiler.")
endif()
set(CMAKE_C_COMPILER "${FLASHINIT_CROSS_GCC}")
set(CMAKE_ASM_COMPILER "${FLASHINIT_CROSS_GCC}")
# Tests of such a build run under it.
find_program(FLASHINIT_QEMU_PROGRAM "qemu-${FLASHINIT_QEMU}")
if(FLASHINIT_QEMU_PROGRAM)
	set(CMAKE_CROSSCOMPILING_EMULATOR "${FLASHINIT_QEMU_PROGRAM}")
endif()
