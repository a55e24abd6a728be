// SPDX-License-Identifier: GPL-2.0-or-later
#include "feeder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What is sent to the terminal's processes must not end it while its parent goes on writing flash.
 * That the parent has gone, it learns from the pipe.
 */
static void feed(struct raw_image *raw, int to, int faults) __attribute__((noreturn));
static void feed(struct raw_image *raw, int to, int faults)
{
	struct fault f;
	sigset_t most;
	ssize_t n;

	memset(&f, 0, sizeof(f)); /* all of it goes through the pipe */
	(void)sigfillset(&most);
	(void)sigprocmask(SIG_SETMASK, &most, NULL);
	if (raw_write_chunks(raw, to, NULL, &f) == 0)
		_exit(0);
	n = write(faults, &f, sizeof(f));
	_exit(n == (ssize_t)sizeof(f) ? 1 : 2);
}

/* It has closed the stream: if it did not end by itself it is about to. */
static int wait_for_end(struct feeder *fd)
{
	struct fault *f = &fd->fault;
	int status = 0;
	pid_t pid;
	ssize_t n;

	do
		n = read(fd->faults, f, sizeof(*f));
	while (n < 0 && errno == EINTR);
	do
		pid = waitpid(fd->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	fd->pid = 0;
	if (n == (ssize_t)sizeof(*f))
		return -1;
	if (pid > 0 && status == 0)
		return 0;
	return fault_set(f, FAULT_FAILED,
			 "the process that reads the plain images was ended (status %#x)",
			 (unsigned int)status);
}

/* Bytes that came and fitted prove nothing about what the child found behind them. */
static int verdict(void *ctx, struct fault *f)
{
	struct feeder *fd = ctx;

	if (!fd->ended)
		fd->failed = wait_for_end(fd) < 0;
	fd->ended = true;
	if (fd->failed)
		*f = fd->fault;
	return fd->failed ? -1 : 0;
}

static void close_both(const int *ends)
{
	(void)close(ends[0]); /* a pipe: nothing can be lost that somebody waits for */
	(void)close(ends[1]);
}

static int make_pipes(int *data, int *faults, struct fault *f)
{
	bool made = pipe2(data, O_CLOEXEC) == 0;

	if (made && pipe2(faults, O_CLOEXEC) == 0)
		return 0;
	(void)fault_errno(f, FAULT_FAILED, "cannot make a pipe");
	if (made)
		close_both(data);
	return -1;
}

int feeder_start(struct feeder *fd, struct raw_image *raw, struct fault *f)
{
	int data[2], faults[2];

	feeder_stop(fd);
	if (make_pipes(data, faults, f) < 0)
		return -1;
	fd->pid = fork();
	if (fd->pid == 0) {
		(void)close(data[0]);
		(void)close(faults[0]);
		feed(raw, data[1], faults[1]);
	}
	if (fd->pid < 0) {
		fd->pid = 0;
		(void)fault_errno(f, FAULT_FAILED, "cannot fork");
		close_both(data);
		close_both(faults);
		return -1;
	}
	(void)close(data[1]);
	(void)close(faults[1]);
	fd->ended = false;
	fd->faults = faults[0];
	fd->source = (struct source){
		.fd = data[0], .name = "the plain images", .verdict = verdict, .ctx = fd
	};
	return 0;
}

/* Two children would share the files' positions: the one before must be gone. */
void feeder_stop(struct feeder *fd)
{
	if (!fd->pid && !fd->ended)
		return;
	source_close(&fd->source);
	(void)close(fd->faults); /* read-only */
	fd->ended = false;
	if (!fd->pid)
		return;
	(void)kill(fd->pid, SIGKILL);
	while (waitpid(fd->pid, NULL, 0) < 0 && errno == EINTR)
		;
	fd->pid = 0;
}
