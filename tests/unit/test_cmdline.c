// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cmdline.h"
#include "helpers.h"

static struct cmdline c;
static struct fault f;

static void take(const char *text)
{
	cmdline_free(&c);
	write_text(temp_path("cmdline"), text);
	assert_int_equal(cmdline_read(&c, temp_path("cmdline"), &f), 0);
}

static void nothing_said(void **state)
{
	take("");
	assert_false(c.root || c.rw || c.rootflags || c.init || c.argv[0] || c.argv[1]);
	take("console=ttyS0 quiet  groot=1 rwx roo init rdinit=/x\n");
	assert_false(c.root || c.rw || c.rootflags || c.init || c.argv[0] || c.argv[1]);
}

static void last_one_counts(void **state)
{
	take("root=a ro init=/a rootflags=x init=/b root=mtd:b rootflags=y=1,z rw\n");
	assert_string_equal(c.root, "mtd:b");
	assert_true(c.rw);
	assert_string_equal(c.init, "/b");
	assert_string_equal(c.rootflags, "y=1,z");
	take("rw ro");
	assert_false(c.rw);
}

static void words_for_root(void **state)
{
	take("rootwait=9 rootdelay=7 rootfstype=a,b ubi.mtd=x,2048 ubi.mtd=y devtmpfs.mount=0");
	assert_true(c.wait && c.no_devtmpfs);
	assert_int_equal(c.delay, 7);
	assert_string_equal(c.rootfstype, "a,b");
	assert_string_equal(c.ubi_mtd, "x,2048"); /* what the root is on is the first one */
	take("rootdelay rootwai devtmpfs.mount=1");
	assert_false(c.wait || c.delay || c.rootfstype || c.ubi_mtd || c.no_devtmpfs);
}

static void words_for_init(void **state)
{
	take("init=/a rw -- single init=/b -- ro\n");
	assert_string_equal(c.init, "/a");
	assert_true(c.rw);
	assert_null(c.argv[0]);
	assert_string_equal(c.argv[1], "single");
	assert_string_equal(c.argv[2], "init=/b");
	assert_string_equal(c.argv[3], "--");
	assert_string_equal(c.argv[4], "ro");
	assert_null(c.argv[5]);
}

static void too_many_words(void **state)
{
	char text[200] = "--";

	for (int i = 0; i < CMDLINE_ARGS_MAX + 3; i++)
		strcat(text, " x");
	take(text);
	assert_string_equal(c.argv[CMDLINE_ARGS_MAX], "x");
	assert_null(c.argv[CMDLINE_ARGS_MAX + 1]);
}

static void no_file(void **state)
{
	cmdline_free(&c);
	assert_int_equal(cmdline_read(&c, temp_path("none"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "none: cannot read: No such file");
	cmdline_free(&c);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(nothing_said),   file_test(last_one_counts), file_test(words_for_root),
		file_test(words_for_init), file_test(too_many_words),  file_test(no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
