// SPDX-License-Identifier: GPL-2.0-or-later
#include "clear.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "holders.h"
#include "image_file.h"
#include "mounts.h"
#include "plan.h"
#include "proof.h"
#include "report.h"
#include "stragglers.h"
#include "target_mtd.h"

enum {
	PATIENCE_MS = 5000, /* with a mount that is busy though nothing changes any more */
	AGAIN_MS = 20,
};

static int unmount_old_root(int reports, struct fault *f)
{
	uint64_t end = clock_ms() + PATIENCE_MS;
	char busy[256] = "";

	for (;;) {
		unsigned int gone, left, changed = holders_swap_off();

		if (report_text(reports, REPORT_ALIVE, "unmounting the old root") < 0)
			return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
		if (mounts_unmount_pass(PLAN_OLD_ROOT, &gone, &left, busy, sizeof(busy), f) < 0)
			return -1;
		changed += gone + holders_detach_loops();
		if (left == 0)
			return 0;
		if (changed)
			end = clock_ms() + PATIENCE_MS;
		else if (clock_ms() >= end)
			return fault_set(f, FAULT_BUSY, "cannot unmount %s", busy);
		else
			(void)poll(NULL, 0, AGAIN_MS); /* no event tells that a mount came free */
	}
}

static int prove_target(const char *part, struct fault *f)
{
	struct target *t;
	int number, result;

	if (target_open_mtd(&t, part, TARGET_LOOK, &number, f) < 0)
		return -1;
	target_close(t);
	result = proof_target_free(&proof_live, number, part, f);
	return result;
}

static int prove(const char *image, struct fault *f)
{
	struct image_file file;
	int result;

	if (proof_nothing_below(&proof_live, PLAN_OLD_ROOT, f) < 0)
		return -1;
	result = image_file_open(&file, image, NULL, f);
	for (unsigned int i = 0; result == 0 && i < file.image.payload_count; i++)
		result = prove_target(file.image.payload[i].part, f);
	image_file_close(&file);
	return result;
}

int clear_and_prove(const char *image, int reports, struct fault *f)
{
	if (unmount_old_root(reports, f) == 0 && prove(image, f) == 0)
		return 0;
	if (stragglers_name() > 1) /* PID 1 is not a straggler, this child is one */
		(void)report_text(reports, REPORT_ALIVE, "naming the holders");
	(void)holders_name(PLAN_OLD_ROOT);
	return -1;
}
