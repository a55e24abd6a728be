/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 3: what a process does on becoming PID 1 in the old one's place.
 */
#ifndef INIT_PID1_H
#define INIT_PID1_H

#include <stdbool.h>

#include "fault.h"

/* Whether this process is in the machine's own PID namespace, not in one of a container. */
bool pid_namespace_is_first(void);

/*
 * Whether this process is the machine's PID 1, and not merely that of a PID namespace of its own:
 * a container, or unshare.
 */
bool pid1_is_us(void);

/*
 * Whether two files of /proc are the same, ours and PID 1's, of what the fault says that we do not share if
 * they are not.
 */
int pid1_shares(const char *ours, const char *its, const char *what, struct fault *f);

/*
 * Ignores what could end or stop us, blocks every other signal, disables Ctrl-Alt-Del (BusyBox
 * enables it just before its exec), closes all inherited descriptors, opens the console anew and
 * locks our pages in RAM. Nothing here can fail: what cannot be had is done without.
 */
void pid1_become(void);

/* Takes no signal otherwise than the kernel does at first, and blocks none: for what execs another. */
void pid1_default_signals(void);

/* Makes sure that /proc, /sys and /dev are mounted and that the RAM root is writable. */
void pid1_settle(void);

/* Waits, but not for long, until the console has sent what was written to it. */
void pid1_drain_console(void);

#endif
