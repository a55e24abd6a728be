/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that can fail, crash or hang, done in a child of PID 1, which must do none of these.
 */
#ifndef INIT_CHILD_H
#define INIT_CHILD_H

#include <stdbool.h>

#include "fault.h"
#include "report.h"

enum child_end {
	CHILD_SUCCEEDED,
	CHILD_FAILED,  /* said why */
	CHILD_CRASHED, /* ended without a word */
	CHILD_STALLED, /* gave no sign of life for too long, and was killed */
};

struct child_work {
	const char *name; /* for messages */
	/* Runs in the child, with a pipe for its reports. Returns 0, or -1 with the fault. */
	int (*run)(void *ctx, int reports, struct fault *f);
	void *ctx;
	unsigned int stall_ms; /* longest time between two reports */
	/* Runs in PID 1 for every report but REPORT_FAULT; may be NULL. */
	void (*on_report)(void *ctx, const struct report *r);
	void *report_ctx;
	bool alone; /* do not return before the child has gone, however long that takes */
};

/*
 * Does the work and waits for its end, reaping every other child meanwhile. Unless it succeeded
 * the fault says what happened. Never fails itself: a fork that fails is a CHILD_CRASHED.
 */
enum child_end child_run(const struct child_work *w, struct fault *f);

#endif
