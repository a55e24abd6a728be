/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the image lives, and whether it can stay there when the old root goes.
 */
#ifndef INIT_IMAGE_HOME_H
#define INIT_IMAGE_HOME_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include "fault.h"
#include "firmware.h"
#include "mounts.h"
#include "targets.h"

/*
 * The type of the file system with the number dev, if it outlives every process, the network and
 * the root, whose number is root: it is in memory, on a block device of the hardware's own, or on
 * flash that no target shares. Else NULL. mounts is the table to find it in and holds the answer,
 * sys is where sysfs is mounted.
 */
const char *image_home_type(dev_t dev, dev_t root, const struct mount_table *mounts,
			    const struct targets *targets, const char *sys);

/*
 * Whether it is an overlay: before Linux 5.8 its files may have the numbers of the file system that is
 * its upper layer, while the lower ones go.
 */
bool image_home_is_overlay(const struct statfs *fs);

/*
 * The same for the file system that the firmware is on. NULL, too, for what cannot be read twice,
 * and for plain images, of which an image has yet to be made.
 */
const char *image_home_find(const struct firmware *fw, const struct mount_table *mounts,
			    const struct targets *targets);

/*
 * Makes the firmware's file appear at the new path, read-only: the very file that is open, whatever
 * becomes of its name, and the file system with it, when that is unmounted where it was.
 */
int image_home_move(const struct firmware *fw, const char *path, struct fault *f);

#endif
