// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * plaininit: a PID 1 that is not BusyBox. It runs /etc/rc, then a shell on the console, again and
 * again, and knows no inittab and no signals. As "busy" it has a child do that, and computes.
 */

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *program, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		execl(program, name, (char *)NULL);
		_exit(127);
	}
	while (wait(NULL) != pid)
		;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "busy") == 0 && fork() != 0)
		for (volatile unsigned int i = 0;; i++)
			;
	run("/etc/rc", "rc");
	for (;;)
		run("/bin/sh", "-sh");
}
