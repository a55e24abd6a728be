/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FUSE file systems, whose server may be silent, stopped, or wait for itself.
 */
#ifndef INIT_FUSE_H
#define INIT_FUSE_H

#include "fault.h"

/*
 * Ends all FUSE connections by the kernel's control file system, which it mounts on connections, a
 * folder of sysfs, for the time being. Whoever waits for a server gets an error, and can die: a
 * process whose request the server has taken ignores even KILL (Documentation/filesystems/fuse.rst),
 * and one that is its own server would wait for ever. A kernel without FUSE has no such folder.
 */
int fuse_abort(const char *connections, struct fault *f);

#endif
