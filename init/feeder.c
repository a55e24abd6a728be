// SPDX-License-Identifier: GPL-2.0-or-later
#include "feeder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

/*
 * What is sent to the terminal's processes must not end it while its parent goes on writing flash.
 * That the parent has gone, it learns from the pipe.
 */
static void feed(struct raw_image *raw, int to) __attribute__((noreturn));
static void feed(struct raw_image *raw, int to)
{
	struct fault f;
	sigset_t most;

	(void)sigfillset(&most);
	(void)sigprocmask(SIG_SETMASK, &most, NULL);
	if (raw_write_chunks(raw, to, NULL, &f) == 0)
		_exit(0);
	if (f.err != EPIPE)
		(void)say_fault(&f);
	_exit(1);
}

int feeder_start(struct feeder *fd, struct raw_image *raw, struct fault *f)
{
	int ends[2];

	feeder_stop(fd);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, FAULT_FAILED, "cannot make a pipe");
	fd->pid = fork();
	if (fd->pid == 0) {
		(void)close(ends[0]);
		feed(raw, ends[1]);
	}
	(void)close(ends[1]);
	fd->source = (struct source){ .fd = ends[0], .name = "the plain images" };
	if (fd->pid > 0)
		return 0;
	fd->pid = 0;
	(void)fault_errno(f, FAULT_FAILED, "cannot fork");
	(void)close(ends[0]);
	return -1;
}

/* Two children would share the files' positions: the one before must be gone. */
void feeder_stop(struct feeder *fd)
{
	if (!fd->pid)
		return;
	source_close(&fd->source);
	(void)kill(fd->pid, SIGKILL);
	while (waitpid(fd->pid, NULL, 0) < 0 && errno == EINTR)
		;
	fd->pid = 0;
}
