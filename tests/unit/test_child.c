// SPDX-License-Identifier: GPL-2.0-or-later
/* As in PID 1, every signal is blocked while these run. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "helpers.h"
#include "watchdog.h"

static bool pipe_fails, fork_fails, clock_jumps;
static int polls_until_stall;
static long jumped_ms, poll_takes_ms;

/* A stall is what the test says it is, so that nobody need wait for one. */
int __real_poll(struct pollfd *p, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *p, nfds_t count, int timeout)
{
	static bool second;

	jumped_ms += poll_takes_ms;
	second = !second;
	if (poll_takes_ms && second)
		return 0;
	if (polls_until_stall >= 0 && polls_until_stall-- == 0) {
		jumped_ms += 30000;
		return 0;
	}
	return __real_poll(p, count, timeout);
}

int __real_pipe2(int *ends, int flags);
int __wrap_pipe2(int *ends, int flags)
{
	if (!pipe_fails)
		return __real_pipe2(ends, flags);
	errno = EMFILE;
	return -1;
}

pid_t __real_fork(void);
pid_t __wrap_fork(void)
{
	if (!fork_fails)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int result = __real_clock_gettime(clock, t);

	if (clock_jumps)
		jumped_ms += 10000;
	t->tv_nsec += jumped_ms % 1000 * 1000000;
	t->tv_sec += jumped_ms / 1000 + t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
	return result;
}

static struct fault f;
static unsigned int fds;
static unsigned int reports;
static char told[512];

static int setup(void **state)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	pipe_fails = fork_fails = clock_jumps = false;
	polls_until_stall = -1;
	poll_takes_ms = 0;
	memset(&f, 0, sizeof(f));
	reports = 0;
	told[0] = '\0';
	fds = count_fds();
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(count_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left behind */
	assert_int_equal(errno, ECHILD);
	return 0;
}

static void on_report(void *ctx, const struct report *r)
{
	size_t used = strlen(told);

	assert_ptr_equal(ctx, &reports);
	reports++;
	(void)snprintf(told + used, sizeof(told) - used, "%d:%s:%d;", (int)r->kind, r->text,
		       (int)r->done);
}

static enum child_end run_with(int (*work)(void *, int, struct fault *), void *ctx,
			       unsigned int stall_ms)
{
	const struct child_work w = {
		.name = "the work",
		.run = work,
		.ctx = ctx,
		.stall_ms = stall_ms,
		.on_report = on_report,
		.report_ctx = &reports,
	};

	return child_run(&w, &f);
}

static enum child_end run(int (*work)(void *, int, struct fault *), unsigned int stall_ms)
{
	return run_with(work, told, stall_ms);
}

static int succeed(void *ctx, int to, struct fault *fault)
{
	return ctx == told ? 0 : -1;
}

static void succeeds(void **state)
{
	assert_int_equal(run(succeed, 10000), CHILD_SUCCEEDED);
	assert_int_equal(reports, 0);
}

static int fail_with_fault(void *ctx, int to, struct fault *fault)
{
	(void)report_text(to, REPORT_ALIVE, "going");
	errno = ENOSPC;
	return fault_errno(fault, FAULT_UNFIT, "disk %d", 7);
}

static void fails_and_says_why(void **state)
{
	assert_int_equal(run(fail_with_fault, 10000), CHILD_FAILED);
	assert_fault(&f, FAULT_UNFIT, "disk 7: No space left on device");
	assert_int_equal(f.err, ENOSPC);
	assert_string_equal(told, "0:going:0;"); /* the fault is no report to the caller */
}

static int report_much(void *ctx, int to, struct fault *fault)
{
	struct report r;

	(void)report_text(to, REPORT_ALIVE, "one");
	(void)report_text(to, REPORT_BEGIN, "two");
	memset(&r, 0, sizeof(r));
	r.kind = REPORT_PROGRESS;
	r.done = 77;
	(void)report_send(to, &r);
	return report_text(to, REPORT_SAY, "three");
}

static void reports_arrive_in_order(void **state)
{
	assert_int_equal(run(report_much, 10000), CHILD_SUCCEEDED);
	assert_string_equal(told, "0:one:0;1:two:0;2::77;3:three:0;");
}

