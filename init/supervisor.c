// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 from the moment BusyBox init execs us: phases 3 to 7. It does nothing itself that can fail
 * or hang, but has children do it and decides what follows.
 */
#include "supervisor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "after.h"
#include "child.h"
#include "clear.h"
#include "machine.h"
#include "pid1.h"
#include "outcome.h"
#include "plan.h"
#include "program.h"
#include "progress.h"
#include "say.h"
#include "stragglers.h"
#include "watchdog.h"
#include "worker.h"

enum {
	STRAGGLERS_MS = 30000, /* a driver can hold a killed process for 20 s (openwrt 12635) */
	UNMOUNT_STALL_MS = 30000,
	FLASH_STALL_MS = 60000, /* the slowest eraseblock takes a few seconds */
	RETRY_MAX_S = 60,
	READ_IT_MS = 3000, /* for a person at the console, before a reboot that nobody expects */
};

struct flashing {
	const struct plan *plan;
	struct progress progress;
	bool begun;          /* flash was changed: there is no way back */
	uint32_t marked;     /* eraseblocks, as bad, so far */
	uint64_t furthest;   /* bytes that any attempt came to */
	unsigned int wait_s; /* before the next one */
};

/* Nothing more will be told: its file system is left in order. */
static void tell_last(const struct plan *plan, int code, const char *state, const char *text)
{
	outcome_tell(plan, code, state, text);
	if (*plan->outcome)
		machine_leave(plan->outcome);
}

/* Nothing was erased: whatever is wrong, the old firmware is whole and the best there is. */
static void give_up(const struct plan *plan, const struct fault *f) __attribute__((noreturn));
static void give_up(const struct plan *plan, const struct fault *f)
{
	(void)say_fault(f);
	say("nothing was erased: going back to the old firmware");
	tell_last(plan, (int)f->kind, "gave-up", f->text);
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

static int run_flash(void *ctx, int reports, struct fault *f)
{
	const struct flashing *flashing = ctx;

	return worker_flash(flashing->plan, flashing->begun, flashing->marked, reports, f);
}

/* Who gets further than anybody before need not wait as long as one who fails where others did. */
static void on_progress(struct flashing *flashing, const struct report *r)
{
	if (r->done > flashing->furthest) {
		flashing->furthest = r->done;
		flashing->wait_s = 1;
	}
	progress_show(&flashing->progress, r->done, r->total);
}

static void on_flash_report(void *ctx, const struct report *r)
{
	struct flashing *flashing = ctx;

	if (r->kind == REPORT_BEGIN)
		flashing->begun = true;
	else if (r->kind == REPORT_MARKED)
		flashing->marked += (uint32_t)r->done;
	else if (r->kind == REPORT_PROGRESS)
		on_progress(flashing, r);
	else if (r->kind == REPORT_SAY) {
		progress_end(&flashing->progress);
		say("%s", r->text);
	}
}

/*
 * An eraseblock is marked bad in RAM only. Written on now, everything behind it would be where the
 * next boot does not look; a boot that finds no start can try once more.
 */
static void start_anew(const struct plan *plan, const struct fault *f) __attribute__((noreturn));
static void start_anew(const struct plan *plan, const struct fault *f)
{
	tell_last(plan, FAULT_FLASH, "incomplete", f->text);
	say("the firmware is incomplete");
	(void)watchdog_poll(NULL, 0, READ_IT_MS);
	machine_end(AFTER_REBOOT);
}

/* After the first erase there is no way back: only trying again, for as long as it takes. */
static void flash(struct plan *plan)
{
	struct flashing flashing = { .plan = plan, .wait_s = 1 };
	const struct child_work work = {
		.name = "the flash worker",
		.run = run_flash,
		.ctx = &flashing,
		.stall_ms = FLASH_STALL_MS,
		.on_report = on_flash_report,
		.report_ctx = &flashing,
		.alone = true, /* two workers would undo each other's work */
	};
	unsigned int failed = 0;
	struct fault f;

	for (;;) {
		progress_start(&flashing.progress, "writing");
		if (child_run(&work, &f) == CHILD_SUCCEEDED)
			return;
		progress_end(&flashing.progress);
		if (!flashing.begun)
			give_up(plan, &f);
		(void)say_fault(&f);
		failed++;
		if ((failed & (failed - 1)) == 0) /* ever more seldom: a file system wears, too */
			outcome_tell(plan, FAULT_FLASH, "retrying", f.text);
		if (f.err == ENOTRECOVERABLE)
			start_anew(plan, &f);
		say("the firmware is incomplete: DO NOT TURN OFF; trying again in %u s",
		    flashing.wait_s);
		(void)watchdog_poll(NULL, 0, flashing.wait_s * 1000);
		flashing.wait_s *= 2;
		if (flashing.wait_s > RETRY_MAX_S)
			flashing.wait_s = RETRY_MAX_S;
	}
}

static void write_firmware(struct plan *plan)
{
	if (!*plan->exec) {
		flash(plan);
		say("the new firmware is written and proven");
		tell_last(plan, 0, "done", "written and proven");
		return;
	}
	outcome_tell(plan, FAULT_FLASH, "begun", plan->exec);
	if (program_run(plan->exec, plan->image)) {
		say("%s has succeeded", plan->exec);
		tell_last(plan, 0, "done", plan->exec);
	} else {
		say("%s has FAILED, and nobody knows what it has written", plan->exec);
		tell_last(plan, FAULT_FLASH, "failed", plan->exec);
		if (plan->after.what >= AFTER_BOOT) /* what is half written must not become PID 1 */
			plan->after.what = AFTER_REBOOT;
	}
}

void supervise(void)
{
	struct plan plan;
	struct fault f;

	pid1_become();
	pid1_settle();
	if (plan_read(&plan, PLAN_FILE, &f) < 0)
		give_up(&plan, &f);
	watchdog_adopt(plan.watchdogs);
	(void)watchdog_feed(); /* nobody has since init killed its feeder */
	say("this is PID 1 now, in RAM; the old root goes");
	outcome_tell(&plan, FAULT_FAILED, "taken-over", "the old root goes");
	clear(&plan);
	write_firmware(&plan);
	after_update(&plan);
}
