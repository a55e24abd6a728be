/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_RECOVER_H
#define INIT_RECOVER_H

#include "plan.h"

/*
 * Recovery, by PID 1: lets go of the plan's root, if it has one, searches for an image, writes it, and
 * ends the boot as the plan says. For as long as it takes: it does not return.
 */
void recover(struct plan *plan) __attribute__((noreturn));

#endif