/* Far more than a pipe holds. */
static int report_very_much(void *ctx, int to, struct fault *fault)
{
	for (int i = 0; i < 2000; i++)
		if (report_text(to, REPORT_SAY, "x") < 0)
			return fault_errno(fault, FAULT_FAILED, "report");
	return 0;
}

static void no_report_is_lost(void **state)
{
	assert_int_equal(run(report_very_much, 10000), CHILD_SUCCEEDED);
	assert_int_equal(reports, 2000);
}

static void nobody_wants_reports(void **state)
{
	const struct child_work w = { .name = "w", .run = report_much, .stall_ms = 10000 };

	assert_int_equal(child_run(&w, &f), CHILD_SUCCEEDED);
}

static int crash(void *ctx, int to, struct fault *fault)
{
	(void)report_text(to, REPORT_ALIVE, "juggling");
	(void)kill(getpid(), SIGKILL);
	return 0;
}

static void crashes(void **state)
{
	assert_int_equal(run(crash, 10000), CHILD_CRASHED);
	assert_fault(&f, FAULT_FAILED, "the work was killed by signal 9 (last: juggling)");
}

/* Signals that PID 1 blocks must not be blocked in the child. */
static int crash_by_term(void *ctx, int to, struct fault *fault)
{
	(void)signal(SIGTERM, SIG_DFL);
	(void)kill(getpid(), SIGTERM);
	return 0;
}

static void mask_is_reset(void **state)
{
	assert_int_equal(run(crash_by_term, 10000), CHILD_CRASHED);
	assert_fault(&f, FAULT_FAILED, "signal 15 (last: starting)");
}

static int leave(void *ctx, int to, struct fault *fault)
{
	_exit(3); /* without a report */
}

static void ends_without_a_word(void **state)
{
	assert_int_equal(run(leave, 10000), CHILD_CRASHED);
	assert_fault(&f, FAULT_FAILED, "the work ended without a word (last: starting)");
}

static int hang(void *ctx, int to, struct fault *fault)
{
	(void)report_text(to, REPORT_ALIVE, "unmounting /a");
	while (pause() < 0)
		; /* no signal has a handler */
	return 0;
}

static void stalls_and_is_killed(void **state)
{
	polls_until_stall = 1; /* after its one report */
	assert_int_equal(run(hang, 30000), CHILD_STALLED);
	assert_fault(&f, FAULT_FAILED,
		     "the work gave no sign of life for 30 s (last: unmounting "
		     "/a); it was killed");
}

/* A worker that has gone mad must not take PID 1 along. */
static int send_garbage(void *ctx, int to, struct fault *fault)
{
	struct report r;

	memset(&r, 'x', sizeof(r));
	r.kind = *(enum report_kind *)ctx;
	(void)report_send(to, &r);
	(void)kill(getpid(), SIGKILL);
	return 0;
}

static void garbage_from_the_child(void **state)
{
	enum report_kind kind = REPORT_ALIVE;
	struct child_work w = {
		.name = "w",
		.run = send_garbage,
		.ctx = &kind,
		.stall_ms = 10000,
	};

	assert_int_equal(child_run(&w, &f), CHILD_CRASHED);
	assert_true(strnlen(f.text, sizeof(f.text)) < sizeof(f.text));
	w.on_report = on_report; /* which measures the text */
	w.report_ctx = &reports;
	assert_int_equal(child_run(&w, &f), CHILD_CRASHED);
	assert_int_equal(reports, 1);
	kind = REPORT_FAULT;
	assert_int_equal(child_run(&w, &f), CHILD_FAILED);
	assert_true(strnlen(f.text, sizeof(f.text)) < sizeof(f.text));
	assert_in_range(f.kind, FAULT_FAILED, FAULT_BUSY);
}

/* Not even KILL ends it at once: it ends its reports, and the clock runs. */
static int close_and_hang(void *ctx, int to, struct fault *fault)
{
	(void)close(to);
	while (pause() < 0)
		; /* no signal has a handler */
	return 0;
}

static void hangs_after_its_last_word(void **state)
{
	clock_jumps = true;
	assert_int_equal(run(close_and_hang, 10000), CHILD_STALLED);
	clock_jumps = false;
	assert_int_equal(f.kind, FAULT_FAILED);
	(void)waitpid(-1, NULL, 0); /* for it the clock may have been too fast */
}

