/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seals of an image's chunks on their way from the update to PID 1's worker: a file in the RAM root.
 */
#ifndef INIT_SEALS_FILE_H
#define INIT_SEALS_FILE_H

#include "fault.h"
#include "image.h"

/* Makes the file, which must not be there, for root only: the seals' key is secret. */
int seals_file_keep(const char *path, const struct image *img, struct fault *f);

/* Takes the seals from the file, if it is there and holds those of this very image. Else img's own stay. */
void seals_file_take(const char *path, struct image *img);

#endif
