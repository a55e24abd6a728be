# SPDX-License-Identifier: GPL-2.0-or-later
#
# Toolchain: the target programs for another CPU, FLASHINIT_CPU, with Debian's cross compilers. Debian has musl for some
# of these CPUs only, and no package of it that installs beside the machine's own: c-library.cmake builds it.

include("${CMAKE_CURRENT_LIST_DIR}/cpu.cmake")
# Archives of objects for link-time optimization need gcc's own.
find_program(CMAKE_C_COMPILER_AR "${FLASHINIT_TRIPLET}-gcc-ar")
find_program(CMAKE_C_COMPILER_RANLIB "${FLASHINIT_TRIPLET}-gcc-ranlib")
# There is no C library to link with yet.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

include("${CMAKE_CURRENT_LIST_DIR}/small.cmake")
string(APPEND CMAKE_C_FLAGS_INIT " ${cpu_flags}")
set(CMAKE_ASM_FLAGS_INIT "${cpu_flags}")
set(FLASHINIT_KERNEL_HEADERS ON)
set(FLASHINIT_WHOLE_MUSL ON)
