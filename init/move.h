/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_MOVE_H
#define INIT_MOVE_H

#include "fault.h"
#include "plan.h"

/*
 * Makes a RAM root with flashinit and the plan, and has it the root of every process in the place of
 * the one that the kernel mounted, which goes to PLAN_OLD_ROOT. What is left to do is to exec
 * RAMROOT_INIT. To be run in a child of the kernel's first process.
 */
int move_to_ram(const struct plan *plan, struct fault *f);

#endif
