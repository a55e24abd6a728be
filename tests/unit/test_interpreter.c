// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "interpreter.h"

static char found[64];
static bool fail_read;

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	errno = EIO;
	return fail_read ? -1 : __real_read(fd, buf, len);
}

static int find(const void *data, size_t len)
{
	memset(found, 'x', sizeof(found));
	write_file(temp_path("program"), data, len);
	return interpreter_find(temp_path("program"), found, sizeof(found));
}

static int find_text(const char *text)
{
	return find(text, strlen(text));
}

struct program64 {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	char loader[32];
};

struct program32 {
	Elf32_Ehdr header;
	Elf32_Phdr segment[2];
	char loader[32];
};

#define fill(p, class)                                                     \
	do {                                                               \
		memset(&(p), 0, sizeof(p));                                \
		memcpy((p).header.e_ident, ELFMAG, SELFMAG);               \
		(p).header.e_ident[EI_CLASS] = (class);                    \
		(p).header.e_phoff = sizeof((p).header);                   \
		(p).header.e_phentsize = sizeof((p).segment[0]);           \
		(p).header.e_phnum = 2;                                    \
		(p).segment[0].p_type = PT_LOAD;                           \
		(p).segment[1].p_type = PT_INTERP;                         \
		(p).segment[1].p_offset = offsetof(__typeof__(p), loader); \
		(p).segment[1].p_filesz = sizeof("/lib/ld.so");            \
		memcpy((p).loader, "/lib/ld.so", sizeof("/lib/ld.so"));    \
	} while (0)

static void elf(void **state)
{
	struct program64 p;
	struct program32 q;

	fill(p, ELFCLASS64);
	assert_int_equal(find(&p, sizeof(p)), 1);
	assert_string_equal(found, "/lib/ld.so");
	p.header.e_phnum = 1; /* it is static */
	assert_int_equal(find(&p, sizeof(p)), 0);
	fill(q, ELFCLASS32); /* of another machine, or of another world on this one */
	assert_int_equal(find(&q, sizeof(q)), -1);
	assert_int_equal(errno, ENOEXEC);
}

static void refused(const struct program64 *p, size_t len)
{
	errno = 0;
	assert_int_equal(find(p, len), -1);
	assert_int_equal(errno, ENOEXEC);
}

static void damaged_elf(void **state)
{
	struct program64 p;

	fill(p, ELFCLASS64);
	refused(&p, offsetof(struct program64, loader) - 1);
	refused(&p, offsetof(struct program64, loader) + 3);
	p.segment[1].p_filesz = 1;
	refused(&p, sizeof(p));
	p.segment[1].p_filesz = sizeof(found) + 1;
	refused(&p, sizeof(p));
	p.segment[1].p_filesz = UINT64_MAX;
	refused(&p, sizeof(p));
	p.segment[1].p_filesz = sizeof("/lib/ld.so") - 1; /* without its end */
	refused(&p, sizeof(p));
	p.segment[1].p_filesz = sizeof("/lib/ld.so");
	p.segment[1].p_offset = UINT64_MAX - 3;
	refused(&p, sizeof(p));
	fill(p, ELFCLASS64);
	p.header.e_phoff = UINT64_MAX - 100;
	refused(&p, sizeof(p));
}

static void scripts(void **state)
{
	assert_int_equal(find_text("#!/bin/sh\n"), 1);
	assert_string_equal(found, "/bin/sh");
	assert_int_equal(find_text("#! \t/bin/sh -e\necho"), 1);
	assert_string_equal(found, "/bin/sh");
	assert_int_equal(find_text("#!/bin/a"), 1);
	assert_string_equal(found, "/bin/a");
	assert_int_equal(find_text("#!\n/bin/sh"), -1);
	assert_int_equal(errno, ENOEXEC);
	assert_int_equal(
		find_text("#!/1234567890123456789012345678901234567890123456789012345678901234"),
		-1);
}

static void no_programs(void **state)
{
	assert_int_equal(find_text(""), 0);
	assert_int_equal(find_text("#"), 0);
	assert_int_equal(find_text(ELFMAG), 0);
	assert_int_equal(
		find_text("text that is longer than the header of a program, and says nothing"), 0);
	assert_int_equal(interpreter_find(temp_path("none"), found, sizeof(found)), -1);
	assert_int_equal(errno, ENOENT);
	fail_read = true;
	assert_int_equal(find_text("#!/bin/sh\n"), -1);
	assert_int_equal(errno, EIO);
	fail_read = false;
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(elf),
		file_test(damaged_elf),
		file_test(scripts),
		file_test(no_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
