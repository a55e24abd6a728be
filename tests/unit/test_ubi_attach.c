// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include <mtd/ubi-user.h>

#include "helpers.h"
#include "ubi_attach.h"

enum { FD = 1000 };

static const char *node; /* that is there */
static int error;        /* of the request; 0: it is granted */
static unsigned long asked;
static int argument; /* of the request; -1: none */
static unsigned int opened;
static struct fault f;

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	if (strncmp(path, "/dev/ubi", 8) != 0)
		return __real_open(path, flags, mode);
	assert_int_equal(flags, O_RDONLY | O_CLOEXEC);
	if (strcmp(path, node) != 0) {
		errno = ENOENT;
		return -1;
	}
	opened++;
	return FD;
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	if (fd != FD)
		return __real_close(fd);
	opened--;
	errno = 0;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *data)
{
	assert_int_equal(fd, FD);
	asked = request;
	argument = data ? *(int32_t *)data : -1;
	errno = error;
	return error ? -1 : 0;
}

static int setup(void **state)
{
	error = 0;
	asked = 0;
	return 0;
}

static void detaches(void **state)
{
	node = "/dev/ubi_ctrl";
	assert_int_equal(ubi_detach(3, &f), 0);
	assert_true(asked == UBI_IOCDET);
	assert_int_equal(argument, 3);
	assert_int_equal(opened, 0);
}

static void attaches(void **state)
{
	node = "/dev/ubi_ctrl";
	assert_int_equal(ubi_attach(7, &f), 0);
	assert_true(asked == UBI_IOCATT);
	assert_int_equal(argument, UBI_DEV_NUM_AUTO);
	assert_int_equal(opened, 0);
	error = EINVAL;
	assert_int_equal(ubi_attach(7, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot attach UBI to mtd7: Invalid argument");
}

static void makes_a_block_device(void **state)
{
	node = "/dev/ubi3_12";
	assert_int_equal(ubi_block_create("ubi3_12", &f), 0);
	assert_true(asked == UBI_IOCVOLCRBLK);
	error = EEXIST; /* there is one */
	assert_int_equal(ubi_block_create("ubi3_12", &f), 0);
	error = ENOMEM;
	assert_int_equal(ubi_block_create("ubi3_12", &f), -1);
	assert_fault(&f, FAULT_BUSY, "cannot make a ubiblock on ubi3_12: ");
	assert_int_equal(opened, 0);
}

static void removes_a_block_device(void **state)
{
	node = "/dev/ubi3_12";
	assert_int_equal(ubi_block_remove("ubi3_12", &f), 0);
	assert_true(asked == UBI_IOCVOLRMBLK);
	assert_int_equal(argument, -1);
	assert_int_equal(opened, 0);
}

static void in_use(void **state)
{
	error = EBUSY;
	node = "/dev/ubi_ctrl";
	assert_int_equal(ubi_detach(3, &f), -1);
	assert_fault(&f, FAULT_BUSY, "cannot detach ubi3: Device or resource busy");
	node = "/dev/ubi3_12";
	assert_int_equal(ubi_block_remove("ubi3_12", &f), -1);
	assert_fault(&f, FAULT_BUSY, "cannot remove the ubiblock on ubi3_12: Device or resource");
	assert_int_equal(opened, 0);
}

static void without_nodes(void **state)
{
	node = "/dev/ubi";
	assert_int_equal(ubi_detach(3, &f), -1);
	assert_fault(&f, FAULT_BUSY, "cannot detach ubi3: No such file");
	assert_int_equal(ubi_block_remove("ubi3_12", &f), -1);
	assert_int_equal(asked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(detaches, setup),
		cmocka_unit_test_setup(attaches, setup),
		cmocka_unit_test_setup(makes_a_block_device, setup),
		cmocka_unit_test_setup(removes_a_block_device, setup),
		cmocka_unit_test_setup(in_use, setup),
		cmocka_unit_test_setup(without_nodes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
