/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes in /dev.
 */
#ifndef FLASH_DEVICE_NODE_H
#define FLASH_DEVICE_NODE_H

#include <sys/types.h>

#include "fault.h"

/*
 * Sees to it that the node at path is the device of this type (S_IFCHR or S_IFBLK) and number, and
 * makes it where there is none: a /dev without devtmpfs lacks what appeared since it was filled.
 * A node that is something else is left alone. Returns 0, or -1 with FAULT_UNFIT.
 */
int device_node_provide(const char *path, mode_t type, dev_t number, struct fault *f);

/*
 * As open() with O_CLOEXEC, but the descriptor is never 0 to 2: where those were closed, a line for
 * stderr must not be programmed into flash.
 */
int device_node_open(const char *path, int flags);

#endif
