/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The free bytes in a NAND page's OOB: those that neither the ECC nor the bad-block mark needs, in
 * the order in which the driver counts them. There the kernel's JFFS2 keeps its cleanmarkers.
 */
#ifndef FLASH_MTD_OOB_H
#define FLASH_MTD_OOB_H

#include <stdint.h>

/*
 * Reads or writes the first len free bytes of the page at so many bytes from the start of the MTD
 * device open at fd. Returns 0, or -1 with errno; EOPNOTSUPP: the driver leaves fewer bytes free, or
 * does not tell which.
 */
int mtd_oob_read(int fd, uint64_t page, void *buf, uint32_t len);
int mtd_oob_write(int fd, uint64_t page, const void *buf, uint32_t len);

/*
 * Whether the page's OOB has a bad-block mark, as factories and the kernel set it: in its first byte,
 * or in its sixth where pages have 512 bytes. Returns 1 or 0, or -1 with errno.
 */
int mtd_oob_has_mark(int fd, uint64_t page, uint32_t page_size);

#endif
