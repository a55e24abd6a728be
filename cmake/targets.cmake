# SPDX-License-Identifier: GPL-2.0-or-later

# flashinit_own_code(TARGET)
#
# The warnings that our own code must be free of; the presets make them errors (CMAKE_COMPILE_WARNING_AS_ERROR). Every
# target of ours is given to this function or to one that calls it.
function(flashinit_own_code target)
	target_compile_options(${target} PRIVATE
		-Wall
		-Wextra
		-Wshadow
		-Wstrict-prototypes
		-Wmissing-prototypes
		-Wpointer-arith
		-Wformat=2
		-Wvla)
	# Some of the CPUs that we build for fault where an address is odd.
	if(FLASHINIT_CPU)
		target_compile_options(${target} PRIVATE -Wcast-align=strict)
	endif()
	target_compile_definitions(${target} PRIVATE "FLASHINIT_VERSION=\"${PROJECT_VERSION}\"")
endfunction()

# flashinit_program(TARGET)
#
# Our own code, and a program that people take away from here: it lands at the top of the build folder, in target builds
# with a linker map beside it, which tells where its size comes from.
function(flashinit_program target)
	flashinit_own_code(${target})
	set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
	if(CMAKE_BUILD_TYPE STREQUAL "MinSizeRel")
		target_link_options(${target} PRIVATE "LINKER:-Map=${CMAKE_BINARY_DIR}/${target}.map")
		target_link_libraries(${target} PRIVATE small)
	endif()
endfunction()
