// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hangup: run a command on a terminal that goes away, as SSH's does when the network breaks.
 *
 *	hangup TEXT COMMAND [ARGUMENT...]
 *
 * The command leads a session of its own on a new pseudo terminal. Its output is copied to stdout
 * until TEXT has appeared; then the terminal hangs up and hangup exits, while the command goes on.
 * Exit code 1 if the command ends before.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SEEN_SIZE 8192

static void die(const char *what)
{
	fprintf(stderr, "hangup: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* In the child: make the slave the controlling terminal and become the command. */
static void run_on_terminal(int master, char **command)
{
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);

	if (slave < 0)
		die("terminal");
	setsid();
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		die("controlling terminal");
	dup2(slave, 0);
	dup2(slave, 1);
	dup2(slave, 2);
	if (slave > 2)
		close(slave);
	close(master);
	execvp(command[0], command);
	die(command[0]);
}

/* Copy the terminal's output; true once the text was in it. A full buffer keeps its last half. */
static int copy_until(int master, const char *text)
{
	static char seen[SEEN_SIZE + 1];
	size_t have = 0;
	ssize_t got;

	while ((got = read(master, seen + have, SEEN_SIZE - have)) > 0) {
		if (write(1, seen + have, got) != got)
			return 0;
		have += got;
		if (memmem(seen, have, text, strlen(text)))
			return 1;
		if (have == SEEN_SIZE) {
			have = SEEN_SIZE / 2;
			memmove(seen, seen + SEEN_SIZE - have, have);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int master;

	if (argc < 3) {
		fputs("usage: hangup TEXT COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		die("pseudo terminal");
	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		run_on_terminal(master, argv + 2);
	}
	if (!copy_until(master, argv[1])) {
		fprintf(stderr, "hangup: the command ended before it said \"%s\"\n", argv[1]);
		return 1;
	}
	return 0;
}
