/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_WORKER_H
#define INIT_WORKER_H

#include <stdint.h>

#include "fault.h"

/*
 * Phase 6: writes the image to its targets, reporting each step. Runs in a child of PID 1; started
 * again after a failure it leaves alone what is right already. marked is how many eraseblocks those
 * before it have marked bad: there is a limit to that.
 */
int worker_flash(const char *image, uint32_t marked, int reports, struct fault *f);

#endif
