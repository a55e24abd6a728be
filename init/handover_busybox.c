// SPDX-License-Identifier: GPL-2.0-or-later
/* The hand-over by BusyBox init, which execs its restart entry on QUIT. */
#include "handover.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "busybox.h"
#include "clock.h"
#include "outcome.h"
#include "say.h"
#include "watchdog.h"

enum {
	REREAD_MS = 10000, /* for init to take a signal; it may be waiting for a sysinit action */
	GO_MS = 120000,    /* for its shutdown actions, and the second it gives everybody to end */
	SIGNAL_MS = 1000,  /* between two signals of a kind */
	LOOK_MS = 50,
	HELD_UP_MS = 1000, /* by its own pause, before it takes the signal */
	AGAIN_MS = 200,
};

static int fits(struct finding *found, struct fault *f)
{
	char version[32];

	if (busybox_is_init("/proc/1", version, sizeof(version), f) < 0)
		return -1;
	finding_say(found, "PID 1 is BusyBox %s", version);
	return 0;
}

/* Whether init has read the inittab: told by inotify or, where there is none, by the access time. */
struct witness {
	const char *inittab;
	int watch;
	struct stat before;
};

static int witness_init(struct witness *w, const char *inittab, struct fault *f)
{
	w->inittab = inittab;
	if (stat(inittab, &w->before) < 0)
		return fault_errno(f, FAULT_FAILED, "%s in the RAM root", inittab);
	w->watch = inotify_init1(IN_CLOEXEC);
	if (w->watch >= 0 && inotify_add_watch(w->watch, inittab, IN_CLOSE_NOWRITE) < 0) {
		(void)close(w->watch);
		w->watch = -1;
	}
	return 0;
}

static bool witness_waits(const struct witness *w)
{
	struct pollfd p = { .fd = w->watch, .events = POLLIN };
	struct stat now;

	if (poll(&p, 1, LOOK_MS) == 1) /* without a watch, fd is -1 and this only waits */
		return true;
	return w->watch < 0 && stat(w->inittab, &now) == 0 &&
	       (now.st_atim.tv_sec != w->before.st_atim.tv_sec ||
		now.st_atim.tv_nsec != w->before.st_atim.tv_nsec);
}

/*
 * Sends HUP until somebody has read the new inittab to its end: init, since nobody else has a reason
 * to. QUIT after that finds our restart entry: init takes one signal after the other (by sigtimedwait since 1.32;
 * before, a handler noted the latest one, and a signal could get lost: hence again and again; before 1.14 the
 * handler itself read it, and may be interrupted by QUIT's once it has).
 */
static int have_inittab_reread(int (*keep_going)(void), struct fault *f)
{
	uint64_t end = clock_ms() + REREAD_MS, again = 0;
	struct witness w;
	bool seen = false;

	if (witness_init(&w, "/etc/inittab", f) < 0)
		return -1;
	while (!seen && clock_ms() < end && keep_going()) {
		if (clock_ms() >= again) {
			(void)kill(1, SIGHUP); /* we are root, and there is a PID 1 */
			again = clock_ms() + SIGNAL_MS;
		}
		seen = witness_waits(&w);
	}
	if (w.watch >= 0)
		(void)close(w.watch);
	if (seen)
		return 0;
	return fault_set(
		f, FAULT_UNFIT,
		"init has not reread its inittab within %d s: is it still busy starting up?",
		REREAD_MS / 1000);
}

/*
 * An init that knows no inittab will restart as "init", which is us in the RAM root. It takes QUIT
 * when it waits for signals; whether it does is seen from one that does nothing.
 */
static int have_signal_taken(int (*keep_going)(void), struct fault *f)
{
	uint64_t end = clock_ms() + REREAD_MS;

	(void)kill(1, SIGCHLD);
	while (clock_ms() < end && keep_going()) {
		if (busybox_took_signal("/proc/1"))
			return 0;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return fault_set(f, FAULT_UNFIT,
			 "init has not taken a signal within %d s: is it still busy starting up?",
			 REREAD_MS / 1000);
}

static int prepare(int (*keep_going)(void), struct fault *f)
{
	bool inittab;

	if (busybox_reads_inittab("/proc/1/exe", &inittab, f) < 0)
		return -1;
	return inittab ? have_inittab_reread(keep_going, f) : have_signal_taken(keep_going, f);
}

/*
 * A console that flow control has stopped, or that nobody empties, holds init up at the very words
 * that it says on its way out. What waits there is given up for that.
 */
static void free_console(void)
{
	struct pollfd p = { .events = POLLOUT };

	p.fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (p.fd < 0)
		return; /* then init has none either */
	if (poll(&p, 1, 0) == 0) {
		(void)tcflow(p.fd, TCOON); /* what a driver does not know it does not need */
		(void)tcflush(p.fd, TCOFLUSH);
	}
	(void)close(p.fd);
}

/*
 * "umount -a -r" among init's shutdown actions, where BusyBox finds it in itself, would take the file
 * systems away that have moved along, or make them read-only: not while they are in use. These are
 * closed when we end, and no sooner.
 */
static void hold_mounts(void)
{
	(void)open(RAMROOT_IMAGE, O_RDONLY | O_CLOEXEC); /* either may be missing */
	(void)open(OUTCOME_KEPT, O_WRONLY | O_APPEND | O_CLOEXEC);
}

/*
 * From here on nothing can be undone: init stops everything by a TERM, and a second later by a KILL.
 * That ends us, too. Until then nothing may hold init up; and the feeders of watchdogs that the TERM
 * ends are missed from then on.
 */
static int trigger(bool *told, struct fault *f)
{
	const struct timespec look = { .tv_nsec = AGAIN_MS * 1000000L };
	uint64_t start = clock_ms(), again = start;
	bool ending = false;
	sigset_t term;

	*told = true;
	hold_mounts();
	say_to_kernel_log();
	say("init is ready, and is told to restart");
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	while (clock_ms() < start + GO_MS) {
		if (clock_ms() >= again) {
			(void)kill(1, SIGQUIT);
			again = clock_ms() + SIGNAL_MS;
		}
		if (ending)
			(void)watchdog_poll(NULL, 0, AGAIN_MS);
		else
			ending = sigtimedwait(&term, NULL, &look) == SIGTERM;
		if (clock_ms() >= start + HELD_UP_MS)
			free_console();
	}
	return fault_set(
		f, FAULT_FAILED,
		"init was told to restart %d s ago and has not; the root is in RAM: reboot",
		GO_MS / 1000);
}

/* Init may still come to read ours: let it read its own again. */
static void undo(void)
{
	(void)kill(1, SIGHUP); /* we are root, and there is a PID 1 */
}

const struct handover handover_busybox = {
	.name = "busybox",
	.fits = fits,
	.prepare = prepare,
	.trigger = trigger,
	.undo = undo,
};
