/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device says of itself: /etc/flashinit.conf, lines of "key = value", # for comments.
 */
#ifndef INIT_CONFIG_H
#define INIT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "image.h"
#include "plan.h"

#define CONFIG_FILE "/etc/flashinit.conf"
#define CONFIG_KEYS "/etc/flashinit.keys" /* a folder of public keys, *.pub */

enum { CONFIG_BOARDS_MAX = 8 };

struct config {
	unsigned int board_count;
	char board[CONFIG_BOARDS_MAX][IMAGE_TEXT_MAX + 1];
	uint32_t rollback;
	struct after after;
	char outcome[256]; /* file for the outcome of updates; or empty */
	unsigned int seen; /* bits of keys, while reading */
};

/*
 * Reads the file; none is as good as an empty one. A line that makes no sense is FAULT_UNFIT and
 * named by its number: a device whose limits are unreadable must not be without limits.
 */
int config_read(struct config *c, const char *path, struct fault *f);

/* Takes a number from 0 to 2^32 - 1. False if the text is none. */
bool number_parse(const char *text, uint32_t *number);

#endif
