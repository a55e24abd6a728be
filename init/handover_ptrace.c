// SPDX-License-Identifier: GPL-2.0-or-later
/* The hand-over by nobody: PID 1, whatever it is, is stopped and made to call execve. */
#include "handover.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "pid1.h"
#include "ptrace_regs.h"
#include "say.h"

#ifndef REGS_UNKNOWN

enum {
	STOP_MS = 10000, /* for PID 1 to be in a system call; it may be busy, or wait for a disk */
	LOOK_MS = 5,
	BELOW_STACK =
		1024, /* bytes; the 128 just below belong to the function that runs, on x86_64 */
	AGAIN_FIRST =
		512,      /* -ERESTARTSYS to -ERESTART_RESTARTBLOCK: what a call returns that the */
	AGAIN_LAST = 516, /* kernel starts again; never seen but here */
};

/* PID 1's, for the undoing. */
static reg_word before[REGS_COUNT];
static sigset_t held_back; /* signals that came meanwhile */

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

static int fits(struct finding *found, struct fault *f)
{
	finding_say(found, "PID 1 can be traced");
	errno = try_to_trace();
	if (errno == 0)
		return 0;
	return fault_errno(f, FAULT_UNFIT,
			   "PID 1 cannot be traced: is another doing it (TracerPid in "
			   "/proc/1/status), or is /proc/sys/kernel/yama/ptrace_scope 3, which "
			   "lasts until the next boot?");
}

static long get_regs(reg_word *r)
{
	return ptrace(PTRACE_GETREGS, 1, NULL, r); /* User-Mode Linux knows but these */
}

static long set_regs(reg_word *r)
{
	return ptrace(PTRACE_SETREGS, 1, NULL, r);
}

/* What cannot be read is not the instruction either. */
static bool is_call(const reg_word *r, reg_word at)
{
	uint32_t call = CALL(r);
	long word = ptrace(PTRACE_PEEKTEXT, 1, (void *)(uintptr_t)at, NULL);

	return memcmp(&word, &call, CALL_SIZE(r)) == 0;
}

/* Where the instruction is that PID 1 waits in, or is about to go back to. 0: neither. */
static reg_word find_call(const reg_word *r)
{
	reg_word behind = r[REGS_PC] - CALL_SIZE(r);

	if (is_call(r, r[REGS_PC]))
		return r[REGS_PC];
	return is_call(r, behind) ? behind : 0;
}

/* Waits until PID 1 stands still, and not for a signal: those it gets. */
static bool await_stop(int (*keep_going)(void), uint64_t end)
{
	int status;

	while (keep_going() && clock_ms() < end) {
		if (waitpid(1, &status, __WALL | WNOHANG) != 1)
			(void)poll(NULL, 0, LOOK_MS);
		else if (status >> 16 == PTRACE_EVENT_STOP)
			return true;
		else
			(void)ptrace(PTRACE_CONT, 1, NULL, (void *)(long)WSTOPSIG(status));
	}
	return false;
}

static int prepare(int (*keep_going)(void), struct fault *f)
{
	uint64_t end = clock_ms() + STOP_MS;

	if (pid1_shares("/", "/proc/1/root", "root folder", f) < 0)
		return -1;
	if (ptrace(PTRACE_SEIZE, 1, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) < 0)
		return fault_errno(f, FAULT_UNFIT, "PID 1 cannot be traced");
	while (ptrace(PTRACE_INTERRUPT, 1, NULL, NULL) == 0 && await_stop(keep_going, end)) {
		if (get_regs(before) < 0)
			return fault_errno(f, FAULT_UNFIT, "cannot see the registers of PID 1");
		if (find_call(before))
			return 0;
		(void)ptrace(PTRACE_CONT, 1, NULL, NULL);
		(void)poll(NULL, 0, LOOK_MS);
	}
	return fault_set(
		f, FAULT_UNFIT,
		"PID 1 was not seen in a system call within %d s: it is busy, or a program "
		"for another kind of CPU",
		STOP_MS / 1000);
}

/* Below the stack nothing is that anybody needs. */
static long put_words(uintptr_t at)
{
	struct {
		char path[16];
		uintptr_t argv[2];
	} words = { RAMROOT_INIT, { at, 0 } };
	long result = 0;

	_Static_assert(sizeof(RAMROOT_INIT) <= sizeof(words.path), "its name fits");
	for (size_t i = 0; result == 0 && i < sizeof(words); i += sizeof(long)) {
		long word;

		memcpy(&word, (const char *)&words + i, sizeof(word));
		result = ptrace(PTRACE_POKEDATA, 1, (void *)(at + i), (void *)word);
	}
	return result;
}

static int point_at_exec(struct fault *f)
{
	uintptr_t at = (uintptr_t)(before[REGS_SP] - BELOW_STACK) & ~(uintptr_t)15;
	reg_word r[REGS_COUNT];

	memcpy(r, before, sizeof(r));
	r[REGS_PC] = find_call(before);
	r[REGS_NUMBER] = SYS_execve;
	r[REGS_ARG0] = at;
	r[REGS_ARG1] = at + 16;
	r[REGS_ARG2] = at + 16 + sizeof(uintptr_t); /* no environment */
	regs_forget(r);
	if (put_words(at) < 0 || set_regs(r) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot set the registers of PID 1");
	return 0;
}

/* Runs PID 1 into the call and out of it. Returns 0 if it is another program then, or else why not. */
static int run_exec(void)
{
	reg_word r[REGS_COUNT] = { 0 };
	int status, err, calls = 0;

	while (calls < 2) {
		if (ptrace(PTRACE_SYSCALL, 1, NULL, NULL) < 0 || waitpid(1, &status, __WALL) != 1)
			return errno;
		if (status >> 16 == PTRACE_EVENT_EXEC)
			return 0;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			calls++;
		else if (status >> 16 == 0)
			(void)sigaddset(&held_back, WSTOPSIG(status));
	}
	if (get_regs(r) < 0)
		return errno;
	/* Success comes with its event, whatever a filter has the call return. */
	err = CALL_ERROR(r);
	return err > 0 ? err : EIO;
}

static void put_back(void)
{
	int err = CALL_ERROR(before);

	if (err >= AGAIN_FIRST && err <= AGAIN_LAST)
		regs_again(before);
	regs_forget(before);
	if (set_regs(before) < 0)
		say_error("cannot set the registers of PID 1: %s", strerror(errno));
}

static int trigger(bool *told, struct fault *f)
{
	if (point_at_exec(f) < 0)
		return -1;
	say("PID 1 stands still, and is made to run flashinit");
	errno = run_exec();
	if (errno) {
		(void)fault_errno(f, FAULT_UNFIT, "PID 1 cannot run %s", RAMROOT_INIT);
		put_back();
		return -1;
	}
	*told = true;
	(void)ptrace(PTRACE_DETACH, 1, NULL, NULL); /* or our end does it */
	for (;;)
		(void)pause(); /* it kills us */
}

/* One that does not stand still is let go by our end. */
static void undo(void)
{
	(void)ptrace(PTRACE_DETACH, 1, NULL, NULL);
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
