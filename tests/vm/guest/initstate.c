// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * initstate: an init= that tells in what state it was started, and then becomes /sbin/init.
 *
 * It prints files of /proc/self between "<state" and "state>", and leaves nothing mounted. As "timedguard"
 * and "timeddirect" it tells only when it was started, and becomes flashinit or initstate.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Prints a file, zeros as blanks; only the lines that start with only, if that is not NULL. */
static void show(const char *path, const char *only)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	close(fd);
	for (ssize_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
	text[len > 0 ? len : 0] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!only || strncmp(line, only, strlen(only)) == 0)
			printf("%s: %s\n", path, line);
}

static void show_link(const char *path)
{
	char to[256];
	ssize_t len = readlink(path, to, sizeof(to) - 1);

	to[len > 0 ? len : 0] = '\0';
	printf("%s -> %s\n", path, to);
}

static void show_fds(void)
{
	char path[300];

	for (int fd = 0; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		printf("fd %d: flags %o, close-on-exec %d\n", fd, fcntl(fd, F_GETFL) & ~O_LARGEFILE,
		       fcntl(fd, F_GETFD));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		show_link(path);
	}
}

static void show_process(void)
{
	int child = waitpid(-1, NULL, WNOHANG), err = child < 0 ? errno : 0;

	printf("child %d (%s)\n", child, strerror(err));
	printf("session %d, group %d, nice %d\n", getsid(0), getpgrp(),
	       getpriority(PRIO_PROCESS, 0));
	printf("death signal %d, dumpable %d, subreaper %d, slack %d\n",
	       prctl(PR_GET_PDEATHSIG, &child) < 0 ? -1 : child, prctl(PR_GET_DUMPABLE),
	       prctl(PR_GET_CHILD_SUBREAPER, &child) < 0 ? -1 : child, prctl(PR_GET_TIMERSLACK));
}

int main(int argc, char **argv)
{
	static const char *const lines[] = { "Sig",     "Shd",        "Umask",     "Threads", "Cap",
					     "Seccomp", "NoNewPrivs", "TracerPid", "VmLck" };
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	printf("started %ld us after the kernel\n", now.tv_sec * 1000000 + now.tv_nsec / 1000);
	fflush(stdout);
	if (strcmp(argv[0], "/usr/bin/timedguard") == 0)
		execl("/sbin/flashinit", "/sbin/flashinit", (char *)NULL);
	if (strcmp(argv[0], "/usr/bin/timeddirect") == 0)
		execl("/usr/bin/initstate", "/usr/bin/initstate", (char *)NULL);
	printf("<state\n");
	for (int i = 0; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	mount("proc", "/proc", "proc", 0, NULL);
	show("/proc/self/environ", NULL);
	show("/proc/self/mountinfo", NULL);
	show("/proc/self/limits", NULL);
	show("/proc/self/oom_score_adj", NULL);
	show("/proc/sys/kernel/ctrl-alt-del", NULL);
	show("/proc/swaps", NULL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		show("/proc/self/status", lines[i]);
	show_link("/proc/self/cwd");
	show_link("/proc/self/root");
	show_link("/proc/self/ns/mnt");
	show("/proc/self/coredump_filter", NULL);
	show_fds();
	show_process();
	show("/proc/sys/kernel/random/boot_id", NULL);
	umount("/proc");
	printf("state>\n");
	fflush(stdout);
	execl("/sbin/init", "/sbin/init", (char *)NULL);
	return 1;
}
