/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at one place where an image may be, by a child: whatever is plugged in may hang who reads it.
 */
#ifndef INIT_LOOK_H
#define INIT_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"
#include "report.h"
#include "search.h"

/* An image that may be taken, as far as its index tells. */
struct found {
	unsigned int source; /* number of the configuration's line that it is by */
	uint32_t rollback;
	uint32_t
		mark; /* tells it from others, and from itself on a medium that is plugged in anew */
	char id[IMAGE_ID_SIZE];
	char version[IMAGE_TEXT_MAX + 1];
	char path[256]; /* as struct plan has it */
};

_Static_assert(sizeof(struct found) <= sizeof(((struct report *)0)->text), "goes into a report");

/* Where to look: a file ("/image.fwi"), "mtd:NAME", or a block device ("sda1"). */
struct look {
	char place[144];
	uint64_t instance; /* media_instance() */
	pid_t pid;         /* 0: it has yet to start */
	int reports;
	uint64_t deadline_ms;
};

/* What no image is looked for without: any file of that kind on any medium. */
#define LOOK_DEFAULT "file:*.fwi"

/* Starts the child. False: it cannot be. */
bool look_start(struct look *l, const struct search *s, const struct config *c,
		unsigned int limit_ms);

/*
 * Takes its next report: REPORT_SAY, or REPORT_FOUND whose text is a struct found. False: it has none any
 * more, and was ended.
 */
bool look_take(struct look *l, struct report *r);

/* Ends it, whatever it does: one that hangs in the kernel is left behind. */
void look_end(struct look *l);

#endif
