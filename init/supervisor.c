// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 from the moment the old one has become us: phases 3 to 7. It does nothing itself that can fail
 * or hang, but has children do it and decides what follows.
 */
#include "supervisor.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "after.h"
#include "attempts.h"
#include "child.h"
#include "clear.h"
#include "handover.h"
#include "machine.h"
#include "pid1.h"
#include "outcome.h"
#include "plan.h"
#include "program.h"
#include "recover.h"
#include "say.h"
#include "search.h"
#include "stragglers.h"
#include "watchdog.h"

enum {
	STRAGGLERS_MS = 30000, /* a driver can hold a killed process for 20 s (openwrt 12635) */
	UNMOUNT_STALL_MS = 30000,
	READ_IT_MS = 3000, /* for a person at the console, before a reboot that nobody expects */
};

/* Nothing was erased: whatever is wrong, the old firmware is whole and the best there is. */
static void give_up(const struct plan *plan, const struct fault *f) __attribute__((noreturn));
static void give_up(const struct plan *plan, const struct fault *f)
{
	(void)say_fault(f);
	say("nothing was erased: going back to the old firmware");
	attempts_tell_last(plan, (int)f->kind, "gave-up", f->text);
	machine_leave(PLAN_OLD_ROOT);
	(void)watchdog_poll(NULL, 0, READ_IT_MS);
	machine_end(AFTER_REBOOT);
}

static int run_clear(void *ctx, int reports, struct fault *f)
{
	const struct plan *plan = ctx;

	return clear_and_prove(plan, reports, f);
}

static void clear(struct plan *plan)
{
	const struct child_work work = {
		.name = "unmounting",
		.run = run_clear,
		.ctx = plan,
		.stall_ms = UNMOUNT_STALL_MS,
	};
	struct fault f;

	(void)stragglers_kill(STRAGGLERS_MS); /* who is left is named; what it holds decides */
	if (watchdog_check(&f) < 0 || child_run(&work, &f) != CHILD_SUCCEEDED)
		give_up(plan, &f);
	outcome_tell(plan, FAULT_FAILED, "cleared", "nothing uses the flash");
	say("the old root is unmounted and nothing uses the flash");
}

static void write_firmware(struct plan *plan)
{
	if (!*plan->exec) {
		struct search search;
		struct fault f;

		search_init(&search, plan);
		if (attempts_run(plan, &search, &f) < 0)
			give_up(plan, &f);
		say("the new firmware is written and proven");
		attempts_tell_last(plan, 0, "done", "written and proven");
		return;
	}
	outcome_tell(plan, FAULT_FLASH, "begun", plan->exec);
	if (program_run(plan->exec, plan->image)) {
		say("%s has succeeded", plan->exec);
		attempts_tell_last(plan, 0, "done", plan->exec);
	} else {
		say("%s has FAILED, and nobody knows what it has written", plan->exec);
		attempts_tell_last(plan, FAULT_FLASH, "failed", plan->exec);
		if (plan->after.what >= AFTER_BOOT) /* what is half written must not become PID 1 */
			plan->after.what = AFTER_REBOOT;
	}
}

void supervise(void)
{
	struct plan plan;
	struct fault f;
	bool systemd;

	pid1_become();
	pid1_settle();
	systemd = handover_systemd_settle();
	if (plan_read(&plan, PLAN_FILE, &f) < 0)
		give_up(&plan, &f);
	if (*plan.recover)
		recover(&plan);
	if (systemd) /* it may have started one for its shutdown, which it leaves running */
		watchdog_find_more(plan.watchdogs, "/sys");
	watchdog_adopt(plan.watchdogs);
	(void)watchdog_feed(); /* nobody has since its feeder was ended */
	say("this is PID 1 now, in RAM; the old root goes");
	outcome_tell(&plan, FAULT_FAILED, "taken-over", "the old root goes");
	clear(&plan);
	write_firmware(&plan);
	after_update(&plan);
}
