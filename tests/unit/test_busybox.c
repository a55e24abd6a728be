// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "busybox.h"
#include "helpers.h"

static bool strict_mmap; /* what is mapped ends where memory ends, as a program's last page may */

void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	char *room;

	if (!strict_mmap || fd < 0 || at || len != 4096)
		return __real_mmap(at, len, prot, flags, fd, offset);
	room = __real_mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return __real_mmap(room, len, prot, flags | MAP_FIXED, fd, offset);
}

static char version[32];
static struct fault f;

/* A program with text somewhere in it. */
static void make_program(const char *path, const char *text, size_t at, size_t len)
{
	uint8_t *data = malloc(len);

	assert_non_null(data);
	fill_random(data, len, 1);
	memcpy(data, "\177ELF", 4);
	memcpy(data + at, text, strlen(text));
	write_file(path, data, len);
	free(data);
}

static int recognize(const char *text, size_t at, size_t len)
{
	make_program(temp_path("exe"), text, at, len);
	return busybox_recognize(temp_path("exe"), version, sizeof(version), &f);
}

static void versions(void **state)
{
	assert_int_equal(recognize("BusyBox v1.35.0 (2023-01-01 00:00:00 UTC)", 70001, 100000), 0);
	assert_string_equal(version, "v1.35.0");
	assert_int_equal(recognize("BusyBox v1.00-rc3 (2005.01.01-00:00+0000)", 4096, 10000), 0);
	assert_string_equal(version, "v1.00");
	assert_int_equal(recognize("BusyBox v1.22.1 (Debian 1:1.22.0-9)", 4, 100), 0);
	assert_string_equal(version, "v1.22.1");
}