/*
 * What must not be done twice at a time must have gone before it is said to have failed. The clock
 * runs so fast that any patience ends before a killed child can be seen to have gone.
 */
static void alone_is_waited_for(void **state)
{
	const struct child_work w = {
		.name = "the work",
		.run = close_and_hang,
		.stall_ms = 10000,
		.alone = true,
	};
	char *text;

	if (temp_dir_make(state) < 0)
		fail();
	capture_start(STDOUT_FILENO);
	clock_jumps = true;
	assert_int_equal(child_run(&w, &f), CHILD_STALLED);
	clock_jumps = false;
	text = capture_end(STDOUT_FILENO);
	assert_fault(&f, FAULT_FAILED, "(last: starting); it was killed");
	if (*text) /* how many rounds it took is the scheduler's affair */
		assert_non_null(strstr(text, "the work hangs in the kernel and cannot be killed"));
	free(text);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* it has gone, and was reaped */
	assert_int_equal(errno, ECHILD);
	assert_int_equal(temp_dir_remove(state), 0);
}

/* Each report gives it the whole time again. It lives until all were taken. */
static int twenty_reports(void *ctx, int to, struct fault *fault)
{
	int left = 0;

	for (int i = 0; i < 20; i++)
		(void)report_text(to, REPORT_ALIVE, "%d", i);
	while (ioctl(to, FIONREAD, &left) == 0 && left > 0)
		(void)__real_poll(NULL, 0, 1);
	return 0;
}

static void slow_is_not_stalled(void **state)
{
	poll_takes_ms = 10000;
	assert_int_equal(run(twenty_reports, 30000), CHILD_SUCCEEDED);
	assert_int_equal(reports, 20);
}

/* Says how long what comes next may take, and is silent for a second of several polls. */
static int take_long(void *ctx, int to, struct fault *fault)
{
	struct report r = { .kind = REPORT_ALIVE, .done = *(uint64_t *)ctx, .text = "erasing" };

	(void)report_send(to, &r);
	(void)__real_poll(NULL, 0, 900);
	return 0;
}

static enum child_end take_longer_by(uint64_t ms)
{
	const struct child_work w = {
		.name = "the work", .run = take_long, .ctx = &ms, .stall_ms = 15000
	};

	poll_takes_ms = 10000;
	return child_run(&w, &f);
}

static void lengthy_is_not_stalled(void **state)
{
	assert_int_equal(take_longer_by(10000000), CHILD_SUCCEEDED);
	assert_int_equal(take_longer_by(0), CHILD_STALLED);
}

static int fault_and_hang(void *ctx, int to, struct fault *fault)
{
	struct report r = { .kind = REPORT_FAULT,
			    .fault = { .kind = FAULT_FLASH, .err = ENOTRECOVERABLE } };

	(void)report_send(to, &r);
	while (pause() < 0)
		; /* no signal has a handler */
	return 0;
}

/* Its last word holds, though it does not come to its end. */
static void fault_counts_though_it_hangs(void **state)
{
	polls_until_stall = 1;
	assert_int_equal(run(fault_and_hang, 30000), CHILD_FAILED);
	assert_int_equal(f.err, ENOTRECOVERABLE);
	assert_int_equal(f.kind, FAULT_FLASH);
}

/* A child of a child keeps the pipe open for longer than anybody waits, unless it is killed as well. */
static int hang_and_leave_one(void *ctx, int to, struct fault *fault)
{
	if (fork() == 0) {
		(void)__real_poll(NULL, 0, 20000);
		_exit(0);
	}
	(void)report_text(to, REPORT_ALIVE, "hanging");
	while (pause() < 0)
		; /* no signal has a handler */
	return 0;
}

static void nobody_waits_for_a_childs_child(void **state)
{
	time_t start = time(NULL);

	polls_until_stall = 1;
	assert_int_equal(run(hang_and_leave_one, 30000), CHILD_STALLED);
	assert_true(time(NULL) - start < 15);
}

