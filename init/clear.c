// SPDX-License-Identifier: GPL-2.0-or-later
#include "clear.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "holders.h"
#include "image_file.h"
#include "mounts.h"
#include "mtd_map.h"
#include "obstacles.h"
#include "plan.h"
#include "proof.h"
#include "report.h"
#include "stragglers.h"
#include "target_open.h"

enum {
	PATIENCE_MS = 5000, /* with a mount that is busy though nothing changes any more */
	DEADLINE_MS = 60000,
	AGAIN_MS = 20,
};

struct pass {
	unsigned int changed, left;
	char busy[256]; /* the last mount that did not go */
};

/* Swap may be on a loop device, a loop device on a mount, and a mount on a loop device. */
static int try_everything(struct pass *p, struct fault *f)
{
	unsigned int gone;

	p->changed = holders_swap_off();
	if (mounts_unmount_pass(PLAN_OLD_ROOT, &gone, &p->left, p->busy, sizeof(p->busy), f) < 0)
		return -1;
	p->changed += gone + holders_detach_loops();
	return 0;
}

/* Again and again while anything changes, and a while longer: no event tells what came free. */
static int unmount_old_root(int reports, struct fault *f)
{
	uint64_t deadline = clock_ms() + DEADLINE_MS, patience = clock_ms() + PATIENCE_MS;

	for (;;) {
		struct pass p;

		if (report_text(reports, REPORT_ALIVE, "unmounting the old root") < 0)
			return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
		if (try_everything(&p, f) < 0)
			return -1;
		if (p.left == 0)
			return 0;
		if (p.changed)
			patience = clock_ms() + PATIENCE_MS;
		if (clock_ms() >= patience || clock_ms() >= deadline)
			return fault_set(f, FAULT_BUSY, "cannot unmount %s", p.busy);
		if (!p.changed)
			(void)poll(NULL, 0, AGAIN_MS);
	}
}

static int prove_target(const struct proof_view *view, const struct payload *p, struct fault *f)
{
	struct target *t;
	int number;

	if (target_open(&t, p, TARGET_LOOK, f) < 0)
		return -1;
	number = mtd_number(t->device);
	target_close(t);
	if (obstacles_lazy(view->mounts, number, view->sys, "/proc", f) < 0)
		return -1;
	return proof_target_free(view, number, true, f);
}

static int prove_targets(const struct mount_table *mounts, const char *image, struct fault *f)
{
	const struct proof_view view = {
		.mounts = mounts,
		.swaps = "/proc/swaps",
		.sys = "/sys",
		.dev = "/dev",
		.proc = "/proc",
	};
	struct image_file file;
	int result = image_file_open(&file, image, NULL, f);

	for (unsigned int i = 0; result == 0 && i < file.image.payload_count; i++)
		result = prove_target(&view, &file.image.payload[i], f);
	image_file_close(&file);
	return result;
}

static int prove(const char *image, struct fault *f)
{
	struct mount_table mounts;
	int result = mounts_read_all(&mounts, f);

	if (result == 0)
		result = proof_nothing_below(&mounts, PLAN_OLD_ROOT, f);
	if (result == 0)
		result = prove_targets(&mounts, image, f);
	mounts_free(&mounts);
	return result;
}

int clear_and_prove(const char *image, int reports, struct fault *f)
{
	if (unmount_old_root(reports, f) == 0 && prove(image, f) == 0)
		return 0;
	(void)stragglers_name();
	(void)holders_name(PLAN_OLD_ROOT);
	return -1;
}
