/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phases 4 and 5: make everything let go of the flash, and prove that it did.
 */
#ifndef INIT_CLEAR_H
#define INIT_CLEAR_H

#include "fault.h"
#include "plan.h"

/*
 * Takes swap off, detaches loop devices, unmounts all of the old root, and detaches UBI from what
 * is overwritten, again and again while anything changes; then proves that nothing uses a target. These
 * are those of the image and, where a program does the writing, the device that the old root is on.
 * Whatever still uses one is named on the console, and the fault is FAULT_BUSY. Runs in a child: unmounting can hang.
 */
int clear_and_prove(const struct plan *plan, int reports, struct fault *f);

#endif
