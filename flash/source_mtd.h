/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An MTD partition as an image's source: what nandwrite put there, bad eraseblocks left out. For
 * source.c, whose functions these are behind a struct source with an mtd.
 */
#ifndef FLASH_SOURCE_MTD_H
#define FLASH_SOURCE_MTD_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "source.h"

/* Opens /dev/mtdNUMBER; src has a name already. */
int source_mtd_open(struct source *src, unsigned int number, struct fault *f);

int source_mtd_back_to(struct source *src, uint64_t pos, struct fault *f);
int source_mtd_read(struct source *src, void *buf, size_t len, size_t *got, struct fault *f);

#endif
