/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_ATTEMPTS_H
#define INIT_ATTEMPTS_H

#include "fault.h"
#include "plan.h"
#include "search.h"

/*
 * Phase 6, for PID 1: has the worker write the plan's image, and once flash was changed again and again
 * until it is right, for as long as that takes; an image that cannot be read any more is searched for.
 * Returns 0, or -1 with the fault: nothing was changed.
 */
int attempts_run(struct plan *plan, struct search *search, struct fault *f);

/* Tells the last of the outcome: its file system is left in order. */
void attempts_tell_last(const struct plan *plan, int code, const char *state, const char *text);

#endif
