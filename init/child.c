// SPDX-License-Identifier: GPL-2.0-or-later
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "say.h"
#include "watchdog.h"

enum {
	KILL_MS = 5000, /* for a killed child to go; it may sit in the kernel for good */
	UNKILLABLE_MS = 60000,
	MORE_MAX_MS = 7200000, /* what a child may ask for: a worn chip of NOR is erased in it */
	MOMENT_MS = 900,       /* less than a second, for struct timespec */
	LOOK_MS = 200,         /* between two looks at a child that says nothing */
};

struct watched {
	const char *name;
	pid_t pid;
	int reports;
	bool ended;
	int status;
	bool said_why;
	char last[256]; /* what it said it would do next */
};

/* Nobody is left who could have a reason to stop it, or who would let it go on. */
static void resume(const struct watched *c, int signal)
{
	say("%s was stopped by signal %d; it goes on", c->name, signal);
	(void)kill(c->pid, SIGCONT); /* if it has gone meanwhile, so be it */
}

static void reap(struct watched *c)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != c->pid)
			continue;
		if (WIFSTOPPED(status)) {
			resume(c, WSTOPSIG(status));
			continue;
		}
		c->ended = true;
		c->status = status;
	}
}

/* Blocked SIGCHLD is waited for; other deaths wake us, too. */
static void wait_for_end(struct watched *c, unsigned int patience_ms, bool feed)
{
	uint64_t end = clock_ms() + patience_ms;
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	for (reap(c); !c->ended && clock_ms() < end; reap(c)) {
		unsigned int ms = feed ? watchdog_feed() : MOMENT_MS;
		const struct timespec moment = {
			.tv_nsec = (ms < MOMENT_MS ? ms : MOMENT_MS) * 1000000L,
		};

		(void)sigtimedwait(&child, NULL, &moment);
	}
}

static void child_main(const struct child_work *w, int reports)
{
	struct report r;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever waits for it is killed: so is it */
	watchdog_forget();
	memset(&r, 0, sizeof(r));
	if (w->run(w->ctx, reports, &r.fault) == 0)
		_exit(0);
	r.kind = REPORT_FAULT;
	(void)report_send(reports, &r); /* if not even this works, the exit status says it */
	_exit(1);
}

static void take_report(const struct child_work *w, struct watched *c, struct report *r,
			struct fault *f)
{
	r->text[sizeof(r->text) - 1] = '\0'; /* a child gone mad must not take us along */
	r->fault.text[sizeof(r->fault.text) - 1] = '\0';
	if (r->kind == REPORT_FAULT) {
		*f = r->fault;
		if (f->kind < FAULT_FAILED || f->kind > FAULT_BUSY)
			f->kind = FAULT_FAILED;
		c->said_why = true;
		return;
	}
	if (r->kind == REPORT_ALIVE)
		(void)snprintf(c->last, sizeof(c->last), "%.255s", r->text);
	if (w->on_report)
		w->on_report(w->report_ctx, r);
}

/*
 * Takes reports until the child closes its end of the pipe, or has ended; a child of its own may keep
 * that open. False: it stalled.
 */
static bool listen_to(const struct child_work *w, struct watched *c, struct fault *f)
{
	struct pollfd p = { .fd = c->reports, .events = POLLIN };
	uint64_t end = clock_ms() + w->stall_ms;
	struct report r;

	for (;;) {
		bool ended = c->ended; /* before it was asked for reports: there are no more */
		int ready = watchdog_poll(&p, 1, LOOK_MS);

		reap(c);
		if (ready > 0) {
			if (read(c->reports, &r, sizeof(r)) != (ssize_t)sizeof(r))
				return true;
			take_report(w, c, &r, f);
			end = clock_ms() + w->stall_ms;
			if (r.kind == REPORT_ALIVE)
				end += r.done < MORE_MAX_MS ? r.done : MORE_MAX_MS;
		} else if (ended) {
			return true;
		} else if (clock_ms() >= end) {
			return false;
		}
	}
}

static enum child_end judge(const struct child_work *w, const struct watched *c, struct fault *f)
{
	if (c->ended && WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0)
		return CHILD_SUCCEEDED;
	if (c->said_why)
		return CHILD_FAILED;
	if (c->ended && WIFSIGNALED(c->status))
		(void)fault_set(f, FAULT_FAILED, "%s was killed by signal %d (last: %s)", w->name,
				WTERMSIG(c->status), c->last);
	else
		(void)fault_set(f, FAULT_FAILED, "%s ended without a word (last: %s)", w->name,
				c->last);
	return CHILD_CRASHED;
}

/*
 * What it said before it was killed counts: that it had begun to change flash, above all. A child of
 * its own may hang in the kernel and keep the pipe open: nobody waits for that.
 */
static void take_the_rest(const struct child_work *w, struct watched *c, struct fault *f)
{
	struct report r;

	(void)fcntl(c->reports, F_SETFL, O_RDONLY | O_NONBLOCK);
	while (read(c->reports, &r, sizeof(r)) == (ssize_t)sizeof(r))
		take_report(w, c, &r, f);
}

static enum child_end watch(const struct child_work *w, struct watched *c, struct fault *f)
{
	bool listened = listen_to(w, c, f);

	if (listened)
		wait_for_end(c, KILL_MS, true);
	if (listened && c->ended)
		return judge(w, c, f);
	(void)kill(c->pid, SIGKILL);
	wait_for_end(c, KILL_MS, true);
	while (w->alone && !c->ended) {
		say("%s hangs in the kernel and cannot be killed (last: %s); waiting for it%s",
		    w->name, c->last, watchdog_any() ? ", or for the watchdog's reset" : "");
		wait_for_end(c, UNKILLABLE_MS, false);
	}
	if (c->ended)
		take_the_rest(w, c, f);
	if (c->said_why) /* and hung on its way out */
		return CHILD_FAILED;
	(void)fault_set(f, FAULT_FAILED, "%s gave no sign of life for %u s (last: %s)%s", w->name,
			w->stall_ms / 1000, c->last,
			c->ended ? "; it was killed" : " and cannot be killed");
	return CHILD_STALLED;
}

enum child_end child_run(const struct child_work *w, struct fault *f)
{
	struct watched c = { .name = w->name, .last = "starting" };
	enum child_end end;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)fault_errno(f, FAULT_FAILED, "%s: cannot make a pipe", w->name);
		return CHILD_CRASHED;
	}
	c.pid = fork();
	if (c.pid == 0) {
		(void)close(ends[0]);
		child_main(w, ends[1]);
	}
	(void)close(ends[1]);
	c.reports = ends[0];
	if (c.pid < 0) {
		(void)fault_errno(f, FAULT_FAILED, "%s: cannot fork", w->name);
		end = CHILD_CRASHED;
	} else {
		end = watch(w, &c, f);
	}
	(void)close(ends[0]);
	return end;
}
