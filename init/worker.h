/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_WORKER_H
#define INIT_WORKER_H

#include "fault.h"

/*
 * Phase 6: writes the image to its targets, reporting each step. Runs in a child of PID 1; started
 * again after a failure it leaves alone what is right already.
 */
int worker_flash(const char *image, int reports, struct fault *f);

#endif