/* Our own program has the word as well, to look for: no number follows it there. */
static void the_word_without_a_number(void **state)
{
	assert_int_equal(recognize("BusyBox v\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 500, 10000), -1);
	assert_fault(&f, FAULT_UNFIT, "not BusyBox init");
	assert_int_equal(recognize("BusyBox vx BusyBox v1.36.1 (", 500, 10000), 0);
	assert_string_equal(version, "v1.36.1");
}

static void other_programs(void **state)
{
	make_program(temp_path("systemd"), "systemd 252", 100, 5000);
	assert_int_equal(symlink(temp_path("systemd"), temp_path("exe")), 0);
	assert_int_equal(busybox_recognize(temp_path("exe"), version, sizeof(version), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "PID 1 is ");
	assert_fault(&f, FAULT_UNFIT, "/systemd, not BusyBox init");
}

static void at_the_very_end(void **state)
{
	static const char word[] = "BusyBox v1";

	assert_int_equal(recognize(word, 4096 - sizeof(word) + 1, 4096), -1);
	assert_int_equal(recognize("BusyBox v", 4096 - 9, 4096), -1);
}

/* A version that goes on to the last byte of a file that fills its pages. */
static void version_up_to_the_end(void **state)
{
	char program[4096];

	memset(program, '1', sizeof(program));
	memcpy(program + 4000, "BusyBox v", 9);
	write_file(temp_path("exe"), program, sizeof(program));
	strict_mmap = true;
	assert_int_equal(busybox_recognize(temp_path("exe"), version, sizeof(version), &f), 0);
	memset(program, 'x', sizeof(program));
	memcpy(program + 4096 - 26, "BusyBox v1111111111111111", 26);
	program[4095] = '1';
	write_file(temp_path("exe"), program, sizeof(program));
	assert_int_equal(busybox_recognize(temp_path("exe"), version, sizeof(version), &f), 0);
	strict_mmap = false;
	assert_string_equal(version, "v11111111111111111");
}

static void tiny_files(void **state)
{
	write_text(temp_path("exe"), "");
	assert_int_equal(busybox_recognize(temp_path("exe"), version, sizeof(version), &f), -1);
	assert_int_equal(f.kind, FAULT_UNFIT);
	write_text(temp_path("exe"), "B");
	assert_int_equal(busybox_recognize(temp_path("exe"), version, sizeof(version), &f), -1);
	assert_int_equal(f.kind, FAULT_UNFIT);
}

static void missing(void **state)
{
	assert_int_equal(busybox_recognize(temp_path("none"), version, sizeof(version), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot see what PID 1 is");
}

static void version_is_cut(void **state)
{
	char small[4];

	make_program(temp_path("exe"), "BusyBox v1.35.0 (2023-01-01)", 100, 5000);
	assert_int_equal(busybox_recognize(temp_path("exe"), small, sizeof(small), &f), 0);
	assert_string_equal(small, "v1.");
}

static int is_init(const char *cmdline, size_t len)
{
	static const char both[] = "BusyBox v1.35.0 (2023-01-01)\0reloading /etc/inittab";
	char program[5000] = "\177ELF";

	memcpy(program + 100, both, sizeof(both));
	write_file(temp_path("1/exe"), program, sizeof(program));
	write_file(temp_path("1/cmdline"), cmdline, len);
	return busybox_is_init(temp_path("1"), version, sizeof(version), &f);
}

static void runs_as_init(void **state)
{
	assert_int_equal(is_init("init\0\0\0\0\0", 9), 0);
	assert_string_equal(version, "v1.35.0");
	assert_int_equal(is_init("/sbin/init\0", 11), 0);
	assert_int_equal(is_init("/linuxrc\0", 9), 0);
	assert_int_equal(is_init("init", 4), 0);
}

static void runs_as_something_else(void **state)
{
	assert_int_equal(is_init("/bin/sh\0", 8), -1);
	assert_fault(&f, FAULT_UNFIT, "PID 1 is BusyBox v1.35.0 as \"/bin/sh\", not as init");
	assert_int_equal(is_init("-sh\0init\0", 9), -1);
	assert_int_equal(is_init("/sbin/init2\0", 12), -1);
	assert_int_equal(is_init("", 0), -1);
	assert_int_equal(unlink(temp_path("1/cmdline")), 0);
	assert_int_equal(busybox_is_init(temp_path("1"), version, sizeof(version), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cmdline");
	assert_int_equal(busybox_is_init(temp_path("2"), version, sizeof(version), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot see what PID 1 is");
}

static bool reads_inittab(const void *text, size_t len, size_t at)
{
	char program[9000];
	bool reads;

	memset(program, 'x', sizeof(program));
	memcpy(program + at, text, len);
	write_file(temp_path("exe"), program, sizeof(program));
	assert_int_equal(busybox_reads_inittab(temp_path("exe"), &reads, &f), 0);
	return reads;
}

static void support_for_an_inittab(void **state)
{
	static const char alone[] = "\0/etc/inittab", merged[] = "reloading /etc/inittab";
	static const char usage[] = "This version of init doesn't use /etc/inittab,\nhas fixed";
	bool reads;

	assert_true(reads_inittab(alone, sizeof(alone), 0));
	assert_true(reads_inittab(merged, sizeof(merged), 4090));
	assert_true(reads_inittab(merged, sizeof(merged), 9000 - sizeof(merged)));
	assert_false(reads_inittab(merged, sizeof(merged) - 1, 9000 - sizeof(merged) + 1));
	assert_false(reads_inittab(usage, sizeof(usage), 100));
	assert_false(reads_inittab("BusyBox v1.35.0", 16, 100));
	assert_int_equal(busybox_reads_inittab(temp_path("none"), &reads, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot see what PID 1 is");
}

/* An init without support for one, with the masks of its signals as the kernel tells them. */
static int is_init_without(const char *caught, const char *pending)
{
	char status[256];

	make_program(temp_path("1/exe"), "BusyBox v1.35.0 (2023-01-01)", 100, 5000);
	write_file(temp_path("1/cmdline"), "init", 4);
	(void)snprintf(status, sizeof(status),
		       "Name:\tinit\nSigPnd:\t0000000000010000\nShdPnd:\t%s\nSigCgt:\t%s\n",
		       pending, caught);
	write_text(temp_path("1/status"), status);
	return busybox_is_init(temp_path("1"), version, sizeof(version), &f);
}

static void no_support_for_an_inittab(void **state)
{
	assert_int_equal(is_init_without("0000000000080000", "0000000000000000"), 0);
	assert_true(busybox_took_signal(temp_path("1")));
	assert_int_equal(is_init_without("0000000000080000", "0000000000010000"), 0);
	assert_false(busybox_took_signal(temp_path("1")));
	assert_int_equal(is_init_without("0000000000080004", "0000000000000000"), -1);
	assert_fault(&f, FAULT_UNFIT, "BusyBox v1.35.0, built without support for an inittab");
	assert_int_equal(unlink(temp_path("1/status")), 0);
	assert_false(busybox_waits_for_signals(temp_path("1")));
	assert_false(busybox_took_signal(temp_path("1")));
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(versions),
		file_test(the_word_without_a_number),
		file_test(other_programs),
		file_test(at_the_very_end),
		file_test(version_up_to_the_end),
		file_test(tiny_files),
		file_test(missing),
		file_test(version_is_cut),
		file_test(runs_as_init),
		file_test(runs_as_something_else),
		file_test(support_for_an_inittab),
		file_test(no_support_for_an_inittab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
