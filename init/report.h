/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a child that does the work tells PID 1, over a pipe. One write each, shorter than PIPE_BUF,
 * so that none is ever torn.
 */
#ifndef INIT_REPORT_H
#define INIT_REPORT_H

#include <stdint.h>

#include "fault.h"

enum report_kind {
	REPORT_ALIVE, /* something went on; text says what comes next, which may take done ms more */
	REPORT_BEGIN,    /* the next thing changes flash */
	REPORT_PROGRESS, /* done of total bytes */
	REPORT_SAY,      /* text is for people */
	REPORT_MARKED,   /* done eraseblocks were marked bad */
	REPORT_TARGETS,  /* text has the names of the targets, which nothing uses */
	REPORT_FOUND,    /* of the search: an image; text is a struct found */
	REPORT_FAULT,    /* the work failed, with this fault; the last report */
};

struct report {
	enum report_kind kind;
	uint64_t done, total;
	char text[400];
	struct fault fault;
};

/* Sends a report. 0, or -1 with errno if PID 1 cannot be told. */
int report_send(int fd, const struct report *r);

/* Sends one with a text. */
int report_text(int fd, enum report_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
