# SPDX-License-Identifier: GPL-2.0-or-later
#
# musl: for this machine's CPU parts of it, before the archive of Debian's musl-dev; for other CPUs all that a program
# of ours may need, since Debian has no archive for most of them.

# Sets RESULT to whether the C library's archive is of musl 1.2.3. The linker says where it is.
function(musl_is_the_pinned_one result)
	set(program "${CMAKE_BINARY_DIR}/CMakeFiles/empty")
	file(WRITE "${program}.c" "int main(void) { return 0; }\n")
	execute_process(
		COMMAND "${CMAKE_C_COMPILER}" -static -Wl,--trace "${program}.c" -o "${program}"
		OUTPUT_VARIABLE files
		COMMAND_ERROR_IS_FATAL ANY)
	string(REGEX MATCH "[^\n]*/libc\\.a" archive "${files}")
	file(STRINGS "${archive}" version REGEX "^1\\.2\\.3$")
	if(NOT version)
		message(WARNING "${archive} is not musl 1.2.3, parts of which would make the programs some KB smaller")
	endif()
	set(${result} "${version}" PARENT_SCOPE)
endfunction()

# musl_settings(TARGET): how its own source wants to be compiled. Not by link-time optimization, which drops what only
# the archive asks for.
function(musl_settings target)
	set_target_properties(${target} PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF)
	target_compile_options(${target} PRIVATE
		-w -U_GNU_SOURCE -ffreestanding -fno-lto -fno-stack-protector -fno-tree-loop-distribute-patterns
		-fexcess-precision=standard -frounding-math -fomit-frame-pointer
		-Wa,--noexecstack
		-D_XOPEN_SOURCE=700)
	# As copies: gcc looks last in a folder that is the system's, too, and a CPU's headers replace those of src/internal.
	file(GLOB arch_headers "${musl}/arch/${FLASHINIT_MUSL_ARCH}/*.h")
	file(COPY ${arch_headers} DESTINATION "${CMAKE_BINARY_DIR}/musl-arch")
	target_include_directories(${target} PRIVATE
		"${CMAKE_BINARY_DIR}/musl-arch"
		"${musl}/arch/${FLASHINIT_MUSL_ARCH}"
		"${musl}/arch/generic"
		"${musl}/src/include"
		"${musl}/src/internal")
endfunction()

# What musl's makefile generates: two headers for programs, one for itself. Sets RESULT to their folder.
function(musl_generated result)
	set(made "${CMAKE_BINARY_DIR}/musl-generated")
	set(arch "${musl}/arch/${FLASHINIT_MUSL_ARCH}/bits")
	file(MAKE_DIRECTORY "${made}/bits")
	execute_process(
		COMMAND sed -f "${musl}/tools/mkalltypes.sed" "${arch}/alltypes.h.in" "${musl}/include/alltypes.h.in"
		OUTPUT_VARIABLE types
		COMMAND_ERROR_IS_FATAL ANY)
	# Not written where it is the same: all depends on it.
	file(CONFIGURE OUTPUT "${made}/bits/alltypes.h" CONTENT "${types}" @ONLY)
	file(READ "${arch}/syscall.h.in" calls)
	string(REPLACE "__NR_" "SYS_" other_names "${calls}")
	file(CONFIGURE OUTPUT "${made}/bits/syscall.h" CONTENT "${calls}${other_names}" @ONLY)
	file(CONFIGURE OUTPUT "${made}/version.h" CONTENT "#define VERSION \"1.2.3\"\n" @ONLY)
	set(${result} "${made}" PARENT_SCOPE)
endfunction()

# musl_sources(RESULT folder...): what musl's makefile would compile of these folders of its src/. A file in the folder
# of the architecture replaces the one of the same name beside it.
function(musl_sources result)
	set(sources "")
	foreach(folder IN LISTS ARGN)
		set(folder "${musl}/src/${folder}")
		file(GLOB common "${folder}/*.c")
		file(GLOB special
			"${folder}/${FLASHINIT_MUSL_ARCH}/*.c"
			"${folder}/${FLASHINIT_MUSL_ARCH}/*.s"
			"${folder}/${FLASHINIT_MUSL_ARCH}/*.S")
		foreach(file IN LISTS special)
			get_filename_component(name "${file}" NAME_WE)
			list(REMOVE_ITEM common "${folder}/${name}.c")
		endforeach()
		list(APPEND sources ${common} ${special})
	endforeach()
	set(${result} "${sources}" PARENT_SCOPE)
endfunction()

