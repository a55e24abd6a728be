// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "helpers.h"
#include "say.h"

static unsigned int polls;
static bool real_poll;
static int poll_timeout;

/* A terminal that does not move: no test waits for it, but it is seen how long it would. */
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	polls++;
	poll_timeout = timeout;
	return real_poll ? __real_poll(fds, count, 0) : 0;
}

static int kernel_log_opens;

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	if (strcmp(path, "/dev/kmsg") == 0) {
		kernel_log_opens++;
		assert_true(flags & O_NONBLOCK);
		path = temp_path("kmsg");
		flags |= O_CREAT;
		mode = 0600;
	}
	return __real_open(path, flags, mode);
}

static bool interrupted;

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	if (interrupted) {
		interrupted = false;
		errno = EINTR;
		return -1;
	}
	return __real_write(fd, buf, len);
}

static int ends[2];
static char chunk[4096];

static int setup(void **state)
{
	(void)signal(SIGPIPE, SIG_IGN);
	polls = 0;
	memset(chunk, 'c', sizeof(chunk));
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

static int teardown(void **state)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

static size_t drain(void)
{
	char buf[65536];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(ends[0], buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	return sum;
}

static void fill(void)
{
	while (__real_write(ends[1], chunk, sizeof(chunk)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

static void writes_all(void **state)
{
	interrupted = true;
	say_raw(ends[1], chunk, sizeof(chunk));
	assert_int_equal(drain(), sizeof(chunk));
	say_raw(ends[1], chunk, 0);
	assert_int_equal(drain(), 0);
	assert_int_equal(polls, 0);
}

/* It is waited for once, and shortly; then never again until it moves. */
static void full_pipe_does_not_hang(void **state)
{
	fill();
	say_raw(ends[1], chunk, sizeof(chunk));
	assert_int_equal(polls, 1);
	assert_true(poll_timeout > 0 && poll_timeout <= 1000);
	for (int i = 0; i < 1000; i++)
		say_raw(ends[1], chunk, sizeof(chunk));
	assert_int_equal(polls, 1);
	assert_true(drain() > 0);
	say_raw(ends[1], chunk, 10);
	assert_int_equal(drain(), 10);
	fill();
	say_raw(ends[1], chunk, 10);
	assert_int_equal(polls, 2);
	(void)drain();
	say_raw(ends[1], chunk, 1); /* for the tests after this one: it moves */
}

/* Says lines until nothing more goes in, and then some, on a descriptor that blocks. */
static void say_until_stuck(int fd)
{
	static const char text[] = "flashinit: writing  50%  5.0 of 10.0 MiB\n";

	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	polls = 0;
	real_poll = true;
	(void)alarm(20); /* or this would be for ever */
	poll_timeout = -1;
	for (int i = 0; i < 5000 && poll_timeout != 0; i++) /* which ends the patience */
		say_raw(fd, text, sizeof(text) - 1);
	assert_int_equal(poll_timeout, 0);
	for (int i = 0; i < 100; i++)
		say_raw(fd, text, sizeof(text) - 1);
	(void)alarm(0);
	real_poll = false;
}

static void full_blocking_pipe_does_not_hang(void **state)
{
	say_until_stuck(ends[1]);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_true(drain() > 4096);
	say_raw(ends[1], chunk, 1);
}

/* As it is behind a connection that has stalled. */
static void full_terminal_does_not_hang(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal;

	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
	assert_true(terminal >= 0);
	say_until_stuck(terminal);
	(void)close(terminal);
	(void)close(master);
	say_raw(ends[1], chunk, 1);
}

/* ^S, by the terminal's own call. */
static void stopped_terminal_does_not_hang(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal;
	ssize_t len, n;
	char got[64];

	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
	assert_true(terminal >= 0);
	assert_int_equal(tcflow(terminal, TCOOFF), 0);
	say_until_stuck(terminal);
	assert_int_equal(tcflow(terminal, TCOON), 0);
	real_poll = true;
	say_raw(terminal, "one\ntwo\n", 8);
	real_poll = false;
	for (len = 0; len < 10; len += n) { /* what went in comes out a little later, in pieces */
		n = read(master, got + len, sizeof(got) - (size_t)len);
		assert_true(n > 0);
	}
	assert_int_equal(len, 10);
	assert_memory_equal(got, "one\r\ntwo\r\n", 10);
	(void)close(terminal);
	(void)close(master);
	say_raw(ends[1], chunk, 1);
}

static void dead_descriptors(void **state)
{
	(void)close(ends[0]);
	say_raw(ends[1], chunk, sizeof(chunk));
	say_raw(-1, chunk, sizeof(chunk));
	say_raw(1000, chunk, sizeof(chunk));
	assert_int_equal(polls, 0);
}

static void lines(void **state)
{
	char *text;

	capture_start(STDOUT_FILENO);
	say("%s: %d eraseblocks", "rootfs", 7);
	assert_string_equal(say_last(), "rootfs: 7 eraseblocks");
	say("%s", "");
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(text, "flashinit: rootfs: 7 eraseblocks\nflashinit: \n");
	free(text);
	capture_start(STDERR_FILENO);
	say_error("oh");
	assert_string_equal(say_last(), "oh");
	text = capture_end(STDERR_FILENO);
	assert_string_equal(text, "flashinit: oh\n");
	free(text);
}

static void long_lines_still_end(void **state)
{
	char *text;

	capture_start(STDOUT_FILENO);
	say("%01000d", 1);
	assert_int_equal(strlen(say_last()), 191);
	text = capture_end(STDOUT_FILENO);
	assert_true(strlen(text) > 400 && strlen(text) < 520);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
}

static void faults(void **state)
{
	struct fault f;
	char *text;
	int code;

	(void)fault_set(&f, FAULT_BUSY, "100%% of %%s");
	capture_start(STDERR_FILENO);
	code = say_fault(&f);
	text = capture_end(STDERR_FILENO);
	assert_int_equal(code, 6);
	assert_string_equal(text, "flashinit: 100% of %s\n");
	free(text);
}

static bool same_file(int fd, const char *path)
{
	struct stat one, two;

	return fstat(fd, &one) == 0 && stat(path, &two) == 0 && one.st_rdev == two.st_rdev &&
	       S_ISCHR(one.st_mode);
}

/* Runs in a child, which has its descriptors for itself. Returns its exit code. */
static int in_child(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(what());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int with_closed_descriptors(void)
{
	for (int fd = 0; fd < 256; fd++)
		(void)close(fd);
	say_somewhere();
	for (int fd = 0; fd <= 2; fd++)
		if (!same_file(fd, "/dev/null"))
			return 1;
	return fcntl(3, F_GETFD) < 0 ? 0 : 2;
}

/* Whoever opens a file then must not get the number that lines are written to. */
static void standard_descriptors(void **state)
{
	assert_int_equal(in_child(with_closed_descriptors), 0);
}

/* The last test: there is no way back from it. */
static void to_the_kernel_log(void **state)
{
	size_t len;
	char *text;

	say_to_kernel_log();
	say_to_kernel_log();
	assert_int_equal(kernel_log_opens, 1);
	capture_start(STDOUT_FILENO);
	say("hello");
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(text, "flashinit: hello\n");
	free(text);
	text = (char *)read_file(temp_path("kmsg"), &len);
	assert_string_equal(text, "<5>flashinit: hello\n");
	free(text);
}

#define pipe_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		pipe_test(writes_all),
		pipe_test(full_pipe_does_not_hang),
		pipe_test(full_blocking_pipe_does_not_hang),
		pipe_test(full_terminal_does_not_hang),
		pipe_test(stopped_terminal_does_not_hang),
		pipe_test(dead_descriptors),
		file_test(lines),
		file_test(long_lines_still_end),
		file_test(faults),
		cmocka_unit_test(standard_descriptors),
		file_test(to_the_kernel_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
