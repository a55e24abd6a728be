/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of an initramfs into the root that it has mounted.
 */
#ifndef INIT_SWITCH_ROOT_H
#define INIT_SWITCH_ROOT_H

#include <stdbool.h>

#include "fault.h"

/* Whether / is what the kernel unpacked, or a system in RAM as well. */
bool switch_root_is_initramfs(void);

/*
 * Removes all that is in the initramfs, an open folder that it closes: its memory is then free. Spares
 * what other file systems are mounted on. In a child: it can take a while.
 */
void switch_root_empty(int initramfs);

/*
 * Makes NEW_ROOT the root of this process in the initramfs's place, and opens the console anew, as the
 * kernel would have. Nothing here takes long.
 */
int switch_root(struct fault *f);

#endif