# The libraries that stand for -lc and crt1.o, and the headers.
function(musl_whole)
	musl_generated(generated)
	# The compiler's own come after musl's, which has most of them, too.
	execute_process(
		COMMAND "${CMAKE_C_COMPILER}" -print-file-name=include
		OUTPUT_VARIABLE compilers
		OUTPUT_STRIP_TRAILING_WHITESPACE
		COMMAND_ERROR_IS_FATAL ANY)
	set(headers
		"${generated}" "${musl}/arch/${FLASHINIT_MUSL_ARCH}" "${musl}/arch/generic" "${musl}/include" "${compilers}")
	set(flags "")
	foreach(folder IN LISTS headers)
		list(APPEND flags "SHELL:-isystem \"${folder}\"")
	endforeach()
	# Thumb's conditions are implied by the instructions; files of assembly language say neither.
	if(FLASHINIT_CPU STREQUAL "armhf")
		list(APPEND flags "SHELL:-Wa,-mimplicit-it=always -Wa,-mthumb")
	endif()
	add_compile_options(-nostdinc ${flags})

	# Not here: floating point (but for what printf and scanf name), locales' character sets, databases, resolvers.
	musl_sources(sources
		conf ctype dirent env errno exit fcntl internal linux locale malloc malloc/mallocng misc mman
		multibyte process sched select setjmp signal stat stdio stdlib string temp termios thread time unistd)
	foreach(call bind connect recv recvfrom recvmsg send sendmsg sendto setsockopt socket)
		list(APPEND sources "${musl}/src/network/${call}.c")
	endforeach()
	list(REMOVE_ITEM sources
		"${musl}/src/misc/getopt.c"
		"${musl}/src/string/memcmp.c"
		"${musl}/src/time/clock_gettime.c")
	add_library(dep_musl STATIC ${sources} "${musl}/${clock_gettime}" "${musl}/${getopt}" "${musl}/${memcmp}")
	musl_settings(dep_musl)
	add_library(dep_musl_start OBJECT "${musl}/crt/crt1.c")
	musl_settings(dep_musl_start)
	target_compile_definitions(dep_musl_start PRIVATE CRT)
	target_link_libraries(dep_musl INTERFACE gcc)
	add_link_options(-nostdlib)
	link_libraries($<TARGET_OBJECTS:dep_musl_start> dep_musl)
endfunction()

set(musl_is_pinned "${FLASHINIT_WHOLE_MUSL}")
if(NOT musl_is_pinned)
	musl_is_the_pinned_one(musl_is_pinned)
endif()
if(NOT musl_is_pinned)
	return()
endif()

flashinit_source(
	NAME musl
	OPTION FLASHINIT_MUSL_SOURCE
	PROBE src/misc/getopt.c
	RESULT musl)
# The time by a system call: to find it in the kernel's shared page takes 1 KB.
dep_changed(
	TREE "${musl}"
	FILE src/time/clock_gettime.c
	FROM "#ifdef VDSO_CGT_SYM"
	TO "#if 0"
	RESULT clock_gettime)
# Messages without a stream for standard error, which would be the only one of flashinit's.
dep_changed(
	TREE "${musl}"
	FILE src/misc/getopt.c
	FROM
		"\tFLOCK(f);\n\tfputs(a, f)>=0\n\t&& fwrite(b, strlen(b), 1, f)\n\t&& fwrite(c, 1, l, f)==l\n\t&& putc('\\n', f);\n\tFUNLOCK(f);\n"
		"FILE *f = stderr;\n"
	TO
		"\tdprintf(2, \"%s%s%.*s\\n\", a, b, (int)l, c);\n"
		"\n"
	RESULT getopt)
# A comparison by bytes takes six instructions for each. What is as good as aligned is compared by words first.
dep_changed(
	TREE "${musl}"
	FILE src/string/memcmp.c
	FROM "	for ("
	TO "	typedef size_t __attribute__((__may_alias__)) word;
	if (!(((size_t)l | (size_t)r) % sizeof(word)))
		for (; n >= sizeof(word) && *(word *)l == *(word *)r; l += sizeof(word), r += sizeof(word))
			n -= sizeof(word);
	for ("
	RESULT memcmp)

if(FLASHINIT_WHOLE_MUSL)
	enable_language(ASM)
	musl_whole()
else()
	# What flashinit needs of musl, compiled as small as the rest (3 KB less), and its older malloc (4 KB less): that one
	# crashes on corrupted chunks and double frees, too, but keeps what it knows of a chunk beside it. Objects come before
	# those of the C library's archive, which must be of the same version: their parts know each other. Not by link-time
	# optimization, which drops what only the archive asks for.
	set(files
		dirent/fdopendir.c
		env/__init_tls.c
		env/__libc_start_main.c
		exit/abort.c
		fcntl/fcntl.c
		fcntl/open.c
		fcntl/openat.c
		internal/procfdname.c
		internal/syscall_ret.c
		linux/prctl.c
		malloc/calloc.c
		malloc/oldmalloc/malloc.c
		misc/getrlimit.c
		misc/ioctl.c
		mman/mmap.c
		mman/mremap.c
		network/socket.c
		process/_Fork.c
		process/fork.c
		signal/raise.c
		signal/sigaction.c
		signal/signal.c
		stat/fchmod.c
		stat/fstatat.c
		string/memchr.c
		string/stpcpy.c
		string/strchrnul.c
		string/strcmp.c
		string/strcspn.c
		string/strlen.c
		string/strncmp.c
		string/strspn.c
		thread/__lock.c
		thread/__timedwait.c
		thread/__wait.c
		thread/pthread_create.c
		thread/pthread_join.c
		thread/pthread_rwlock_tryrdlock.c
		thread/pthread_rwlock_unlock.c
		thread/sem_post.c
		thread/sem_timedwait.c
		thread/vmlock.c
		time/time.c
		unistd/isatty.c
		unistd/pipe2.c
		unistd/readlink.c
	)
	list(TRANSFORM files PREPEND "${musl}/src/")
	add_library(dep_musl OBJECT
		"${musl}/${clock_gettime}"
		"${musl}/${memcmp}"
		${files})
	target_compile_options(dep_musl PRIVATE
		-w -std=c99 -ffreestanding -fno-lto -fno-strict-aliasing -fno-tree-loop-distribute-patterns
		# Some of it runs before there is a canary to look at.
		-fno-stack-protector
		-U_GNU_SOURCE -D_XOPEN_SOURCE=700)
	target_include_directories(dep_musl PRIVATE
		"${musl}/arch/${FLASHINIT_MUSL_ARCH}"
		"${musl}/arch/generic"
		"${musl}/src/include"
		"${musl}/src/internal")
	link_libraries($<TARGET_OBJECTS:dep_musl>)
endif()
