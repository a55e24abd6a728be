// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stubborn: a PID 1 that no exec succeeds in, and that ends, which is a panic, when its wait for children is
 * interrupted or fails. Another process, which is not bound by that, runs /etc/rc and a shell on the console,
 * again and again.
 *
 * As "tracer" it traces PID 1, says so, and sleeps; as "powerless" it runs a command without CAP_SYS_PTRACE.
 */

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

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
	struct sock_filter filter[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOEXEC),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
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
	while (wait(NULL) > 0)
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
