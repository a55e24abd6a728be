// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * oldinit: a PID 1 that takes its signals as BusyBox did before 1.14. All work is done in the
 * handlers: HUP's rereads the inittab, QUIT's ends everybody and execs the restart entry, and may
 * interrupt HUP's anywhere. It knows sysinit, respawn and restart entries without a terminal.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ENTRIES 16

/* What tells BusyBox by. */
__attribute__((used)) static const char banner[] = "BusyBox v1.13.0 (stand-in)";

struct entry {
	char action[16], command[256];
	pid_t pid;
};

static struct entry entries[MAX_ENTRIES];

static void read_inittab(void)
{
	FILE *file = fopen("/etc/inittab", "r");
	struct entry new[MAX_ENTRIES], *e = new;
	char line[320];

	if (!file)
		return;
	memset(new, 0, sizeof(new));
	while (e < new + MAX_ENTRIES && fgets(line, sizeof(line), file))
		if (sscanf(line, "::%15[a-z]:%255[^\n]", e->action, e->command) == 2) {
			for (int i = 0; i < MAX_ENTRIES; i++)
				if (strcmp(entries[i].command, e->command) == 0)
					e->pid = entries[i].pid;
			e++;
		}
	fclose(file);
	memcpy(entries, new, sizeof(entries));
}

static void become(const char *command)
{
	char text[256], *words[32] = { NULL }, *rest = text;

	if (strpbrk(command, "'\"$;&|<>"))
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	strcpy(text, command);
	for (int i = 0; i < 31 && (words[i] = strsep(&rest, " ")); i++)
		;
	execv(words[0] + (words[0][0] == '-'), words);
}

static pid_t run(const char *command)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid)
		return pid;
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	ioctl(0, TIOCSCTTY, 0);
	become(command);
	_exit(127);
}

static void on_hup(int sig)
{
	(void)sig;
	read_inittab();
}

static void on_quit(int sig)
{
	sigset_t all;

	(void)sig;
	for (int i = 0; i < MAX_ENTRIES; i++) {
		if (strcmp(entries[i].action, "restart") != 0)
			continue;
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		reboot(RB_ENABLE_CAD);
		kill(-1, SIGTERM);
		sync();
		sleep(1);
		kill(-1, SIGKILL);
		sync();
		sleep(1);
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		become(entries[i].command);
		reboot(RB_HALT_SYSTEM);
	}
}

/* The handlers may interrupt each other, and calls go on after them. */
static void handle(int sig, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(sig, &action, NULL);
}

int main(int argc, char **argv)
{
	(void)argc;
	strncpy(argv[0], "init", strlen(argv[0]));
	reboot(RB_DISABLE_CAD);
	handle(SIGQUIT, on_quit);
	read_inittab();
	for (int i = 0; i < MAX_ENTRIES; i++)
		if (strcmp(entries[i].action, "sysinit") == 0)
			waitpid(run(entries[i].command), NULL, 0);
	handle(SIGHUP, on_hup);
	for (;;) {
		pid_t gone;

		for (int i = 0; i < MAX_ENTRIES; i++)
			if (strcmp(entries[i].action, "respawn") == 0 && !entries[i].pid)
				entries[i].pid = run(entries[i].command);
		sleep(1);
		gone = wait(NULL);
		for (int i = 0; i < MAX_ENTRIES; i++)
			if (entries[i].pid == gone)
				entries[i].pid = 0;
	}
}
