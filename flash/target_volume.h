/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A UBI volume as a flash target, by the kernel's update protocol.
 */
#ifndef FLASH_TARGET_VOLUME_H
#define FLASH_TARGET_VOLUME_H

#include "image.h"
#include "target.h"

/*
 * Opens the volume p->volume on the UBI device that is attached to the MTD partition p->part. One
 * that is not there, is too small, has another size than p->volume_size asks for or another type is
 * made, resized or made anew, but not before update() is called: here is only checked that there is
 * room for it. No UBI on the partition, or no room, is FAULT_UNFIT; a volume that somebody has open
 * (a mount, ubiblock) is FAULT_BUSY for TARGET_WRITE. Its eraseblocks are the volume's logical ones
 * as they will be. (*t)->device is ubiN as long as the volume does not exist, and *ubi (may be NULL)
 * becomes that N. Missing nodes are made in /dev. The caller closes *t with target_close().
 *
 * Until update(), a volume that is not as it is wanted, to the byte for a static one, cannot be
 * read, with 0 in err: whatever its bytes are, it does not hold the contents. program() takes the
 * last bytes as they are or with the rest of their page, which is not written. After an operation
 * that failed, update() begins anew.
 */
int target_open_volume(struct target **t, const struct payload *p, enum target_mode mode, int *ubi,
		       struct fault *f);

#endif
