/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be true of an index that was not refused.
 */
#ifndef TESTS_IMAGE_CHECKS_H
#define TESTS_IMAGE_CHECKS_H

#include "image.h"

void check_image(const struct image *img);

#endif
