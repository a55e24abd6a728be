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

# dep_changed(TREE folder FILE file FROM text... TO text... RESULT variable)
#
# A copy of a source file in which each FROM, which must be there, is its TO: for what makes a program large. Where the copy
# is, relative to TREE, comes back in RESULT.
function(dep_changed)
	cmake_parse_arguments(PARSE_ARGV 0 arg "" "TREE;FILE;RESULT" "FROM;TO")
	set(copy "${CMAKE_BINARY_DIR}/changed/${arg_FILE}")
	file(READ "${arg_TREE}/${arg_FILE}" text)
	foreach(from to IN ZIP_LISTS arg_FROM arg_TO)
		string(FIND "${text}" "${from}" found)
		if(found EQUAL -1)
			message(FATAL_ERROR
				"${arg_TREE}/${arg_FILE} has changed: look again at what ${CMAKE_CURRENT_FUNCTION_LIST_FILE} does to it")
		endif()
		string(REPLACE "${from}" "${to}" text "${text}")
	endforeach()
	file(CONFIGURE OUTPUT "${copy}" CONTENT "${text}" @ONLY)
	file(RELATIVE_PATH copy "${arg_TREE}" "${copy}")
	set(${arg_RESULT} "${copy}" PARENT_SCOPE)
endfunction()

if(FLASHINIT_KERNEL_HEADERS)
	flashinit_kernel_headers()
endif()

if(FLASHINIT_MUSL_ARCH)
	include(c-library)
endif()

# zlib, without the part that wraps stdio (gz*.c).
flashinit_source(
	NAME zlib
	OPTION FLASHINIT_ZLIB_SOURCE
	PROBE zlib.h
	RESULT zlib)
# Adler-32 goes through sixteen bytes in a loop instead of two long lines: 600 bytes less.
dep_changed(
	TREE "${zlib}"
	FILE adler32.c
	FROM "DO8(buf,0); DO8(buf,8);"
	TO "for (int i = 0; i < 16; i++) DO1(buf, i)"
	RESULT adler32)
dep_library(dep_z zlib::z
	TREE "${zlib}"
	SOURCES
		${adler32}
		compress.c crc32.c deflate.c inffast.c inflate.c inftrees.c trees.c zutil.c
	HEADERS .:zlib.h .:zconf.h)
# CRC-32 by one table and not by nine: 8 KB less, and flash is slower than either. The tables of deflate's fixed codes
# are made when one is met: 2 KB less.
target_compile_definitions(dep_z PRIVATE Z_TESTW=0 BUILDFIXED)
target_include_directories(dep_z PRIVATE "${zlib}")
# inflate with the registers that small.cmake denies: 6 per cent of its instructions. inflate_fast() is inlined into it.
set_source_files_properties("${zlib}/inffast.c" "${zlib}/inflate.c"
	PROPERTIES COMPILE_OPTIONS "$<$<C_COMPILER_ID:GNU>:-fcaller-saves;-ftree-loop-im;-ftree-dominator-opts;-fforward-propagate>")

# libsodium: only what checking needs, Ed25519 with its SHA-512, SHA-256, minisign's BLAKE2b, and SipHash. CONFIGURED stands for
# its configure script, which would only choose faster variants for large CPUs.
flashinit_source(
	NAME libsodium
	OPTION FLASHINIT_SODIUM_SOURCE
	PROBE src/libsodium/include/sodium.h
	RESULT sodium)
# Twelve rounds of BLAKE2b in a row are 5 KB more than one in a loop, sixteen steps of SHA-512 are 2 KB more. Both hash no
# more than an index.
set(rounds "")
foreach(n RANGE 11)
	string(APPEND rounds "    ROUND(${n});\n")
endforeach()
dep_changed(
	TREE "${sodium}/src/libsodium"
	FILE crypto_generichash/blake2b/ref/blake2b-compress-ref.c
	FROM "${rounds}"
	TO "    for (i = 0; i < 12; ++i)\n        ROUND(i);\n"
	RESULT blake2b_compress)
set(steps "")
set(words "")
foreach(n RANGE 15)
	string(APPEND steps "        RNDr(S, W, ${n}, i);\n")
	string(APPEND words "        MSCH(W, ${n}, i);\n")
endforeach()
set(last "        if (i == 64) {\n            break;\n        }\n")
dep_changed(
	TREE "${sodium}/src/libsodium"
	FILE crypto_hash/sha512/cp/hash_sha512_cp.c
	FROM "${steps}${last}${words}"
	TO "for (int j = 0; j < 16; j++) { RNDr(S, W, j, i); }\n${last}for (int j = 0; j < 16; j++) { MSCH(W, j, i); }\n"
	RESULT sha512)
# SHA-256 hashes all that is written, on processors that have nothing better to do it with: all words first, four at a
# time, then the rounds, eight at a time, with their state where a compiler finds it in registers; two rotations of what
# was rotated already in place of three of a copy each, and a majority that shares half its work with the round before.
# 44 instructions for a byte in place of 55 (47 with sixteen steps in a row), and 270 bytes less.
string(REPLACE "64" "48" last "${last}")
set(eight "")
set(four "")
foreach(n RANGE 7)
	string(APPEND eight "        RNDr(s, W, ${n}, i);\n")
endforeach()
foreach(n RANGE 3)
	string(APPEND four "        MSCH(W, ${n}, i);\n")
