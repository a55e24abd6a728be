# SPDX-License-Identifier: GPL-2.0-or-later

if(FLASHINIT_TESTS)
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

	set(program "${arg_LABEL}-${name}")
	add_executable(${program} ${arg_UNPARSED_ARGUMENTS})
	flashinit_own_code(${program})
	target_compile_definitions(${program} PRIVATE "TEST_DIR=\"${CMAKE_CURRENT_SOURCE_DIR}\"")
	# A __wrap_ function has no header, and a cmocka test has no use for its state.
	target_compile_options(${program} PRIVATE -Wno-missing-prototypes -Wno-unused-parameter)
	target_include_directories(${program} SYSTEM PRIVATE "${CMOCKA_INCLUDE}")
	target_link_libraries(${program} PRIVATE ${arg_LIBS} "${CMOCKA_LIBRARY}")
	foreach(symbol IN LISTS arg_WRAP)
		target_link_options(${program} PRIVATE "LINKER:--wrap=${symbol}")
	endforeach()

	set(test "${arg_LABEL}/${name} (${FLASHINIT_PRESET})")
	add_test(NAME "${test}" COMMAND ${program})
	set_tests_properties("${test}" PROPERTIES LABELS "${arg_LABEL}" TIMEOUT "${arg_TIMEOUT}")
endfunction()
