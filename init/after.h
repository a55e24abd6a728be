/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_AFTER_H
#define INIT_AFTER_H

#include "plan.h"

/* Phase 7: what the plan says. Where PID 1 cannot become what it should, the machine is rebooted. */
void after_update(const struct plan *plan) __attribute__((noreturn));

#endif
