// SPDX-License-Identifier: GPL-2.0-or-later
#include "recover.h"

#include "after.h"
#include "attempts.h"
#include "child.h"
#include "clear.h"
#include "outcome.h"
#include "pid1.h"
#include "say.h"
#include "search.h"
#include "watchdog.h"

enum { CLEAR_STALL_MS = 30000, AGAIN_MS = 60000 };

static int run_clear(void *ctx, int reports, struct fault *f)
{
	return clear_and_prove(ctx, reports, f);
}

/*
 * The worker has mounts of its own and could not do it. A root without an init goes, too. If it does
 * not go, the images that are written elsewhere will still do: each is proven for itself.
 */
static void let_go(struct plan *plan)
{
	const struct child_work work = {
		.name = "unmounting",
		.run = run_clear,
		.ctx = plan,
		.stall_ms = CLEAR_STALL_MS,
	};
	struct fault f;

	if (child_run(&work, &f) != CHILD_SUCCEEDED)
		(void)say_fault(&f);
	else if (*plan->root)
		say("the old root is unmounted and nothing uses the flash");
}

static void watch_dogs(struct plan *plan)
{
	struct finding found = { .figures = 0 };
	struct fault f;

	if (!*plan->watchdogs && watchdog_find(plan->watchdogs, &found, "/sys", "/proc", &f) < 0)
		(void)say_fault(&f);
	watchdog_adopt(plan->watchdogs);
	(void)watchdog_feed();
}

static void find_and_write(struct plan *plan)
{
	struct search search;
	struct fault f;

	search_init(&search, plan);
	for (;;) {
		search_for_image(&search, plan, AGAIN_MS);
		say("found %s: firmware %s", plan->image, plan->firmware);
		if (attempts_run(plan, &search, &f) == 0)
			return;
		plan->targets[0] = '\0'; /* proven then, and not for ever */
		if (search_is_named(plan->image, &f))
			say("passed over: %s", f.text);
		else
			say("passed over: %s: %s", plan->image, f.text);
		/* What was busy, unreadable or not there yet may not be for ever. */
		search_pass_over(&search, f.kind == FAULT_IMAGE && f.err == 0);
	}
}

void recover(struct plan *plan)
{
	pid1_become();
	pid1_settle();
	watch_dogs(plan);
	say("this is the recovery: %s", plan->recover);
	outcome_tell(plan, FAULT_FLASH, "recovering", plan->recover);
	let_go(plan);
	find_and_write(plan);
	say("the firmware is written and proven");
	attempts_tell_last(plan, 0, "done", "written and proven");
	after_update(plan);
}
