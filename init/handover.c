// SPDX-License-Identifier: GPL-2.0-or-later
#include "handover.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "say.h"

enum {
	REREAD_MS = 10000, /* for init to take a signal; it may be waiting for a sysinit action */
	GO_MS = 120000,    /* for its shutdown actions, and the second it gives everybody to end */
	AGAIN_MS = 20,
};

static int pivot(const char *new_root, const char *put_old)
{
	if (chdir(new_root) < 0 || syscall(SYS_pivot_root, ".", put_old) < 0)
		return -1;
	return chdir("/");
}

/* "/run/flashinit.root" is "run/flashinit.root" seen from the old root's own folder. */
static int pivot_back(const struct ramroot *r, struct fault *f)
{
	if (pivot(PLAN_OLD_ROOT, r->dir + 1) < 0)
		return fault_errno(f, FAULT_FAILED,
				   "cannot pivot back from %s to the old root; reboot", r->dir);
	return 0;
}

/* Where there is no inotify, the access time tells the same, with a short sleep between looks. */
static bool reread_by_atime(const char *inittab, const struct stat *before)
{
	uint64_t end = clock_ms() + REREAD_MS;
	struct stat now;

	while (clock_ms() < end) {
		if (stat(inittab, &now) == 0 && (now.st_atim.tv_sec != before->st_atim.tv_sec ||
						 now.st_atim.tv_nsec != before->st_atim.tv_nsec))
			return true;
		(void)poll(NULL, 0, AGAIN_MS);
	}
	return false;
}

/*
 * Sends HUP and waits until init has read the new inittab to its end: nobody else knows the file.
 * QUIT after that finds our restart entry: init takes one signal at a time (sigtimedwait, since
 * 1.30; before that handlers only note them), so it is through with HUP before it looks at QUIT.
 */
static int have_inittab_reread(struct fault *f)
{
	static const char inittab[] = "/etc/inittab";
	int watch = inotify_init1(IN_CLOEXEC);
	struct stat before;
	bool seen;

	if (stat(inittab, &before) < 0)
		return fault_errno(f, FAULT_FAILED, "%s in the RAM root", inittab);
	if (watch >= 0 && inotify_add_watch(watch, inittab, IN_CLOSE_NOWRITE) < 0) {
		(void)close(watch);
		watch = -1;
	}
	if (kill(1, SIGHUP) < 0)
		return fault_errno(f, FAULT_FAILED, "cannot signal PID 1");
	if (watch >= 0) {
		struct pollfd p = { .fd = watch, .events = POLLIN };

		seen = poll(&p, 1, REREAD_MS) == 1;
		(void)close(watch);
	} else {
		seen = reread_by_atime(inittab, &before);
	}
	if (!seen)
		return fault_set(f, FAULT_UNFIT,
				 "init has not reread its inittab within %d s: is it built without "
				 "inittab support, or still busy starting up?",
				 REREAD_MS / 1000);
	return 0;
}

/* From here on nothing can be undone: init stops everything, us too. */
static int tell_init_to_go(struct fault *f)
{
	if (kill(1, SIGQUIT) < 0)
		return fault_errno(f, FAULT_FAILED, "cannot signal PID 1");
	(void)poll(NULL, 0, GO_MS);
	return fault_set(f, FAULT_FAILED,
			 "init was told to restart %d s ago and still has not ended this process",
			 GO_MS / 1000);
}

int handover(struct ramroot *r, bool *gone, struct fault *f)
{
	struct fault second;

	*gone = false;
	if (pivot(r->dir, "oldroot") < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot make %s the root (pivot_root)", r->dir);
	if (have_inittab_reread(f) == 0) {
		*gone = true;
		return tell_init_to_go(f);
	}
	if (pivot_back(r, &second) < 0) {
		(void)say_fault(&second);
		return -1;
	}
	if (kill(1, SIGHUP) < 0) /* init may still come to read ours: let it read its own again */
		say_error("cannot signal PID 1 to reread its inittab");
	return -1;
}
