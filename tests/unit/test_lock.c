// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "lock.h"

static bool flock_fails;

/* Wherever this runs, /sys/class/mtd is a folder of the test's. */
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	if (strcmp(path, "/sys/class/mtd") == 0)
		path = temp_path("mtd");
	else if (strcmp(path, "/sys/class") == 0)
		path = temp_path("class");
	else if (strcmp(path, "/run/flashinit.reboot-first") == 0)
		path = temp_path("reboot-first");
	return __real_open(path, flags, mode);
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
	if (strcmp(path, "/run/flashinit.reboot-first") == 0)
		path = temp_path("reboot-first");
	return __real_access(path, mode);
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	if (!flock_fails)
		return __real_flock(fd, operation);
	errno = ENOLCK;
	return -1;
}

static struct fault f;
static unsigned int fds;

static int setup(void **state)
{
	flock_fails = false;
	fds = count_fds();
	if (temp_dir_make(state) < 0)
		return -1;
	return mkdir(temp_path("mtd"), 0755);
}

static int teardown(void **state)
{
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static void nobody_before_a_reboot(void **state)
{
	lock_until_reboot();
	lock_until_reboot();
	assert_int_equal(lock_take(&f), -1);
	assert_fault(&f, FAULT_UNFIT, "reboot before writing again");
	assert_int_equal(unlink(temp_path("reboot-first")), 0); /* as a reboot does */
	assert_int_equal(close(lock_take(&f)), 0);
}

static void second_taker_is_told(void **state)
{
	int fd = lock_take(&f);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(lock_take(&f), -1);
	assert_fault(&f, FAULT_BUSY, "another update is running");
	(void)close(fd);
	fd = lock_take(&f);
	assert_true(fd >= 0);
	(void)close(fd);
}

/* The kernel lets go of it even when its holder is killed. */
static void goes_with_its_holder(void **state)
{
	int ends[2], fd;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (lock_take(&f) < 0 || write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	assert_int_equal(lock_take(&f), -1);
	assert_fault(&f, FAULT_BUSY, "another update");
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd = lock_take(&f);
	assert_true(fd >= 0);
	(void)close(fd);
}

static void no_flash_here(void **state)
{
	assert_int_equal(rmdir(temp_path("mtd")), 0);
	assert_int_equal(lock_take(&f), -1);
	assert_fault(&f, FAULT_UNFIT, "no flash here: /sys/class/mtd");
}

/* Block devices can be written without it, and there, too, only by one. */
static void no_mtd_here(void **state)
{
	int fd;

	assert_int_equal(rmdir(temp_path("mtd")), 0);
	assert_int_equal(mkdir(temp_path("class"), 0755), 0);
	fd = lock_take(&f);
	assert_true(fd >= 0);
	assert_int_equal(lock_take(&f), -1);
	assert_fault(&f, FAULT_BUSY, "another update is running");
	(void)close(fd);
}

static void cannot_lock(void **state)
{
	flock_fails = true;
	assert_int_equal(lock_take(&f), -1);
	assert_fault(&f, FAULT_FAILED, "/sys/class/mtd: cannot lock: No locks available");
}

#define lock_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		lock_test(nobody_before_a_reboot),
		lock_test(goes_with_its_holder),
		lock_test(second_taker_is_told),
		lock_test(goes_with_its_holder),
		lock_test(no_flash_here),
		lock_test(no_mtd_here),
		lock_test(cannot_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
