# SPDX-License-Identifier: GPL-2.0-or-later
#
# Other people's source, pinned. cmake/sources.sha256 is the one place that names file, version and checksum; what was
# fetched and unpacked stays in FLASHINIT_DEPS_DIR, which all presets share, so that only the first build needs the
# network.

set(FLASHINIT_DEPS_DIR "${CMAKE_SOURCE_DIR}/build/deps" CACHE PATH
	"Downloaded and unpacked source of the libraries, shared by all presets")
set(FLASHINIT_PINS "${CMAKE_CURRENT_LIST_DIR}/sources.sha256")
set(FLASHINIT_FETCH "${CMAKE_CURRENT_LIST_DIR}/debian-source.sh")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${FLASHINIT_PINS}" "${FLASHINIT_FETCH}")

# flashinit_source(NAME package OPTION variable PROBE file RESULT variable)
#
# Sets RESULT to the folder with the unpacked source of Debian's source package NAME, at the version that
# sources.sha256 pins. A user points OPTION at a tarball or an unpacked tree to build from that instead. PROBE is a file
# the tree must have.
function(flashinit_source)
	cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;OPTION;PROBE;RESULT" "")
	set(${arg_OPTION} "" CACHE PATH "Tarball or unpacked tree of ${arg_NAME} to use in place of the pinned one")
	set(given "${${arg_OPTION}}")

	if(IS_DIRECTORY "${given}")
		set(tree "${given}")
	else()
		# Two configures may run at once, one per preset.
		file(MAKE_DIRECTORY "${FLASHINIT_DEPS_DIR}")
		file(LOCK "${FLASHINIT_DEPS_DIR}/lock" GUARD FUNCTION TIMEOUT 1200)
		if(given)
			_source_given("${given}" "${arg_OPTION}" archive sum)
		else()
			_source_pinned("${arg_NAME}" "${arg_OPTION}" archive sum)
		endif()
		_source_unpack("${archive}" "${sum}" "${arg_NAME}" tree)
	endif()

	if(NOT EXISTS "${tree}/${arg_PROBE}")
		message(FATAL_ERROR
			"${tree} is not the source of ${arg_NAME}: it has no ${arg_PROBE}.\n"
			"Point -D${arg_OPTION}= at a tarball or at the top of an unpacked tree.")
	endif()
	set(${arg_RESULT} "${tree}" PARENT_SCOPE)
endfunction()

function(_source_given given option archive_var sum_var)
	if(NOT EXISTS "${given}")
		message(FATAL_ERROR "${option}: ${given} does not exist.")
	endif()
	file(SHA256 "${given}" sum)
	message(STATUS "${option}: ${given} (SHA-256 ${sum}, not held against a pin)")
	set(${archive_var} "${given}" PARENT_SCOPE)
	set(${sum_var} "${sum}" PARENT_SCOPE)
endfunction()

function(_source_pinned name option archive_var sum_var)
	_source_pin("${name}" file version sum)
	set(archive "${FLASHINIT_DEPS_DIR}/download/${file}")
	if(NOT EXISTS "${archive}")
		execute_process(
			COMMAND sh "${FLASHINIT_FETCH}" "${FLASHINIT_DEPS_DIR}/apt" "${name}" "${version}" "${archive}"
			RESULT_VARIABLE failed)
		if(failed)
			message(FATAL_ERROR
				"Could not fetch ${file}, see above. Without Debian's source packages, either\n"
				"  put the file at ${archive}, or\n"
				"  give -D${option}= a tarball or an unpacked tree of ${name} ${version}.")
		endif()
	endif()

	file(SHA256 "${archive}" actual)
	if(NOT actual STREQUAL sum)
		message(FATAL_ERROR
			"${archive} is not the pinned file.\n"
			"  expected SHA-256 ${sum}\n"
			"  actual SHA-256   ${actual}\n"
			"Remove it and configure again to fetch it anew. If the sum stays wrong, do not trust the mirror: get "
			"the file elsewhere, or give -D${option}= a source that you trust.")
	endif()
	set(${archive_var} "${archive}" PARENT_SCOPE)
	set(${sum_var} "${sum}" PARENT_SCOPE)
endfunction()

# The pin's lines are those of sha256sum: "<sum>  <name>_<version>.orig.tar.<compression>".
function(_source_pin name file_var version_var sum_var)
	file(STRINGS "${FLASHINIT_PINS}" line REGEX "^[0-9a-f]+  ${name}_")
	if(NOT line MATCHES "^([0-9a-f]+)  (${name}_([^;]+)\\.orig\\.tar\\.[a-z0-9]+)$")
		message(FATAL_ERROR "${FLASHINIT_PINS} must have one line for ${name}_<version>.orig.tar.*")
	endif()
	set(${sum_var} "${CMAKE_MATCH_1}" PARENT_SCOPE)
	set(${file_var} "${CMAKE_MATCH_2}" PARENT_SCOPE)
	set(${version_var} "${CMAKE_MATCH_3}" PARENT_SCOPE)
endfunction()

# Unpacks beside the final place and renames, so that a tree that exists is whole. The sum in its name tells versions
# apart.
function(_source_unpack archive sum name tree_var)
	string(SUBSTRING "${sum}" 0 12 short)
	set(tree "${FLASHINIT_DEPS_DIR}/src/${name}-${short}")
	if(NOT EXISTS "${tree}")
		set(scratch "${FLASHINIT_DEPS_DIR}/unpacking")
		file(REMOVE_RECURSE "${scratch}")
		file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${scratch}")
		file(GLOB top "${scratch}/*")
		if(NOT IS_DIRECTORY "${top}")
			message(FATAL_ERROR "${archive} should hold a single folder with the source of ${name}.")
		endif()
		file(MAKE_DIRECTORY "${FLASHINIT_DEPS_DIR}/src")
		file(RENAME "${top}" "${tree}")
		file(REMOVE_RECURSE "${scratch}")
	endif()
	set(${tree_var} "${tree}" PARENT_SCOPE)
endfunction()
