/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens the target that a payload is for, whatever kind it is.
 */
#ifndef FLASH_TARGET_OPEN_H
#define FLASH_TARGET_OPEN_H

#include "image.h"
#include "target.h"

/* As the function for the payload's kind; see target_mtd.h, target_block.h and target_volume.h. */
int target_open(struct target **t, const struct payload *p, enum target_mode mode, struct fault *f);

#endif
