// SPDX-License-Identifier: GPL-2.0-or-later
#include "attempts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "machine.h"
#include "outcome.h"
#include "progress.h"
#include "report.h"
#include "say.h"
#include "watchdog.h"
#include "worker.h"

enum {
	FLASH_STALL_MS = 60000, /* the slowest eraseblock takes a few seconds */
	RETRY_MAX_S = 60,
	READ_IT_MS = 3000, /* for a person at the console, before a reboot that nobody expects */
};

struct flashing {
	struct plan *plan;
	struct search *search;
	struct progress progress;
	bool begun;          /* flash was changed: there is no way back */
	uint32_t marked;     /* eraseblocks, as bad, so far */
	uint64_t furthest;   /* bytes that any attempt came to */
	unsigned int wait_s; /* before the next one */
};

void attempts_tell_last(const struct plan *plan, int code, const char *state, const char *text)
{
	outcome_tell(plan, code, state, text);
	if (*plan->outcome)
		machine_leave(plan->outcome);
}

static int run_flash(void *ctx, int reports, struct fault *f)
{
	const struct flashing *flashing = ctx;

	return worker_flash(flashing->plan, flashing->begun, flashing->marked, reports, f);
}

/* Starts a line of its own for what is done now. */
static void show(struct flashing *flashing, const char *what, const struct report *r)
{
	if (strcmp(flashing->progress.what, what) != 0) {
		progress_end(&flashing->progress);
		progress_start(&flashing->progress, what);
	}
	progress_show(&flashing->progress, r->done, r->total);
}

/* Who gets further than anybody before need not wait as long as one who fails where others did. */
static void on_progress(struct flashing *flashing, const struct report *r)
{
	if (r->text[0]) {
		show(flashing, "verifying", r);
		return;
	}
	if (r->done > flashing->furthest) {
		flashing->furthest = r->done;
		flashing->wait_s = 1;
	}
	show(flashing, "writing", r);
}

static void on_flash_report(void *ctx, const struct report *r)
{
	struct flashing *flashing = ctx;

	if (r->kind == REPORT_BEGIN) {
		flashing->begun = true;
		search_want(flashing->search, flashing->plan);
	} else if (r->kind == REPORT_MARKED) {
		flashing->marked += (uint32_t)r->done;
	} else if (r->kind == REPORT_PROGRESS) {
		on_progress(flashing, r);
	} else if (r->kind == REPORT_TARGETS) {
		(void)snprintf(flashing->plan->targets, sizeof(flashing->plan->targets), "%.*s",
			       TARGETS_NAMES - 1, r->text);
	} else if (r->kind == REPORT_SAY) {
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
	attempts_tell_last(plan, FAULT_FLASH, "incomplete", f->text);
	say("the firmware is incomplete");
	(void)watchdog_poll(NULL, 0, READ_IT_MS);
	machine_end(AFTER_REBOOT);
}

/*
 * Once more, later. An image that cannot be read, or is damaged, may be elsewhere, too, or come back; if no
 * other comes, it may be better next time.
 */
static void wait_for_next(struct flashing *flashing, const struct fault *f)
{
	if (f->kind == FAULT_IMAGE || !*flashing->plan->targets) { /* or it will not do here */
		say("the firmware is incomplete: DO NOT TURN OFF; looking for its image again");
		search_pass_over(flashing->search, false);
		search_for_image(flashing->search, flashing->plan, flashing->wait_s * 1000);
	} else {
		say("the firmware is incomplete: DO NOT TURN OFF; trying again in %u s",
		    flashing->wait_s);
		(void)watchdog_poll(NULL, 0, flashing->wait_s * 1000);
	}
	flashing->wait_s *= 2;
	if (flashing->wait_s > RETRY_MAX_S)
		flashing->wait_s = RETRY_MAX_S;
}

/* After the first erase there is no way back: only trying again, for as long as it takes. */
int attempts_run(struct plan *plan, struct search *search, struct fault *f)
{
	struct flashing flashing = { .plan = plan, .search = search, .wait_s = 1 };
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

	for (;;) {
		progress_start(&flashing.progress, "writing");
		if (child_run(&work, f) == CHILD_SUCCEEDED)
			return 0;
		progress_end(&flashing.progress);
		if (!flashing.begun)
			return -1;
		(void)say_fault(f);
		failed++;
		if ((failed & (failed - 1)) == 0) /* ever more seldom: a file system wears, too */
			outcome_tell(plan, FAULT_FLASH, "retrying", f->text);
		if (f->err == ENOTRECOVERABLE)
			start_anew(plan, f);
		wait_for_next(&flashing, f);
	}
}
