// SPDX-License-Identifier: GPL-2.0-or-later
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "pid1.h"
#include "ptrace_regs.h"
#include "say.h"

enum { LOOK_MS = 50 };

/* It has but a name, and stands for the others. */
const struct handover handover_auto = { .name = "auto", .only_if_asked = true };

static const struct handover *const methods[] = {
	&handover_auto,
	&handover_busybox,
	&handover_sysvinit,
	&handover_openrc,
	&handover_procd,
	&handover_systemd,
#ifndef REGS_UNKNOWN
	&handover_ptrace,
#define OR_PTRACE " or ptrace"
#else
#define OR_PTRACE " (ptrace: not on this CPU)"
#endif
	NULL,
};

int handover_take(const char *name, const struct handover **via, struct fault *f)
{
	for (size_t i = 0; methods[i]; i++) {
		*via = methods[i];
		if (strcmp(name, methods[i]->name) == 0)
			return 0;
	}
	return fault_set(
		f, FAULT_USAGE,
		"--via %s: must be auto, busybox, sysvinit, openrc, procd, systemd" OR_PTRACE,
		name);
}

static void name_method(struct finding *found, const struct handover *m)
{
	size_t len = strlen(found->text);

	(void)snprintf(found->text + len, sizeof(found->text) - len, ": via %s", m->name);
}

/* Where none fits, the first one, which most systems are meant for, says why. */
const struct handover *handover_choose(const struct handover *asked, struct finding *found,
				       struct fault *f)
{
	struct fault why;
	bool first = true;

	if (asked == &handover_auto)
		asked = NULL;
	for (size_t i = 0; methods[i]; i++) {
		const struct handover *m = methods[i];
		int result;

		if (asked ? m != asked : m->only_if_asked)
			continue;
		result = m->fits(found, &why);
		if (result == 0) {
			name_method(found, m);
			return m;
		}
		if (result > 0 || first)
			*f = why;
		if (result > 0)
			break;
		first = false;
	}
	return NULL;
}

bool handover_seen(unsigned int ms)
{
	uint64_t end = clock_ms() + ms;
	struct fault other;

	for (;;) {
		if (pid1_shares("/sbin/init", "/proc/1/exe", "program", &other) == 0)
			return true;
		if (clock_ms() >= end)
			return false;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

int handover_need(const char *client, struct fault *f)
{
	if (access(client, X_OK) == 0)
		return 0;
	(void)fault_errno(f, FAULT_UNFIT, "%s: needed to ask PID 1", client);
	return 1;
}

/* With all signals blocked, as they are here: a shutdown that it has asked for must not end it before it has said so. */
static void exec_client(const char *root, const char *const *words)
{
	if (chroot(root) == 0 && chdir("/") == 0 && close(STDOUT_FILENO) == 0 &&
	    open("/dev/null", O_RDWR) == STDOUT_FILENO)
		(void)execv(words[0], (char *const *)(uintptr_t)words);
	_exit(127);
}

bool handover_ask(const char *root, const char *const *words, unsigned int ms,
		  int (*keep_going)(void))
{
	uint64_t end = clock_ms() + ms;
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		exec_client(root, words);
	while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_ms() >= end || !keep_going()) {
			(void)kill(pid, SIGKILL);
			return false;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
	return status == 0;
}

static int pivot(const char *new_root, const char *put_old)
{
	int err;

	if (chdir(new_root) == 0 && syscall(SYS_pivot_root, ".", put_old) == 0)
		return 0; /* and in the new root's first folder */
	err = errno;
	(void)chdir("/"); /* or the RAM root could not be unmounted again */
	errno = err;
	return -1;
}

/* "/run/flashinit.root" is "run/flashinit.root" seen from the old root's own folder. */
static int pivot_back(const struct ramroot *r, struct fault *f)
{
	if (pivot(PLAN_OLD_ROOT, r->dir + 1) < 0)
		return fault_errno(f, FAULT_FAILED,
				   "cannot pivot back from %s to the old root: reboot now", r->dir);
	return 0;
}

static int take_over(const struct handover *via, int (*keep_going)(void), bool *told,
		     struct fault *f)
{
	int result = via->prepare(keep_going, f);

	if (!keep_going())
		return fault_set(f, FAULT_FAILED, "interrupted");
	return result < 0 ? -1 : via->trigger(told, f);
}

int handover(const struct handover *via, struct ramroot *r, int (*keep_going)(void), bool *told,
	     struct fault *f)
{
	struct fault second;

	*told = false;
	if (!via->place && pivot(r->dir, "oldroot") < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot make %s the root (pivot_root)", r->dir);
	(void)take_over(via, keep_going, told, f); /* returns if it has failed only */
	if (*told)
		return -1;
	if (!via->place && pivot_back(r, &second) < 0) {
		*told = true; /* what is below the RAM root must not be taken apart now */
		(void)say_fault(&second);
	} else {
		via->undo();
	}
	return -1;
}