endforeach()
dep_changed(
	TREE "${sodium}/src/libsodium"
	FILE crypto_hash/sha256/cp/hash_sha256_cp.c
	FROM
		"((x & (y | z)) | (y & z))"
		"(ROTR(x, 2) ^ ROTR(x, 13) ^ ROTR(x, 22))"
		"(ROTR(x, 6) ^ ROTR(x, 11) ^ ROTR(x, 25))"
		"(ROTR(x, 7) ^ ROTR(x, 18) ^ SHR(x, 3))"
		"(ROTR(x, 17) ^ ROTR(x, 19) ^ SHR(x, 10))"
		"    int i;\n\n    be32dec_vect(W"
		"memcpy(S, state, 32);\n    for (i = 0; i < 64; i += 16) {\n${steps}${last}${words}    }\n"
		"+= S[i]"
	TO
		"(((x ^ y) & (y ^ z)) ^ y)"
		"ROTR(x ^ ROTR(x ^ ROTR(x, 9), 11), 2)"
		"ROTR(x ^ ROTR(x ^ ROTR(x, 14), 5), 6)"
		"(ROTR(x ^ ROTR(x, 11), 7) ^ SHR(x, 3))"
		"(ROTR(x ^ ROTR(x, 2), 17) ^ SHR(x, 10))"
		"    uint32_t s[8];\n    int i;\n\n    be32dec_vect(W"
		"memcpy(s, state, 32);\n    for (i = 0; i < 48; i += 4) {\n${four}    }\n    for (i = 0; i < 64; i += 8) {\n${eight}    }\n"
		"+= s[i]"
	RESULT sha256)
# Ed25519 spelled out for speed is 7 KB more than in the loops of small/ed25519.h. Where the compiler has integers of 128 bits
# a number of the field has five parts instead of ten, which is 3 KB less, and faster.
set(ref10 crypto_core/ed25519/ref10)
dep_changed(
	TREE "${sodium}/src/libsodium"
	FILE ${ref10}/ed25519_ref10.c
	FROM
		"void\nfe25519_invert(fe25519 out"
		"static void\nfe25519_pow22523(fe25519 out"
		"void\nsc25519_reduce("
		"void\nge25519_double_scalarmult_vartime("
	TO
		"#include \"small/ed25519.h\"\nvoid\nunused_invert(fe25519 out"
		"void\nunused_pow22523(fe25519 out"
		"void\nunused_reduce("
		"void\nunused_double_scalarmult("
	RESULT ed25519)
# Where a number has five parts, it is brought into its range by carries in loops, and none of its parts needs 128 bits there.
set(carries "")
foreach(from RANGE 3)
	math(EXPR to "${from} + 1")
	string(APPEND carries "    t[${to}] += t[${from}] >> 51;\n    t[${from}] &= mask;\n")
endforeach()
dep_changed(
	TREE "${sodium}/src/libsodium"
	FILE ${ref10}/fe_51/fe.h
	FROM "uint128_t t[5]" "${carries}"
	TO
		"uint64_t t[5]"
		"for (int i = 0; i < 4; i++) { t[i + 1] += t[i] >> 51; t[i] &= mask; }\n"
	RESULT fe)
dep_library(dep_sodium sodium::verify
	TREE "${sodium}/src/libsodium"
	SOURCES
		${ed25519}
		${blake2b_compress}
		crypto_generichash/blake2b/ref/blake2b-ref.c
		crypto_generichash/blake2b/ref/generichash_blake2b.c
		${sha256}
		${sha512}
		crypto_shorthash/siphash24/ref/shorthash_siphash24_ref.c
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
		include:sodium/crypto_shorthash_siphash24.h
		include:sodium/crypto_sign_ed25519.h
		include:sodium/export.h
		include:sodium/utils.h)
target_compile_definitions(dep_sodium PRIVATE CONFIGURED=1)
if(CMAKE_SIZEOF_VOID_P EQUAL 8)
	target_compile_definitions(dep_sodium PRIVATE HAVE_TI_MODE=1)
endif()
target_include_directories(dep_sodium PRIVATE
	"${CMAKE_SOURCE_DIR}"
	"${sodium}/src/libsodium/${ref10}"
	"${sodium}/src/libsodium/include"
	"${sodium}/src/libsodium/include/sodium"
	"${sodium}/src/libsodium/crypto_generichash/blake2b/ref")
# The sums and differences in the field of Ed25519 are 640 bytes more where each is inlined.
set_source_files_properties("${sodium}/src/libsodium/${ed25519}"
	PROPERTIES COMPILE_OPTIONS -fno-inline)
# Sums in the order in which they are written, or the compiler needs more registers than there are: 1 instruction more. Loops
# and registers as fast as without small.cmake: 3 instructions more. clang does not know the options.
set_source_files_properties("${sodium}/src/libsodium/${sha256}"
	PROPERTIES COMPILE_OPTIONS "$<$<C_COMPILER_ID:GNU>:-fno-tree-reassoc;-ftree-loop-im;-fcaller-saves>")
# Its files hold more than we call, which refers to files that are not built: every linker must drop that.
target_compile_options(dep_sodium PRIVATE -ffunction-sections -fdata-sections)
target_link_options(dep_sodium INTERFACE LINKER:--gc-sections)
