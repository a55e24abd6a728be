// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls COMMAND: runs it with sh -c, and prints a line for each process that it started, when all have ended:
 *
 *	process: NAME CALLS PEAK
 *
 * CALLS are the system calls that it made, with all its threads, and PEAK is its largest resident set in KiB. It is
 * traced, so nobody should take its time meanwhile. The exit code is the command's.
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TASKS_MAX = 256,
	OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		  PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT,
};

static struct task {
	pid_t tid, process;
	bool inside; /* a system call */
	long calls, peak;
	char name[32];
} tasks[TASKS_MAX];
static int task_count;

static struct task *task_of(pid_t tid)
{
	for (int i = 0; i < task_count; i++)
		if (tasks[i].tid == tid)
			return &tasks[i];
	if (task_count == TASKS_MAX) {
		(void)fprintf(stderr, "calls: more than %d tasks\n", TASKS_MAX);
		exit(125);
	}
	tasks[task_count].tid = tid;
	return &tasks[task_count++];
}

/* It is about to end, and still has a name. */
static void look(struct task *t)
{
	char path[32], line[128];
	int pid = t->tid;
	FILE *status;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", t->tid);
	status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status)) {
		(void)sscanf(line, "Name: %31s", t->name);
		(void)sscanf(line, "Tgid: %d", &pid);
	}
	if (status)
		(void)fclose(status);
	t->process = pid;
}

/* What the task is to be told when it goes on: a signal that was meant for it, or none. */
static int stopped(struct task *t, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (sig == (SIGTRAP | 0x80)) {
		t->inside = !t->inside;
		t->calls += t->inside;
		return 0;
	}
	if (event == PTRACE_EVENT_EXIT)
		look(t);
	if (event || sig == SIGSTOP) /* the latter is what a new task begins with */
		return 0;
	return sig;
}

static void print(void)
{
	for (int i = 0; i < task_count; i++) {
		struct task *t = &tasks[i];

		if (t->process != t->tid)
			continue;
		for (int k = 0; k < task_count; k++)
			if (k != i && tasks[k].process == t->tid)
				t->calls += tasks[k].calls;
		(void)printf("process: %s %ld %ld\n", t->name, t->calls, t->peak);
	}
}

static int trace(pid_t command)
{
	struct rusage use;
	int status, code = 125;
	pid_t tid;

	while ((tid = wait4(-1, &status, __WALL, &use)) > 0 || errno == EINTR) {
		if (tid < 0)
			continue;
		if (WIFSTOPPED(status))
			(void)ptrace(PTRACE_SYSCALL, tid, NULL, stopped(task_of(tid), status));
		else
			task_of(tid)->peak =
				use.ru_maxrss; /* or the forked shell's before its exec */
		if (!WIFSTOPPED(status) && tid == command)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return code;
}

int main(int argc, char **argv)
{
	int status, code;
	pid_t command;

	if (argc != 2)
		return 125;
	command = fork();
	if (command == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		execl("/bin/sh", "sh", "-c", argv[1], (char *)NULL);
		_exit(127);
	}
	if (command < 0 || waitpid(command, &status, __WALL) != command ||
	    ptrace(PTRACE_SETOPTIONS, command, NULL, OPTIONS) < 0)
		return 125;
	(void)task_of(command);
	(void)ptrace(PTRACE_SYSCALL, command, NULL, NULL);
	code = trace(command);
	print();
	return code;
}
