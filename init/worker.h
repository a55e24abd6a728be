/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_WORKER_H
#define INIT_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "plan.h"

/*
 * Phase 6: writes the image to its targets, reporting each step. Runs in a child of PID 1; started
 * again after a failure it leaves alone what is right already. begun is whether one before it changed
 * flash, marked how many eraseblocks those have marked bad: there is a limit to that. Another image
 * than the plan's is FAULT_IMAGE. One that stayed where it was, out of our sight, is read to its end
 * once more before anything is changed. Where the plan has no targets yet, the image has just been found:
 * it is verified, and its targets looked at, cleared and proven, and reported.
 */
int worker_flash(struct plan *plan, bool begun, uint32_t marked, int reports, struct fault *f);

#endif
