/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Media that may hold an image: disks, sticks and cards, and their file systems.
 */
#ifndef INIT_MEDIA_H
#define INIT_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

#define MEDIA_FOLDER "/media" /* the file system of sda1 is at /media/sda1 */

/*
 * Whether a block device, by its name, may hold a file system with an image on it: it has a medium, and
 * is neither made of flash or memory nor a disk that has partitions.
 */
bool media_may_hold(const char *device);

/* A number that another device of the same name will not have, which was plugged in later. */
uint64_t media_instance(const char *device);

/*
 * Mounts the file system of a block device where its name says, so that nothing at all is written to it:
 * in a mount namespace of this process's own, with which the mount will go. Any type that the kernel has.
 */
int media_mount(const char *device, struct fault *f);

/* The same for the device that a path below MEDIA_FOLDER is on; other paths need no mount. */
int media_mount_for(const char *path, struct fault *f);

#endif
