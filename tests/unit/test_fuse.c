// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse.h"
#include "helpers.h"

static unsigned int mounted, unmounted;
static struct fault f;

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data)
{
	assert_string_equal(target, temp_path("connections"));
	assert_string_equal(type, "fusectl");
	mounted++;
	return 0;
}

int __wrap_umount2(const char *target, int flags)
{
	assert_string_equal(target, temp_path("connections"));
	assert_int_equal(flags, UMOUNT_NOFOLLOW);
	unmounted++;
	return 0;
}

static void expect_text(const char *name, const char *wanted)
{
	FILE *file = fopen(temp_path("connections/%s", name), "r");
	char text[16] = "";

	assert_non_null(file);
	(void)fgets(text, sizeof(text), file);
	(void)fclose(file);
	assert_string_equal(text, wanted);
}

static void every_connection_is_ended(void **state)
{
	mounted = unmounted = 0;
	write_text(temp_path("connections/31/abort"), "");
	write_text(temp_path("connections/31/waiting"), "1");
	write_text(temp_path("connections/40/abort"), "");
	assert_int_equal(fuse_abort(temp_path("connections"), &f), 0);
	expect_text("31/abort", "1");
	expect_text("40/abort", "1");
	assert_int_equal(mounted, 1);
	assert_int_equal(unmounted, 1);
}

static void one_that_cannot_be_ended(void **state)
{
	write_text(temp_path("connections/31/abort/folder"), "");
	write_text(temp_path("connections/40/abort"), "");
	assert_int_equal(fuse_abort(temp_path("connections"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "connections/31/abort: cannot write");
	expect_text("40/abort", "1");
}

static void kernel_without_fuse(void **state)
{
	assert_int_equal(fuse_abort(temp_path("connections"), &f), 0);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(every_connection_is_ended),
		file_test(one_that_cannot_be_ended),
		file_test(kernel_without_fuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
