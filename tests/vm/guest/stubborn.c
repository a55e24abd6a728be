// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stubborn: a PID 1 that no exec succeeds in (Landlock), and that ends, which is a panic, when its wait for
 * children is interrupted or fails, or if what is below its stack has changed behind one. Another process, which
 * is not bound by that, runs /etc/rc and a shell on the console, again and again.
 *
 * As "tracer" it traces PID 1, says so, and sleeps; as "powerless" it runs a command without CAP_SYS_PTRACE.
 */

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BELOW = 4096,
	OWN = 512,
	PATTERN = 0x5a
}; /* bytes below the stack; the uppermost are libc's */

static uintptr_t below;

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

static int refuse_exec(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	return rules < 0 ? -1 : (int)syscall(SYS_landlock_restrict_self, rules, 0);
}

__attribute__((noinline)) static void fill_below(void)
{
	volatile char area[BELOW];

	for (int i = 0; i < BELOW; i++)
		area[i] = PATTERN;
	below = (uintptr_t)area;
}

static int is_as_before(void)
{
	const volatile char *area = (const volatile char *)below;

	for (int i = 0; i < BELOW - OWN; i++)
		if (area[i] != PATTERN)
			return 0;
	return 1;
}

static int be_init(void)
{
	if (fork() == 0) {
		run("/etc/rc", "rc");
		for (;;)
			run("/bin/sh", "-sh");
	}
	if (refuse_exec() < 0)
		return 1;
	fill_below();
	while (wait(NULL) > 0 && is_as_before())
		;
	return 1;
}

static int trace(void)
{
	if (ptrace(PTRACE_SEIZE, 1, NULL, NULL) < 0)
		return 1;
	puts("traced");
	fflush(stdout);
	for (;;)
		pause();
}

static int drop_power(char **command)
{
	prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE);
	execvp(command[0], command);
	return 127;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "tracer") == 0)
		return trace();
	if (argc > 2 && strcmp(argv[1], "powerless") == 0)
		return drop_power(argv + 2);
	return be_init();
}
