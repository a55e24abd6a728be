// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "child.h"
#include "files.h"
#include "pid1.h"
#include "say.h"

enum { SYNC_MS = 10000 };

static int do_sync(void *ctx, int reports, struct fault *f)
{
	(void)ctx;
	(void)reports;
	(void)f;
	sync();
	return 0;
}

/* In a child with a time limit: a network file system whose server is gone can hang it. */
static void sync_within_limits(void)
{
	const struct child_work work = { .name = "sync", .run = do_sync, .stall_ms = SYNC_MS };
	struct fault f;

	if (child_run(&work, &f) != CHILD_SUCCEEDED)
		(void)say_fault(&f);
}

void machine_end(enum after after)
{
	static const struct {
		const char *doing;
		int command;
	} ways[] = {
		[AFTER_REBOOT] = { "rebooting", RB_AUTOBOOT },
		[AFTER_POWEROFF] = { "powering off", RB_POWER_OFF },
		[AFTER_HALT] = { "halting", RB_HALT_SYSTEM },
	};

	sync_within_limits();
	say("%s", ways[after].doing);
	pid1_drain_console();
	(void)reboot(ways[after].command);
	say("%s does not work (%s): resetting", ways[after].doing, strerror(errno));
	(void)file_write("/proc/sysrq-trigger", "b", 1);
	say("cannot reset either: turn the power off and on");
	for (;;)
		(void)pause();
}
