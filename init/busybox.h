/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BusyBox init as PID 1: recognizing it.
 */
#ifndef INIT_BUSYBOX_H
#define INIT_BUSYBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

/*
 * Checks that the program exe (a path like /proc/1/exe) is BusyBox, by the version string that each
 * of its builds carries. version gets it, "v1.35.0". Anything else is FAULT_UNFIT.
 */
int busybox_recognize(const char *exe, char *version, size_t size, struct fault *f);

/*
 * Checks that the process whose folder in /proc is given is BusyBox and runs as init, not as a
 * shell, say, which takes no notice of a QUIT; and that it can be known when it is ready for one.
 */
int busybox_is_init(const char *proc_pid, char *version, size_t size, struct fault *f);

/* Whether these bytes are in the program exe. One that cannot be read is FAULT_UNFIT. */
int program_has(const char *exe, const char *what, size_t size, bool *has, struct fault *f);

/* Whether the program exe is built with FEATURE_USE_INITTAB. */
int busybox_reads_inittab(const char *exe, bool *reads, struct fault *f);

/*
 * Whether it waits for signals, and takes one after the other, as since 1.32: it has no handler for
 * QUIT then, and blocks SIGCHLD.
 */
bool busybox_waits_for_signals(const char *proc_pid);

/* Whether such a one has taken a SIGCHLD, which means nothing to it. */
bool busybox_took_signal(const char *proc_pid);

#endif
