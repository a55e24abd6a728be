// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device_node.h"
#include "helpers.h"

/* The one node that there may be. */
static struct stat node;
static bool there, appears; /* the latter: somebody else makes it while we do */
static int stat_errno, mknod_errno;
static unsigned int made, looks;

int __wrap_stat(const char *path, struct stat *st)
{
	assert_string_equal(path, "/dev/it");
	looks++;
	*st = node;
	errno = stat_errno ? stat_errno : there ? 0 : ENOENT;
	return errno ? -1 : 0;
}

int __wrap_mknod(const char *path, mode_t mode, dev_t number)
{
	assert_string_equal(path, "/dev/it");
	assert_false(there);
	errno = appears ? EEXIST : mknod_errno;
	there = appears || !errno;
	made += !errno;
	if (errno)
		return -1;
	node.st_mode = mode;
	node.st_rdev = number;
	return 0;
}

static int fcntl_errno;

int __real_fcntl(int fd, int command, int argument);
int __wrap_fcntl(int fd, int command, int argument)
{
	errno = fcntl_errno;
	return fcntl_errno && command == F_DUPFD_CLOEXEC ? -1 : __real_fcntl(fd, command, argument);
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	int result = __real_close(fd);

	errno = EBADF; /* which nobody wants to hear of */
	return result;
}

static struct fault f;

static int setup(void **state)
{
	memset(&node, 0, sizeof(node));
	node.st_mode = S_IFBLK | 0660;
	node.st_rdev = makedev(179, 2);
	there = appears = false;
	stat_errno = mknod_errno = 0;
	made = looks = 0;
	return 0;
}

static int provide(void)
{
	return device_node_provide("/dev/it", S_IFBLK, makedev(179, 2), &f);
}

static void is_there(void **state)
{
	there = true;
	assert_int_equal(provide(), 0);
	assert_int_equal(made, 0);
}

static void is_made(void **state)
{
	memset(&node, 0, sizeof(node));
	assert_int_equal(provide(), 0);
	assert_int_equal(node.st_mode, S_IFBLK | 0600);
	assert_int_equal(node.st_rdev, makedev(179, 2));
	assert_int_equal(provide(), 0);
	assert_int_equal(made, 1);
}

static void is_made_by_somebody_else(void **state)
{
	appears = true;
	assert_int_equal(provide(), 0);
	assert_int_equal(made, 0);
	there = false;
	node.st_rdev = makedev(179, 3);
	assert_int_equal(provide(), -1);
	assert_fault(&f, FAULT_UNFIT, "/dev/it is not device 179:2: a stale node, remove it");
}

static void is_something_else(void **state)
{
	there = true;
	node.st_mode = S_IFCHR | 0600;
	assert_int_equal(provide(), -1);
	assert_fault(&f, FAULT_UNFIT, "/dev/it is not device 179:2");
	node.st_mode = S_IFBLK | 0600;
	node.st_rdev = makedev(180, 2);
	assert_int_equal(provide(), -1);
	assert_fault(&f, FAULT_UNFIT, "/dev/it is not device 179:2");
	assert_int_equal(made, 0);
}

static void cannot_be_looked_at(void **state)
{
	stat_errno = EIO;
	assert_int_equal(provide(), -1);
	assert_fault(&f, FAULT_UNFIT, "/dev/it: cannot look at it: Input/output error");
	assert_int_equal(f.err, EIO);
	assert_int_equal(looks, 1);
	stat_errno = ENOENT; /* even after it was made */
	assert_int_equal(provide(), -1);
	assert_fault(&f, FAULT_UNFIT, "/dev/it: cannot look at it: No such file");
}

static void cannot_be_made(void **state)
{
	mknod_errno = EROFS;
	assert_int_equal(provide(), -1);
	assert_fault(&f, FAULT_UNFIT, "/dev/it: cannot make the device node: Read-only");
	assert_int_equal(f.err, EROFS);
}

static void opened(void **state)
{
	int fd = device_node_open("/dev/zero", O_RDWR);

	assert_true(fd > STDERR_FILENO);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	(void)close(fd);
	fd = device_node_open("/dev/none", O_RDWR);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, ENOENT);
}

/* With one of the standard descriptors closed, the next open() gets it. */
static void opened_above_stderr(void **state)
{
	unsigned int fds = count_fds();

	for (int closed = 0; closed <= STDERR_FILENO; closed++) {
		int saved = fcntl(closed, F_DUPFD_CLOEXEC, 20), fd;

		assert_true(saved >= 20);
		(void)close(closed);
		fd = device_node_open("/dev/null", O_RDONLY);
		assert_true(fd > STDERR_FILENO);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fcntl(closed, F_GETFD), -1);
		(void)close(fd);
		fcntl_errno = EMFILE;
		assert_int_equal(device_node_open("/dev/null", O_RDONLY), -1);
		assert_int_equal(errno, EMFILE);
		fcntl_errno = 0;
		assert_int_equal(fcntl(closed, F_GETFD), -1);
		assert_int_equal(dup2(saved, closed), closed);
		(void)close(saved);
	}
	assert_int_equal(count_fds(), fds);
}

static void opened_with_none_open(void **state)
{
	int saved[3], fd;

	for (int n = 0; n < 3; n++) {
		saved[n] = fcntl(n, F_DUPFD_CLOEXEC, 20);
		(void)close(n);
	}
	fd = device_node_open("/dev/null", O_RDONLY);
	for (int n = 0; n < 3; n++) {
		(void)dup2(saved[n], n);
		(void)close(saved[n]);
	}
	assert_true(fd > STDERR_FILENO);
	(void)close(fd);
}

#define node_test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(is_there),
		node_test(is_made),
		node_test(is_made_by_somebody_else),
		node_test(is_something_else),
		node_test(cannot_be_looked_at),
		node_test(cannot_be_made),
		node_test(opened),
		node_test(opened_above_stderr),
		node_test(opened_with_none_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
