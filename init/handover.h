/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 2: pivot into the RAM root and have BusyBox init exec flashinit there.
 */
#ifndef INIT_HANDOVER_H
#define INIT_HANDOVER_H

#include <stdbool.h>

#include "fault.h"
#include "ramroot.h"

/*
 * Makes the RAM root the root of every process, has init reread its inittab, waits for the proof
 * that it did, and tells it to restart. Called with all signals blocked; keep_going, asked while
 * waiting, ends it with a 0. Does not return if all goes well: init kills this process. If it
 * returns, the fault says why; the old root is the root again, and everything may be undone, unless
 * *told is true.
 */
int handover(struct ramroot *r, int (*keep_going)(void), bool *told, struct fault *f);

#endif
