// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
