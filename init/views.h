/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_VIEWS_H
#define INIT_VIEWS_H

#include "fault.h"

/* Mounts /proc and /sys where they are not, and makes their folders where that can be. */
int views_provide(struct fault *f);

#endif
