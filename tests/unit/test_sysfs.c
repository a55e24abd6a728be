// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "sysfs.h"

static int read_errno;

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	errno = read_errno;
	return read_errno ? -1 : __real_read(fd, buf, len);
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	int result = __real_close(fd);

	errno = EBADF; /* which nobody wants to hear of */
	return result;
}

static char text[8];

static void reads(const char *contents, const char *wanted)
{
	unsigned int fds = count_fds();

	write_text(temp_path("attribute"), contents);
	memset(text, 'x', sizeof(text));
	assert_int_equal(sysfs_read(temp_path("attribute"), text, sizeof(text)), 0);
	assert_string_equal(text, wanted);
	assert_int_equal(count_fds(), fds);
}

static void a_line(void **state)
{
	reads("250:1\n", "250:1");
	reads("250:1", "250:1");
	reads("\n", "");
	reads("", "");
	reads("a\nb\n\n", "a\nb\n"); /* but one newline */
}

static void too_long(void **state)
{
	reads("1234567", "1234567");
	reads("1234567\n", "1234567");
	reads("123456\n8", "123456");
	reads("123456789\n", "1234567");
}

static void fails(void **state)
{
	unsigned int fds = count_fds();

	assert_int_equal(sysfs_read(temp_path("none"), text, sizeof(text)), -1);
	assert_int_equal(errno, ENOENT);
	write_text(temp_path("attribute"), "1\n");
	read_errno = ENODEV;
	assert_int_equal(sysfs_read(temp_path("attribute"), text, sizeof(text)), -1);
	assert_int_equal(errno, ENODEV);
	read_errno = 0;
	assert_int_equal(count_fds(), fds);
}

#define sysfs_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sysfs_test(a_line),
		sysfs_test(too_long),
		sysfs_test(fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
