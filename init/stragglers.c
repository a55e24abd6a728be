// SPDX-License-Identifier: GPL-2.0-or-later
#include "stragglers.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "files.h"
#include "fuse.h"
#include "procs.h"
#include "say.h"
#include "watchdog.h"

enum {
	GRACE_MS = 1000,
	FROZEN_MS = 500, /* for a killed process to go that waits for nobody else */
	ABORT_MS = 5000,
	AGAIN_MS = 50,
};

struct tally {
	unsigned int count;
	bool name_them;
};

static void name_one(const struct process *p)
{
	char path[64], wchan[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/wchan", (int)p->pid);
	if (file_read_line(path, wchan, sizeof(wchan)) < 0)
		wchan[0] = '\0'; /* not every kernel tells */
	say("process %d (%s) will not die: state %c, in the kernel at %s", (int)p->pid, p->name,
	    p->state, wchan[0] && strcmp(wchan, "0") != 0 ? wchan : "an unknown place");
}

static void tally_thread(void *ctx, const struct process *thread)
{
	struct tally *t = ctx;

	if (thread->state == 'Z' || thread->state == 'X')
		return;
	t->count++;
	if (t->name_them)
		name_one(thread);
}

static void tally_one(void *ctx, const struct process *p)
{
	struct tally *t = ctx;

	/* PID 1 asks, or a child of it does. */
	if (p->kernel_thread || p->pid == 1 || p->pid == getpid())
		return;
	/* A process whose first thread has ended is a zombie by its looks, and may live. */
	if (threads_each("/proc", p, tally_thread, t) < 0)
		t->count++;
}

static unsigned int count_stragglers(bool name_them)
{
	struct tally t = { .name_them = name_them };

	/* Who cannot be listed may be there: it must not pass for nobody. */
	if (processes_each("/proc", tally_one, &t) < 0) {
		t.count++;
		if (name_them)
			say("cannot list the processes: %s", strerror(errno));
	}
	return t.count;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/*
 * Sends sig to everybody until nobody is left or the time is over. SIGCHLD is blocked and so can be
 * waited for: as PID 1 we become every orphan's parent, so each death ends the wait. The short
 * period is for those in another PID namespace, whose own init reaps them.
 */
static bool rid(int sig, unsigned int patience_ms)
{
	uint64_t end = clock_ms() + patience_ms;
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	for (;;) {
		const struct timespec again = { .tv_nsec = AGAIN_MS * 1000000L };

		(void)kill(-1, sig); /* every process but us; of kernel threads a few obey, too */
		reap();
		if (count_stragglers(false) == 0)
			return true;
		if (clock_ms() >= end)
			return false;
		(void)watchdog_feed();
		(void)sigtimedwait(&child, NULL, &again);
	}
}

static int run_abort(void *ctx, int reports, struct fault *f)
{
	(void)ctx;
	(void)reports;
	return fuse_abort("/sys/fs/fuse/connections", f);
}

static void abort_fuse(void)
{
	const struct child_work work = {
		.name = "the end of FUSE",
		.run = run_abort,
		.stall_ms = ABORT_MS,
	};
	struct fault f;

	if (child_run(&work, &f) != CHILD_SUCCEEDED)
		(void)say_fault(&f);
}

unsigned int stragglers_kill(unsigned int patience_ms)
{
	(void)rid(SIGTERM, GRACE_MS); /* a list can overlook somebody who forks: all get the KILL */
	if (rid(SIGKILL, FROZEN_MS))
		return 0;
	abort_fuse();
	return rid(SIGKILL, patience_ms) ? 0 : stragglers_name();
}

unsigned int stragglers_name(void)
{
	return count_stragglers(true);
}
