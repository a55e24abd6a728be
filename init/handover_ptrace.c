// SPDX-License-Identifier: GPL-2.0-or-later
/* The hand-over by nobody: PID 1, whatever it is, is stopped and made to call execve. */
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "pid1.h"
#include "procs.h"
#include "ptrace_regs.h"
#include "say.h"
#include "version_order.h"

#ifndef REGS_UNKNOWN

enum {
	STOP_MS = 10000, /* for PID 1 to be in a system call; it may be busy, or wait for a disk */
	EXEC_MS = 10000, /* its other threads have to end first, and may wait for something */
	LOOK_MS = 5,
	AT_CALL = SIGTRAP | 0x80, /* how a stop before or behind a call is told from others */
	BELOW_STACK =
		1024, /* bytes; the 128 just below belong to the function that runs, on x86_64 */
};

/* What execve wants to find. */
struct words {
	char path[16];
	uintptr_t argv[2];
};

/* PID 1's before its call, for the undoing. */
static reg_word before[REGS_COUNT];
static struct words below_stack;
static sigset_t held_back; /* signals that came meanwhile */
static bool stands;        /* at a stop that was seen */
static bool got_stop;      /* a SIGSTOP, which it would not have taken but for us */

/* In a child, whose end lets go of it: only who has stopped it can do that otherwise. */
static int try_to_trace(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(ptrace(PTRACE_SEIZE, 1, NULL, NULL) < 0 ? errno : 0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

#ifdef REGS_SINCE
static int check_kernel(struct fault *f)
{
	struct utsname name;

	if (uname(&name) < 0 || version_order(name.release, REGS_SINCE) >= 0)
		return 0;
	return fault_set(f, FAULT_UNFIT, "this is Linux %s, and --via ptrace needs " REGS_SINCE,
			 name.release);
}
#else
static int check_kernel(struct fault *f)
{
	(void)f;
	return 0;
}
#endif

static int fits(struct finding *found, struct fault *f)
{
	finding_say(found, "PID 1 can be traced");
	if (check_kernel(f) < 0)
		return -1;
	if (process_status("/proc/1", "Seccomp:", 0))
		return fault_set(f, FAULT_UNFIT,
				 "PID 1 is under a seccomp filter, which flashinit would inherit");
	errno = try_to_trace();
	if (errno == 0)
		return 0;
	return fault_errno(f, FAULT_UNFIT,
			   "PID 1 cannot be traced: is another doing it (TracerPid in "
			   "/proc/1/status), or is /proc/sys/kernel/yama/ptrace_scope 3, which "
			   "lasts until the next boot?");
}

/* Whether it is in a call that can be made anew. What cannot be read is not the instruction either. */
static bool is_call(const reg_word *r)
{
	uint32_t call = CALL(r);
	long word =
		ptrace(PTRACE_PEEKTEXT, 1, (void *)(uintptr_t)(r[REGS_PC] - CALL_SIZE(r)), NULL);

	return memcmp(&word, &call, CALL_SIZE(r)) == 0;
}

/*
 * Waits until PID 1 is about to call the kernel: what it waits in was interrupted, and is called again. Signals that
 * come before it gets.
 */
static bool await_call(int (*keep_going)(void), uint64_t end)
{
	int status;

	while (keep_going() && clock_ms() < end) {
		if (waitpid(1, &status, __WALL | WNOHANG) != 1) {
			(void)poll(NULL, 0, LOOK_MS);
			continue;
		}
		stands = WSTOPSIG(status) == AT_CALL;
		if (stands)
			return true;
		got_stop = got_stop || status >> 8 == SIGSTOP;
		(void)ptrace(PTRACE_SYSCALL, 1, NULL,
			     (void *)(long)(status >> 16 ? 0 : WSTOPSIG(status)));
	}
	return false;
}

static int prepare(int (*keep_going)(void), struct fault *f)
{
	if (pid1_shares("/", "/proc/1/root", "root folder", f) < 0)
		return -1;
	if (ptrace(PTRACE_SEIZE, 1, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) < 0 ||
	    ptrace(PTRACE_INTERRUPT, 1, NULL, NULL) < 0)
		return fault_errno(f, FAULT_UNFIT, "PID 1 cannot be traced");
	if (await_call(keep_going, clock_ms() + STOP_MS)) {
		if (regs_get(before) < 0)
			return fault_errno(f, FAULT_UNFIT, "the registers of PID 1");
		if (is_call(before))
			return 0;
	}
	return fault_set(
		f, FAULT_UNFIT,
		"PID 1 was not seen in a system call within %d s: it is busy, or a program "
		"for another kind of CPU",
		STOP_MS / 1000);
}

static off_t place(void)
{
	return (off_t)((uintptr_t)(before[REGS_SP] - BELOW_STACK) & ~(uintptr_t)15);
}

/* Puts words below PID 1's stack; what is there goes into old, unless that is NULL. */
static int put_words(const struct words *words, struct words *old)
{
	int fd = open("/proc/1/mem", O_RDWR | O_CLOEXEC);
	bool done = fd >= 0 &&
		    (!old || pread(fd, old, sizeof(*old), place()) == (ssize_t)sizeof(*old)) &&
		    pwrite(fd, words, sizeof(*words), place()) == (ssize_t)sizeof(*words);

	if (fd >= 0)
		(void)close(fd);
	return done ? 0 : -1;
}

/* Lets PID 1 go on to its next stop, of whatever kind. 0, or -1 with errno: ETIMEDOUT, if none has come by then. */
static int next_stop(int *status, uint64_t end)
{
	if (ptrace(PTRACE_SYSCALL, 1, NULL, NULL) < 0)
		return -1;
	stands = false;
	while (waitpid(1, status, __WALL | WNOHANG) != 1) {
		if (clock_ms() >= end) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
	stands = true;
	return 0;
}

static void restore(void)
{
	if (put_words(&below_stack, NULL) < 0 || regs_set(before) < 0)
		say_error("the registers of PID 1");
}

#ifdef REGS_BY_NEXT_CALL
enum { CALLS = 2 }; /* stops from there on to behind execve */

/* Its arguments have to be there before it is called: so PID 1 leaves the call that it stands before. */
static int leave_call(void)
{
	reg_word r[REGS_COUNT];
	int status;

	memcpy(r, before, sizeof(r));
	regs_no_call(r);
	return regs_set(r) < 0 ? -1 : next_stop(&status, clock_ms() + EXEC_MS);
}
#else
enum { CALLS = 1 };

static int leave_call(void)
{
	return 0;
}
#endif

_Static_assert(sizeof(RAMROOT_INIT) <= sizeof(below_stack.path), "its name fits");

static int point_at_exec(struct fault *f)
{
	uintptr_t at = (uintptr_t)place();
	const struct words words = { RAMROOT_INIT, { at, 0 } };
	reg_word r[REGS_COUNT];

	memcpy(r, before, sizeof(r));
	r[REGS_ARG0] = at;
	r[REGS_ARG1] = at + 16;
	r[REGS_ARG2] = at + 16 + sizeof(uintptr_t); /* no environment */
	if (put_words(&words, &below_stack) == 0 && leave_call() == 0 && regs_exec(r) == 0 &&
	    regs_set(r) == 0)
		return 0;
	(void)fault_errno(f, FAULT_UNFIT, "the registers of PID 1");
	if (CALLS > 1)
		regs_again(before);
	restore();
	return -1;
}

/* Has PID 1 make the call. 0: it is another program then; or why not; -1: it does not come out. */
static int run_exec(void)
{
	uint64_t end = clock_ms() + EXEC_MS;
	reg_word r[REGS_COUNT];
	int status, err, calls = 0;

	while (calls < CALLS) {
		if (next_stop(&status, end) < 0)
			return errno == ETIMEDOUT ? -1 : errno;
		if (status >> 16 == PTRACE_EVENT_EXEC)
			return 0;
		if (WSTOPSIG(status) == AT_CALL)
			calls++;
		else if (status >> 16 == 0)
			(void)sigaddset(&held_back, WSTOPSIG(status));
	}
	if (regs_get(r) < 0)
		return errno;
	/* Success comes with its event, whatever a filter has the call return. */
	err = CALL_ERROR(r);
	return err > 0 ? err : EIO;
}

/*
 * PID 1 does not take a SIGSTOP, but one that came while we traced it is kept for it, and would stop it for good:
 * SIGCONT takes that away, and is not sent without need, since some inits take it for a request. One that does not
 * stand still is let go by our end, with the signal that it may be stopped at by now.
 */
static void let_go(void)
{
	uint64_t pending = process_status("/proc/1", "ShdPnd:", 0);

	if (stands)
		(void)ptrace(PTRACE_DETACH, 1, NULL, NULL);
	if (got_stop || (pending >> (SIGSTOP - 1) & 1))
		(void)kill(1, SIGCONT); /* we are root, and there is a PID 1 */
}

static int trigger(bool *told, struct fault *f)
{
	int err;

	if (point_at_exec(f) < 0)
		return -1;
	say("PID 1 stands still, and is made to run flashinit");
	err = run_exec();
	if (err > 0) {
		errno = err;
		(void)fault_errno(f, FAULT_UNFIT, "PID 1 cannot run %s", RAMROOT_INIT);
		regs_again(before); /* the call was not its own */
		restore();
		return -1;
	}
	*told = true;
	let_go();
	if (err < 0)
		return fault_set(
			f, FAULT_FAILED,
			"PID 1 hangs in its exec since %d s; the root is in RAM: reset the device",
			EXEC_MS / 1000);
	for (;;)
		(void)pause(); /* it kills us */
}

static void undo(void)
{
	let_go();
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(&held_back, sig) == 1)
			(void)kill(1, sig);
}

const struct handover handover_ptrace = {
	.name = "ptrace",
	.only_if_asked = true,
	.fits = fits,
	.prepare = prepare,
	.trigger = trigger,
	.undo = undo,
};

#endif
