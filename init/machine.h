/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_MACHINE_H
#define INIT_MACHINE_H

#include "plan.h"

/* Phase 7: ends this boot. Does not return; what can be tried to get there is tried. */
void machine_end(enum after after) __attribute__((noreturn));

#endif
