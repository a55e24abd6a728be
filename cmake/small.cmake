# SPDX-License-Identifier: GPL-2.0-or-later
#
# Flags for small static programs, shared by the toolchain files of all targets.

# Each function and object in a section of its own, so that the linker drops what nobody uses. No unwind tables: plain C
# has no use for them. No PIE: a fixed address saves the relocations and the code that applies them.
string(JOIN " " CMAKE_C_FLAGS_INIT
	-ffunction-sections
	-fdata-sections
	-fno-unwind-tables
	-fno-asynchronous-unwind-tables
	-fno-pie)
# Not CMake's own -DNDEBUG: an assertion that fails on a device must be seen.
string(JOIN " " small
	-Oz
	-fno-caller-saves
	-fno-forward-propagate
	-fno-if-conversion
	-fno-inline-small-functions
	-fno-jump-tables
	-fno-move-loop-invariants
	-fno-optimize-sibling-calls
	-fno-shrink-wrap
	-fno-split-paths
	-fno-thread-jumps
	-fno-tree-dominator-opts
	-fno-tree-loop-im
	-fno-tree-tail-merge)
set(CMAKE_C_FLAGS_MINSIZEREL "${small}" CACHE STRING "Flags of the C compiler for small programs")
# noseparate-code: code shares its pages with read-only data, which saves up to two pages of padding. norelro: what would
# be made read-only at start are 200 bytes that nothing writes, and they would have to end at a page. common-page-size: what
# is writable need not begin at a page of the file either. One partition: nothing is hidden from the optimizer.
string(JOIN " " CMAKE_EXE_LINKER_FLAGS_INIT
	-static
	-no-pie
	-s
	-Wl,--gc-sections
	-Wl,--build-id=none
	-Wl,-z,noseparate-code
	-Wl,-z,norelro
	-Wl,-z,common-page-size=64
	-flto-partition=one)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON CACHE BOOL "Optimize across source files when linking")
