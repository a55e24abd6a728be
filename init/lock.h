/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_LOCK_H
#define INIT_LOCK_H

#include "fault.h"

/*
 * Makes this process the only one that updates; another one that has the lock is FAULT_BUSY. The
 * kernel lets go of it when the process ends, however it ends. Returns a descriptor to keep, or -1.
 */
int lock_take(struct fault *f);

/*
 * A bad mark is in the kernel's RAM only: until the next boot, who writes flash lays it out around an
 * eraseblock that the next boot takes for good. From now on lock_take() says so.
 */
void lock_until_reboot(void);

#endif
