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

#define MEMORY_VM "/proc/sys/vm"

enum { MEMORY_SETTING = 16 };

/*
 * Linux since 5.0 raises a zone's watermarks by as much as a pageblock (4 MiB, or 2) whenever kinds of
 * memory mix there, so that the next one can be had in one piece. MemAvailable knows nothing of that,
 * and where nothing is left to reclaim the OOM killer comes although memory_check() was right. So
 * the kernel is told not to, and to lower them again (vm is MEMORY_VM). `was` is the setting until
 * then, for memory_hold_back(); it is empty where there is none, or none that we can change.
 */
void memory_hold_nothing_back(const char *vm, char was[MEMORY_SETTING]);

/* Puts the setting back; an empty one is none. */
void memory_hold_back(const char *vm, const char *was);

/* Asks the kernel never to end this process for want of memory. If it will not be asked, so be it. */
void memory_spare_us(void);

#endif
