/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this device takes this image: made for its board, and not older than it allows.
 */
#ifndef INIT_ADMISSION_H
#define INIT_ADMISSION_H

#include <stdbool.h>

#include "config.h"
#include "fault.h"
#include "image.h"

struct board_names {
	const char *source; /* where they were found, for people */
	unsigned int count;
	char name[16][IMAGE_TEXT_MAX + 1];
};

/* Where to look; the tests point it at trees of their own. */
struct board_view {
	const char *compatible; /* the device tree's, strings with a zero behind each */
	const char *dmi;        /* folder of DMI's ids */
};

extern const struct board_view board_live;

/*
 * The device's names: those of the configuration if it has any, else the device tree's
 * "compatible", else DMI's product and board name.
 */
void board_names_find(struct board_names *names, const struct config *c,
		      const struct board_view *view);

struct admission {
	bool force_board;     /* take an image for other boards */
	bool allow_downgrade; /* take an anti-rollback number below the device's */
};

/*
 * Refuses an image for other boards, and one with a lower anti-rollback number than the
 * configuration's (FAULT_IMAGE). The exceptions exist for development: with an image that is signed
 * they are FAULT_USAGE, as the first of these two says.
 */
int admission_board(const struct image *img, const struct board_names *names,
		    const struct admission *except, struct fault *f);
int admission_rollback(const struct image *img, const struct config *c,
		       const struct admission *except, struct fault *f);

#endif
