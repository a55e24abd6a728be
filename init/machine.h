/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_MACHINE_H
#define INIT_MACHINE_H

#include "plan.h"

/*
 * Makes a file system read-only, if that can be had soon: cleaner for what is on it, which is used
 * to power cuts if not.
 */
void machine_leave(const char *dir);

/*
 * sync(2), which waits for ever for a file system whose server has gone: FAULT_UNFIT after a minute.
 */
int machine_sync(struct fault *f);

/*
 * Ends this boot: after is AFTER_REBOOT, AFTER_POWEROFF or AFTER_HALT. Does not return; what can be
 * tried to get there is tried.
 */
void machine_end(enum after_what after) __attribute__((noreturn));

#endif