static int end_with_its_parent(void *ctx, int to, struct fault *fault)
{
	int signal = 0;

	(void)prctl(PR_GET_PDEATHSIG, &signal);
	return signal == SIGKILL ? 0 : fault_set(fault, FAULT_FAILED, "lives on");
}

static void child_ends_with_its_parent(void **state)
{
	assert_int_equal(run(end_with_its_parent, 30000), CHILD_SUCCEEDED);
}

static int stop_twice(void *ctx, int to, struct fault *fault)
{
	(void)report_text(to, REPORT_ALIVE, "stopping");
	(void)raise(SIGSTOP);
	(void)close(to);
	(void)raise(SIGSTOP);
	return 0;
}

/* Long before it would count as stalled, with its pipe open and without. */
static void stopped_is_resumed(void **state)
{
	char *text;

	if (temp_dir_make(state) < 0)
		fail();
	capture_start(STDOUT_FILENO);
	assert_int_equal(run(stop_twice, 3600000), CHILD_SUCCEEDED);
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(text, "flashinit: the work was stopped by signal 19; it goes on\n"
				  "flashinit: the work was stopped by signal 19; it goes on\n");
	free(text);
	assert_int_equal(temp_dir_remove(state), 0);
}

/* A child of its own keeps the pipe open. */
static int leave_a_child(void *ctx, int to, struct fault *fault)
{
	int *pid = ctx;

	*pid = (int)__real_fork();
	if (*pid == 0)
		for (;;)
			(void)pause();
	(void)report_text(to, REPORT_SAY, "%d", *pid);
	(void)kill(getpid(), SIGKILL);
	return 0;
}

static void end_is_seen_though_the_pipe_is_open(void **state)
{
	int pid = 0;

	assert_int_equal(run_with(leave_a_child, &pid, 3600000), CHILD_CRASHED);
	assert_fault(&f, FAULT_FAILED, "the work was killed by signal 9");
	assert_int_equal(sscanf(told, "3:%d:", &pid), 1);
	assert_int_equal(kill(pid, SIGKILL), 0); /* somebody else reaps it */
}

/* Children that others have left to PID 1. */
static void reaps_others(void **state)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = __real_fork();
		siginfo_t info;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(i);
		assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	}
	assert_int_equal(run(fail_with_fault, 10000), CHILD_FAILED);
	assert_fault(&f, FAULT_UNFIT, "disk 7"); /* teardown() sees to it that they are gone */
}

/* They are PID 1's: a child that hangs must not keep one from who comes after the update. */
static int look_for_watchdogs(void *ctx, int to, struct fault *fault)
{
	return watchdog_any() ? -1 : 0;
}

static void watchdogs_are_not_inherited(void **state)
{
	watchdog_adopt("watchdog-of-nobody");
	assert_int_equal(run(look_for_watchdogs, 10000), CHILD_SUCCEEDED);
	assert_true(watchdog_any());
	watchdog_forget();
}

static void no_pipe(void **state)
{
	pipe_fails = true;
	assert_int_equal(run(succeed, 10000), CHILD_CRASHED);
	assert_fault(&f, FAULT_FAILED, "the work: cannot make a pipe");
}

static void no_process(void **state)
{
	fork_fails = true;
	assert_int_equal(run(succeed, 10000), CHILD_CRASHED);
	assert_fault(&f, FAULT_FAILED, "the work: cannot fork");
}

#define child_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		child_test(succeeds),
		child_test(fails_and_says_why),
		child_test(reports_arrive_in_order),
		child_test(no_report_is_lost),
		child_test(nobody_wants_reports),
		child_test(crashes),
		child_test(mask_is_reset),
		child_test(ends_without_a_word),
		child_test(garbage_from_the_child),
		child_test(stalls_and_is_killed),
		child_test(hangs_after_its_last_word),
		child_test(alone_is_waited_for),
		child_test(slow_is_not_stalled),
		child_test(lengthy_is_not_stalled),
		child_test(fault_counts_though_it_hangs),
		child_test(nobody_waits_for_a_childs_child),
		child_test(child_ends_with_its_parent),
		child_test(stopped_is_resumed),
		child_test(end_is_seen_though_the_pipe_is_open),
		child_test(reaps_others),
		child_test(watchdogs_are_not_inherited),
		child_test(no_pipe),
		child_test(no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
