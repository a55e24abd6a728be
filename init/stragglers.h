/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stragglers: every process that is neither PID 1 nor a kernel thread.
 */
#ifndef INIT_STRAGGLERS_H
#define INIT_STRAGGLERS_H

/*
 * For PID 1 only, which must have no child of its own that it wants to keep: TERM, a second of
 * grace, then KILL until none is left, reaping all; whoever waits for a FUSE server is let go. Names those that would not die within
 * patience_ms (a driver can hold a process in the kernel for tens of seconds; openwrt issue 12235)
 * and returns how many they are.
 */
unsigned int stragglers_kill(unsigned int patience_ms);

/* Names every straggler there is, with its state and where in the kernel it sleeps. */
unsigned int stragglers_name(void);

#endif
