/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes between memory and a device, all of them or an error.
 */
#ifndef FLASH_TRANSFER_H
#define FLASH_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads or writes len bytes at byte at, in as many calls as it takes. Returns 0, or -1 with errno:
 * ENODATA or ENOSPC where the device ends before.
 */
int transfer_in(int fd, void *buf, size_t len, uint64_t at);
int transfer_out(int fd, const void *buf, size_t len, uint64_t at);

#endif
