/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BusyBox init as PID 1: recognizing it.
 */
#ifndef INIT_BUSYBOX_H
#define INIT_BUSYBOX_H

#include <stddef.h>

#include "fault.h"

/*
 * Checks that the running program exe (a path like /proc/1/exe) is BusyBox, by the version string
 * that each of its builds carries. version gets it, "v1.35.0". Anything else is FAULT_UNFIT.
 */
int busybox_recognize(const char *exe, char *version, size_t size, struct fault *f);

#endif
