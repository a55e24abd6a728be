# SPDX-License-Identifier: GPL-2.0-or-later

# Debian has cmocka for the CPU that it runs on; for another one it is compiled.
if(FLASHINIT_TESTS AND FLASHINIT_CPU)
	flashinit_source(
		NAME cmocka
		OPTION FLASHINIT_CMOCKA_SOURCE
		PROBE src/cmocka.c
		RESULT cmocka)
	dep_library(dep_cmocka cmocka::cmocka TREE "${cmocka}" SOURCES src/cmocka.c HEADERS include:cmocka.h)
	target_include_directories(dep_cmocka PRIVATE "${cmocka}/include")
	foreach(header IN ITEMS INTTYPES MALLOC SIGNAL STDINT STRINGS TIME UNISTD)
		target_compile_definitions(dep_cmocka PRIVATE HAVE_${header}_H=1)
	endforeach()
	target_compile_definitions(dep_cmocka PRIVATE HAVE_CLOCK_GETTIME_REALTIME=1 HAVE_STRUCT_TIMESPEC=1 HAVE_STRSIGNAL=1)
	set(CMOCKA_LIBRARY cmocka::cmocka)
elseif(FLASHINIT_TESTS)
	find_path(CMOCKA_INCLUDE cmocka.h)
	find_library(CMOCKA_LIBRARY cmocka)
	if(NOT CMOCKA_INCLUDE OR NOT CMOCKA_LIBRARY)
		message(FATAL_ERROR
			"cmocka was not found; the tests are written with it.\n"
			"Install the Debian package libcmocka-dev, or build without tests: -DFLASHINIT_TESTS=OFF.")
	endif()
endif()

# flashinit_unit_test(NAME source... [LIBS target...] [WRAP symbol...] [LABEL label] [TIMEOUT seconds])
#
# A cmocka program and its test "LABEL/NAME (preset)"; LABEL is unit where none is given, TIMEOUT 60. Calls of each
# symbol in WRAP go to the test's __wrap_symbol(), as far as they come from another object file than the one that
# defines it. TEST_DIR is the folder of the calling CMakeLists.txt, for fixtures. Nothing happens in a build without
# FLASHINIT_TESTS.
function(flashinit_unit_test name)
	if(NOT FLASHINIT_TESTS)
		return()
	endif()
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "LIBS;WRAP")
	if(NOT arg_LABEL)
		set(arg_LABEL unit)
	endif()
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 60)
	endif()

	if(FLASHINIT_CPU AND arg_LABEL STREQUAL "sim") # hours
		return()
	endif()
	# Where glibc has 32 bits, these are other functions by then (open64), and no wrapped one is called.
	set(renamed open fcntl stat fstat pread pwrite readdir mmap ioctl clock_gettime)
	# The first three take minutes there, and cross/hostile does what they do; the others start or read programs of the
	# machine that builds.
	if(FLASHINIT_CPU AND name MATCHES "^(ed25519|signature|image_trust|flashinit|initramfs|interpreter)$")
		message(STATUS "${FLASHINIT_PRESET}: left out: ${arg_LABEL}/${name}, which is for the machine that builds")
		return()
	endif()
	foreach(symbol IN LISTS arg_WRAP)
		if(FLASHINIT_CPU AND symbol IN_LIST renamed)
			message(STATUS "${FLASHINIT_PRESET}: left out: ${arg_LABEL}/${name}, which wraps ${symbol}()")
			return()
		endif()
	endforeach()

	set(program "${arg_LABEL}-${name}")
	add_executable(${program} ${arg_UNPARSED_ARGUMENTS})
	flashinit_own_code(${program})
	target_compile_definitions(${program} PRIVATE "TEST_DIR=\"${CMAKE_CURRENT_SOURCE_DIR}\"")
	# A __wrap_ function has no header, and a cmocka test has no use for its state.
	target_compile_options(${program} PRIVATE -Wno-missing-prototypes -Wno-unused-parameter)
	target_include_directories(${program} SYSTEM PRIVATE ${CMOCKA_INCLUDE})
	target_link_libraries(${program} PRIVATE ${arg_LIBS} "${CMOCKA_LIBRARY}")
	foreach(symbol IN LISTS arg_WRAP)
		target_link_options(${program} PRIVATE "LINKER:--wrap=${symbol}")
	endforeach()

	if(FLASHINIT_CPU) # and qemu-user, which takes its time
		math(EXPR arg_TIMEOUT "10 * ${arg_TIMEOUT}")
	endif()
	set(test "${arg_LABEL}/${name} (${FLASHINIT_PRESET})")
	add_test(NAME "${test}" COMMAND ${program})
	set_tests_properties("${test}" PROPERTIES LABELS "${arg_LABEL}" TIMEOUT "${arg_TIMEOUT}")
endfunction()
