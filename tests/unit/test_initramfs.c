// SPDX-License-Identifier: GPL-2.0-or-later
/* What can fail while it is made. What is in it, tests/tools/initramfs.py looks at. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpio.h"
#include "helpers.h"
#include "initramfs.h"

static unsigned int no_memory_at, allocations; /* the how manieth fails; 0: none */
static bool disk_full, read_fails;

static bool refuse(void)
{
	return no_memory_at && ++allocations == no_memory_at;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	errno = ENOMEM;
	return refuse() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	errno = ENOMEM;
	return refuse() ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	errno = ENOMEM;
	return refuse() ? NULL : __real_realloc(old, size);
}

size_t __real_fwrite(const void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fwrite(const void *data, size_t size, size_t count, FILE *file)
{
	if (!disk_full)
		return __real_fwrite(data, size, count, file);
	errno = ENOSPC;
	return 0;
}

int __real_ferror(FILE *file);
int __wrap_ferror(FILE *file)
{
	errno = EIO;
	return read_fails ? 1 : __real_ferror(file);
}

static struct initramfs_options options;
static struct fault f;
static unsigned int fds;

/* The least that counts as a static program. */
static void write_program(const char *path)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
	} elf = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB },
			    .e_type = ET_EXEC,
			    .e_entry = 1,
			    .e_phoff = sizeof(Elf32_Ehdr),
			    .e_phentsize = sizeof(Elf32_Phdr),
			    .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD },
	};

	write_file(path, &elf, sizeof(elf));
}

static int setup(void **state)
{
	static char config[128], program[128];

	no_memory_at = allocations = 0;
	disk_full = read_fails = false;
	fds = count_fds();
	if (temp_dir_make(state) < 0)
		return -1;
	(void)snprintf(config, sizeof(config), "%s", temp_path("config"));
	write_text(config, "board = thincan\n");
	(void)snprintf(program, sizeof(program), "%s", temp_path("program"));
	write_program(program);
	options = (struct initramfs_options){
		.program = program,
		.config = config,
		.key = { TEST_DIR "/fixtures/signify.pub" },
		.key_count = 1,
	};
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static int make(const char *name)
{
	allocations = 0;
	return initramfs_make(&options, temp_path("%s", name), &f);
}

static void expect_nothing_made(const char *name)
{
	assert_int_equal(access(temp_path("%s", name), F_OK), -1);
	assert_int_equal(access(temp_path("%s.part", name), F_OK), -1);
}

static void memory_runs_out(void **state)
{
	static const char *const names[] = { "i.cpio", "i.cpio.gz" };

	for (int i = 0; i < 2; i++) {
		unsigned int failed = 0;

		for (no_memory_at = 1; make(names[i]) < 0; no_memory_at++, failed++) {
			assert_fault(&f, FAULT_FAILED, "memory");
			expect_nothing_made(names[i]);
		}
		assert_in_range(failed, 5, 200);
	}
}

static void disk_runs_out(void **state)
{
	disk_full = true;
	assert_int_equal(make("i.cpio"), -1);
	assert_fault(&f, FAULT_FAILED, "cannot write");
	expect_nothing_made("i.cpio");
	assert_int_equal(make("i.cpio.gz"), -1);
	expect_nothing_made("i.cpio.gz");
}

static void reading_fails(void **state)
{
	read_fails = true;
	assert_int_equal(make("i.cpio"), -1);
	assert_fault(&f, FAULT_FAILED, "cannot read");
	expect_nothing_made("i.cpio");
}

static void archive_checks_names(void **state)
{
	struct cpio c = { .used = 0 };
	char name[CPIO_NAME_MAX + 1];

	assert_int_equal(cpio_add(&c, "a", 0040755, NULL, 0, &f), 0);
	assert_int_equal(cpio_add(&c, "a/b", 0100644, "x", 1, &f), 0);
	assert_int_equal(cpio_add(&c, "a/b", 0100644, "y", 1, &f), -1);
	assert_fault(&f, FAULT_USAGE, "/a/b: is there already");
	assert_int_equal(cpio_add(&c, "a/b/c", 0100644, "y", 1, &f), -1);
	assert_fault(&f, FAULT_USAGE, "/a/b is no folder");
	assert_int_equal(cpio_add(&c, "b/c", 0100644, "y", 1, &f), -1);
	assert_fault(&f, FAULT_USAGE, "/b is no folder");
	memset(name, 'n', CPIO_NAME_MAX);
	name[CPIO_NAME_MAX] = '\0';
	assert_int_equal(cpio_add(&c, name, 0100644, "y", 1, &f), -1);
	assert_fault(&f, FAULT_USAGE, "characters");
	assert_int_equal(cpio_add_device(&c, "d", 0020600, CPIO_MAJOR_MAX + 1, 0, &f), -1);
	assert_fault(&f, FAULT_USAGE, "no device");
	for (int i = (int)c.count; i < CPIO_ENTRIES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "a/%d", i);
		assert_int_equal(cpio_add(&c, name, 0100644, "y", 1, &f), 0);
	}
	assert_int_equal(cpio_add(&c, "a/last", 0100644, "y", 1, &f), -1);
	assert_fault(&f, FAULT_USAGE, "more than");
	cpio_free(&c);
}

static void devices(void **state)
{
	static const char *const wrong[] = {
		"",
		"dev/x,c,1,2",
		"/,c,1,2",
		"/dev/x",
		"/dev/x,p,1,2",
		"/dev/x,c,1",
		"/dev/x,c,1,2,3",
		"/dev/x,c,,2",
		"/dev/x,c,-1,2",
		"/dev/x,c, 1,2",
		"/dev/x,c,4096,0",
		"/dev/x,c,1,1048576",
		"/dev//x,c,1,2",
		"/dev/x/,c,1,2",
		"/dev/../x,c,1,2",
		"/dev/./x,c,1,2",
		"/dev/x,cc,1,2",
		"/dev/x,c,1x,2",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(initramfs_take_device(&options, wrong[i], &f), -1);
		assert_fault(&f, FAULT_USAGE, wrong[i]);
	}
	assert_int_equal(options.device_count, 0);
	for (int i = 0; i < INITRAMFS_DEVICES_MAX; i++)
		assert_int_equal(initramfs_take_device(&options, "/dev/x,b,4095,1048575", &f), 0);
	assert_int_equal(initramfs_take_device(&options, "/dev/x,b,4095,1048575", &f), -1);
	assert_fault(&f, FAULT_USAGE, "more than");
	assert_int_equal(make("i.cpio"), -1); /* the same one twice */
	assert_fault(&f, FAULT_USAGE, "/dev/x: is there already");
	expect_nothing_made("i.cpio");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(archive_checks_names, setup, teardown),
		cmocka_unit_test_setup_teardown(devices, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
