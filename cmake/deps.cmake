# SPDX-License-Identifier: GPL-2.0-or-later
#
# The libraries we build ourselves: Debian's -dev packages are for glibc, and the sanitizers want to see inside.

include(source)
include(kernel-headers)

# dep_library(TARGET ALIAS TREE folder SOURCES file... HEADERS file...)
#
# A static library from another project's source. Our code sees only its HEADERS, paths relative to a folder of TREE
# after a colon (".:zlib.h"), and sees them as system headers; the tree's other headers have names such as
# common.h that must not shadow or replace ours.
function(dep_library target alias)
	cmake_parse_arguments(PARSE_ARGV 2 arg "" "TREE" "SOURCES;HEADERS")
	list(TRANSFORM arg_SOURCES PREPEND "${arg_TREE}/")
	add_library(${target} STATIC ${arg_SOURCES})
	add_library(${alias} ALIAS ${target})
	# Its warnings are its authors' affair, and so is its arithmetic; what we test is ours.
	set_target_properties(${target} PROPERTIES COMPILE_WARNING_AS_ERROR OFF)
	target_compile_options(${target} PRIVATE -w -fno-sanitize=undefined)

	set(shown "${CMAKE_BINARY_DIR}/include/${target}")
	foreach(header IN LISTS arg_HEADERS)
		string(REPLACE ":" ";" header "${header}")
		list(POP_FRONT header folder)
		get_filename_component(parent "${shown}/${header}" DIRECTORY)
		file(MAKE_DIRECTORY "${parent}")
		file(CREATE_LINK "${arg_TREE}/${folder}/${header}" "${shown}/${header}" SYMBOLIC)
	endforeach()
	target_include_directories(${target} SYSTEM INTERFACE "${shown}")
endfunction()

if(FLASHINIT_KERNEL_HEADERS)
	flashinit_kernel_headers()
endif()

# zlib, without the part that wraps stdio (gz*.c).
flashinit_source(
	NAME zlib
	OPTION FLASHINIT_ZLIB_SOURCE
	PROBE zlib.h
	RESULT zlib)
dep_library(dep_z zlib::z
	TREE "${zlib}"
	SOURCES adler32.c
		compress.c crc32.c deflate.c inffast.c inflate.c inftrees.c trees.c zutil.c
	HEADERS .:zlib.h .:zconf.h)
# CRC-32 by one table and not by nine: 8 KB less, and flash is slower than either.
target_compile_definitions(dep_z PRIVATE Z_TESTW=0)

# libsodium: only what checking needs, Ed25519 with its SHA-512, SHA-256, and minisign's BLAKE2b. CONFIGURED stands for
# its configure script, which would only choose faster variants for large CPUs.
flashinit_source(
	NAME libsodium
	OPTION FLASHINIT_SODIUM_SOURCE
	PROBE src/libsodium/include/sodium.h
	RESULT sodium)
dep_library(dep_sodium sodium::verify
	TREE "${sodium}/src/libsodium"
	SOURCES
		crypto_core/ed25519/ref10/ed25519_ref10.c
		crypto_generichash/blake2b/ref/blake2b-compress-ref.c
		crypto_generichash/blake2b/ref/blake2b-ref.c
		crypto_generichash/blake2b/ref/generichash_blake2b.c
		crypto_hash/sha256/cp/hash_sha256_cp.c
		crypto_hash/sha512/cp/hash_sha512_cp.c
		crypto_sign/ed25519/ref10/open.c
		crypto_sign/ed25519/ref10/sign.c
		crypto_verify/sodium/verify.c
		sodium/codecs.c
		sodium/core.c
		sodium/utils.c
	HEADERS
		include:sodium/crypto_generichash_blake2b.h
		include:sodium/crypto_hash_sha256.h
		include:sodium/crypto_hash_sha512.h
		include:sodium/crypto_sign_ed25519.h
		include:sodium/export.h
		include:sodium/utils.h)
target_compile_definitions(dep_sodium PRIVATE CONFIGURED=1)
target_include_directories(dep_sodium PRIVATE
	"${sodium}/src/libsodium/include"
	"${sodium}/src/libsodium/include/sodium")
# Its files hold more than we call, which refers to files that are not built: every linker must drop that.
target_compile_options(dep_sodium PRIVATE -ffunction-sections -fdata-sections)
target_link_options(dep_sodium INTERFACE LINKER:--gc-sections)
