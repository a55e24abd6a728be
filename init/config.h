/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device says of itself: /etc/flashinit.conf, lines of "key = value", # for comments.
 */
#ifndef INIT_CONFIG_H
#define INIT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "handover.h"
#include "image.h"
#include "plan.h"

#define CONFIG_FILE "/etc/flashinit.conf"
#define CONFIG_KEYS "/etc/flashinit.keys" /* a folder of public keys, *.pub */

enum { CONFIG_BOARDS_MAX = 8, CONFIG_TARGETS_MAX = 8, CONFIG_SOURCES_MAX = 8 };

/* What the kernel's first process does, if that is us. */
enum config_mode {
	MODE_GUARD,   /* boots what is whole, and finishes what was cut */
	MODE_RECOVER, /* writes an image that it finds */
	MODE_PASS,    /* boots, whatever there is */
};

struct config {
	unsigned int board_count;
	char board[CONFIG_BOARDS_MAX][IMAGE_TEXT_MAX + 1];
	uint32_t rollback;
	struct after after;
	const struct handover *via; /* how PID 1 is taken over; NULL: as it fits */
	char outcome[256];          /* file for the outcome of updates; or empty */
	enum config_mode mode;
	char init[128]; /* the real one; or empty: as the kernel finds it */
	char root[128]; /* in place of the kernel's words of these names; or empty */
	char rootfstype[32];
	char rootflags[128];
	unsigned int target_count; /* partitions that an update writes; none: what the root is on */
	char target[CONFIG_TARGETS_MAX][IMAGE_TEXT_MAX + 1];
	unsigned int source_count;            /* where an image may be, the dearest first */
	char source[CONFIG_SOURCES_MAX][128]; /* mtd:PARTITION or file:PATTERN */
	char journal[IMAGE_TEXT_MAX + 1];     /* the partition for it; or empty */
	uint32_t tries;    /* boots that a new firmware has to be found good in; 0: it is good */
	uint32_t wait;     /* seconds for devices to appear, before the newest image is chosen */
	unsigned int seen; /* bits of keys, while reading */
	bool unsure;       /* the file says more of board or rollback-number than can be read */
};

/*
 * Reads the file; none is as good as an empty one. The first line that makes no sense is FAULT_UNFIT and
 * named by its number: a device whose limits are unreadable must not be without limits. The others are
 * taken all the same, for who has to go on with that.
 */
int config_read(struct config *c, const char *path, struct fault *f);

/*
 * Takes the words "flashinit.KEY=VALUE" of a kernel command line, each in place of what the file says of
 * KEY. The first that makes no sense is FAULT_UNFIT and named; the others are taken all the same.
 */
int config_take_words(struct config *c, const char *cmdline, struct fault *f);

/* Takes a number from 0 to 2^32 - 1. False if the text is none. */
bool number_parse(const char *text, uint32_t *number);

#endif
