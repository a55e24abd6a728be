// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * measure COMMAND: runs it with sh -c, and prints one line when it and all that it started have ended:
 *
 *	measured: WALL USER SYSTEM
 *
 * The times are in microseconds, processor time being that of all its processes. The exit code is the command's.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(const struct timeval *t)
{
	return t->tv_sec * 1000000LL + t->tv_usec;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct rusage use;
	int status, code = 125;
	long long start;
	pid_t child, ended;

	if (argc != 2 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 125;
	start = now();
	child = fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", argv[1], (char *)NULL);
		_exit(127);
	}
	if (child < 0)
		return 125;
	while ((ended = wait(&status)) > 0 || errno == EINTR)
		if (ended == child)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	getrusage(RUSAGE_CHILDREN, &use);
	printf("measured: %lld %lld %lld\n", now() - start, microseconds(&use.ru_utime),
	       microseconds(&use.ru_stime));
	return code;
}
