/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress of long work: one line redrawn on a terminal, a line per 5 percent elsewhere, events where
 * JSON is wanted.
 */
#ifndef INIT_PROGRESS_H
#define INIT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what; /* "verifying", "writing" */
	bool terminal;
	uint64_t started_ms, shown_ms;
	unsigned int shown_percent;
	bool shown_all; /* that all is done was told */
	bool drawn;     /* a line stands on the terminal without its end */
};

/* Starts anew; what must outlive p. */
void progress_start(struct progress *p, const char *what);

/* Shows done of total bytes, if it is time to. */
void progress_show(struct progress *p, uint64_t done, uint64_t total);

/* The same as a callback, for the library; ctx is a struct progress. */
void progress_callback(void *ctx, uint64_t done, uint64_t total);

/* Ends the line that is being redrawn, so that other lines can follow. */
void progress_end(struct progress *p);

/*
 * Formats one line into text: what, bar (on a terminal), percent, MiB done, rate, time left.
 * elapsed_ms since the start. For progress_show() and the tests.
 */
void progress_format(char *text, size_t size, const char *what, bool bar, uint64_t done,
		     uint64_t total, uint64_t elapsed_ms);

#endif
