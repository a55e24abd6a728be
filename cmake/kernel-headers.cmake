# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's user-space headers for a compiler that does not see the machine's own include folders. They come after
# the C library's: musl brings its own version of some, and wins. Only these four folders are shown, through symlinks,
# since what lies beside them belongs to glibc.

function(flashinit_kernel_headers)
	# Debian keeps asm/ in the folder of the architecture, other distributions beside linux/.
	execute_process(
		COMMAND "${CMAKE_C_COMPILER}" -print-multiarch
		OUTPUT_VARIABLE multiarch
		OUTPUT_STRIP_TRAILING_WHITESPACE
		ERROR_QUIET)
	set(folders "/usr/include/${multiarch}" /usr/include)
	set(package linux-libc-dev)
	if(FLASHINIT_TRIPLET)
		set(folders "/usr/${FLASHINIT_TRIPLET}/include")
		set(package "linux-libc-dev-${FLASHINIT_CPU}-cross")
	endif()
	set(shown "${CMAKE_BINARY_DIR}/kernel-headers")
	file(MAKE_DIRECTORY "${shown}")
	foreach(folder linux mtd asm asm-generic)
		find_path(parent
			NAMES "${folder}"
			PATHS ${folders}
			NO_DEFAULT_PATH NO_CACHE)
		if(NOT parent)
			message(FATAL_ERROR
				"The kernel's headers (${folder}/) were not found.\n"
				"Install the Debian package ${package}.")
		endif()
		file(CREATE_LINK "${parent}/${folder}" "${shown}/${folder}" SYMBOLIC)
		unset(parent)
	endforeach()
	add_compile_options("SHELL:-idirafter \"${shown}\"")
endfunction()
