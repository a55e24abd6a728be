// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "child.h"
#include "files.h"
#include "pid1.h"
#include "say.h"
#include "watchdog.h"

enum { STEP_MS = 10000, SYNC_MS = 60000, FDS_MAX = 256 };

/*
 * Each step in a child with a time limit: a network file system whose server is gone can hang the
 * first two, and a reboot(2) that cannot power off ends the process that called it, which must not
 * be PID 1.
 */
static void within_limits(const char *name, int (*run)(void *ctx, int reports, struct fault *f),
			  void *ctx)
{
	const struct child_work work = {
		.name = name,
		.run = run,
		.ctx = ctx,
		.stall_ms = STEP_MS,
	};
	struct fault f;

	if (child_run(&work, &f) != CHILD_SUCCEEDED)
		(void)say_fault(&f);
}

static int do_remount(void *ctx, int reports, struct fault *f)
{
	(void)reports;
	if (mount(NULL, ctx, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0 && errno != EINVAL)
		return fault_errno(f, FAULT_FAILED, "%s: cannot be made read-only", (char *)ctx);
	return 0; /* EINVAL: not mounted any more */
}

/* It may hang for good: with a lock of its parent's, or with a pipe that somebody reads to its end. */
static int do_sync(void *ctx, int reports, struct fault *f)
{
	(void)ctx;
	(void)f;
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (fd != reports)
			(void)close(fd); /* most are not open */
	sync();
	return 0;
}

int machine_sync(struct fault *f)
{
	const struct child_work work = {
		.name = "sync",
		.run = do_sync,
		.stall_ms = SYNC_MS,
	};

	if (child_run(&work, f) == CHILD_SUCCEEDED)
		return 0;
	return fault_set(f, FAULT_UNFIT,
			 "what is in memory cannot be written back within %d s (sync), and init "
			 "would wait for that: has the server of a file system gone?",
			 SYNC_MS / 1000);
}

static int do_reboot(void *ctx, int reports, struct fault *f)
{
	(void)reports;
	(void)reboot(*(int *)ctx);
	return fault_errno(f, FAULT_FAILED, "reboot(2) does not work");
}

void machine_leave(const char *dir)
{
	within_limits("a read-only remount", do_remount, (void *)(uintptr_t)dir);
}

void machine_end(enum after_what after)
{
	static const struct {
		const char *doing;
		int command;
	} ways[] = {
		[AFTER_REBOOT] = { "rebooting", RB_AUTOBOOT },
		[AFTER_POWEROFF] = { "powering off", RB_POWER_OFF },
		[AFTER_HALT] = { "halting", RB_HALT_SYSTEM },
	};
	int command = ways[after].command;

	within_limits("sync", do_sync, NULL);
	say("%s", ways[after].doing);
	pid1_drain_console();
	if (after != AFTER_REBOOT)
		watchdog_stop();
	within_limits(ways[after].doing, do_reboot, &command);
	if (after == AFTER_REBOOT) {
		(void)file_write("/proc/sysrq-trigger", "b", 1);
		(void)reboot(RB_AUTOBOOT); /* from PID 1 itself: where it fails it returns */
	}
	say("%s", watchdog_any() ? "the watchdog is fed no more, and will reset the machine"
				 : "turn the power off and on");
	for (;;)
		(void)pause();
}
