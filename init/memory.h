/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_MEMORY_H
#define INIT_MEMORY_H

#include <stdint.h>

#include "fault.h"

/*
 * Checks that the kernel could give need bytes without the OOM killer, by MemAvailable of the
 * given meminfo file, which is *have bytes. Too little is FAULT_UNFIT, with both figures.
 */
int memory_check(const char *meminfo, uint64_t need, uint64_t *have, struct fault *f);

/* Asks the kernel never to end this process for want of memory. If it will not be asked, so be it. */
void memory_spare_us(void);

#endif
