// SPDX-License-Identifier: GPL-2.0-or-later
#include "clear.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "holders.h"
#include "mounts.h"
#include "new_root.h"
#include "plan.h"
#include "proof.h"
#include "report.h"
#include "root.h"
#include "say.h"
#include "stragglers.h"
#include "targets.h"
#include "ubi.h"

enum {
	PATIENCE_MS = 5000, /* with a mount that is busy though nothing changes any more */
	DEADLINE_MS = 60000,
	AGAIN_MS = 20,
};

/* An init that the guard looked for on its root was not there: the mount still is. */
static const char *const roots[] = { PLAN_OLD_ROOT, NEW_ROOT };

static int unmount(unsigned int *changed, unsigned int *left, struct fault *f)
{
	*left = 0;
	for (size_t i = 0; *left == 0 && i < sizeof(roots) / sizeof(*roots); i++) {
		unsigned int gone;

		if (mounts_unmount_pass(roots[i], &gone, left, f) < 0)
			return -1;
		*changed += gone;
	}
	return 0;
}

/*
 * Swap may be on a loop device, a loop device on a mount, and a mount on a loop device; UBI comes
 * free only when all that is on it has gone. Returns how many hold on, the last of them in f; or -1.
 */
static int try_everything(const struct targets *t, unsigned int *changed, struct fault *f)
{
	unsigned int gone, left;
	int held;

	holders_drop_in_flight();
	*changed = holders_swap_off();
	if (unmount(changed, &left, f) < 0)
		return -1;
	*changed += holders_detach_loops();
	if (left > 0)
		return (int)left;
	held = ubi_let_go(t, "/sys", &gone, f);
	*changed += gone;
	return held;
}

/* Again and again while anything changes, and a while longer: no event tells what came free. */
static int let_go(const struct targets *t, int reports, struct fault *f)
{
	uint64_t deadline = clock_ms() + DEADLINE_MS, patience = clock_ms() + PATIENCE_MS;

	for (;;) {
		unsigned int changed;
		int left;

		if (report_text(reports, REPORT_ALIVE, "unmounting the old root") < 0)
			return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
		left = try_everything(t, &changed, f);
		if (left <= 0)
			return left;
		if (changed)
			patience = clock_ms() + PATIENCE_MS;
		if (clock_ms() >= patience || clock_ms() >= deadline)
			return -1;
		if (!changed)
			(void)poll(NULL, 0, AGAIN_MS);
	}
}

static int prove(const struct targets *t, struct fault *f)
{
	struct mount_table mounts;
	const struct proof_view view = {
		.mounts = &mounts,
		.swaps = "/proc/swaps",
		.sys = "/sys",
		.dev = "/dev",
		.proc = "/proc",
	};
	int result = mounts_read_own(&mounts, f);

	for (size_t i = 0; result == 0 && i < sizeof(roots) / sizeof(*roots); i++)
		result = proof_nothing_below(&mounts, roots[i], f);
	if (result == 0)
		result = mounts_add_others(&mounts, "/proc", f); /* of whoever does not die */
	for (unsigned int i = 0; result == 0 && i < t->count; i++)
		result = target_unused(&view, t->device[i], f);
	mounts_free(&mounts);
	return result;
}

/* Whoever hears of the fault alone, by the outcome, learns of one of them. */
static int name_holders(struct fault *f)
{
	size_t len = strlen(f->text);

	if (stragglers_name() + holders_name(PLAN_OLD_ROOT) == 0) {
		if (f->kind != FAULT_BUSY)
			return -1;
		say("no process, swap area or loop device holds anything: the kernel itself does");
	}
	(void)snprintf(f->text + len, sizeof(f->text) - len, "; %s", say_last());
	return -1;
}

int clear_and_prove(const struct plan *plan, int reports, struct fault *f)
{
	struct targets t;

	targets_from_names(&t, plan->targets);
	if (let_go(&t, reports, f) == 0 && prove(&t, f) == 0)
		return 0;
	return name_holders(f);
}
