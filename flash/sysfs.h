/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of sysfs, each of which the kernel gives in one piece.
 */
#ifndef FLASH_SYSFS_H
#define FLASH_SYSFS_H

#include <stddef.h>

/*
 * Reads a file of sysfs as text, without the newline at its end; what does not fit is cut off.
 * Returns 0, or -1 with errno, which is ENOENT or ENODEV where there is no such thing (any more).
 */
int sysfs_read(const char *path, char *text, size_t size);

#endif
