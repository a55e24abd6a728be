// SPDX-License-Identifier: GPL-2.0-or-later
#include "progress.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "say.h"

enum { REDRAW_MS = 200, QUIET_MS = 2000, STEP_PERCENT = 5, BAR = 20 };

void progress_start(struct progress *p, const char *what)
{
	memset(p, 0, sizeof(*p));
	p->what = what;
	p->terminal = isatty(STDOUT_FILENO) == 1;
	p->started_ms = clock_ms();
}

static unsigned int percent_of(uint64_t done, uint64_t total)
{
	return total ? (unsigned int)(done * 100 / total) : 100;
}

void progress_format(char *text, size_t size, const char *what, bool bar, uint64_t done,
		     uint64_t total, uint64_t elapsed_ms)
{
	unsigned int percent = percent_of(done < total ? done : total, total);
	uint64_t rate = elapsed_ms ? done * 1000 / elapsed_ms : 0; /* bytes a second */
	uint64_t left = rate && done < total ? (total - done + rate - 1) / rate : 0;
	unsigned int filled = percent * BAR / 100;
	char drawn[BAR + 4] = "";

	if (bar) {
		drawn[0] = '[';
		memset(drawn + 1, ' ', BAR);
		memset(drawn + 1, '#', filled);
		memcpy(drawn + 1 + BAR, "] ", 3);
	}
	(void)snprintf(text, size,
		       "%s %s%3u%%  %" PRIu64 ".%" PRIu64 " of %" PRIu64 ".%" PRIu64
		       " MiB  %" PRIu64 " KiB/s  %" PRIu64 ":%02" PRIu64 " left",
		       what, drawn, percent, done >> 20, (done * 10 >> 20) % 10, total >> 20,
		       (total * 10 >> 20) % 10, rate >> 10, left / 60, left % 60);
}

static void redraw(struct progress *p, uint64_t done, uint64_t total, uint64_t now)
{
	char text[160], line[192];
	int len;

	progress_format(text, sizeof(text), p->what, true, done, total, now - p->started_ms);
	len = snprintf(line, sizeof(line), "%sflashinit: %s\033[K", p->drawn ? "\r" : "", text);
	say_raw(STDOUT_FILENO, line, (size_t)len);
	p->drawn = true;
}

/* A terminal that is stopped, or a pipe that nobody empties, must not stop the work. */
static bool would_block(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 0;
}

void progress_show(struct progress *p, uint64_t done, uint64_t total)
{
	unsigned int percent = percent_of(done, total);
	bool last = done >= total && !p->shown_all; /* never left out, never repeated at once */
	uint64_t now = clock_ms();
	char text[160];

	if (p->terminal || say_is_json()) {
		if ((!last && now - p->shown_ms < REDRAW_MS) || would_block())
			return;
		if (say_is_json())
			json_event("progress",
				   "\"phase\":\"%s\",\"done\":%" PRIu64 ",\"total\":%" PRIu64,
				   p->what, done, total);
		else
			redraw(p, done, total, now);
	} else {
		/* Work that is over before anybody wonders needs no lines. */
		if (now - p->started_ms < QUIET_MS ||
		    (!last && percent < p->shown_percent + STEP_PERCENT) || would_block())
			return;
		progress_format(text, sizeof(text), p->what, false, done, total,
				now - p->started_ms);
		say("%s", text);
	}
	p->shown_all = done >= total;
	p->shown_ms = now;
	p->shown_percent = percent / STEP_PERCENT * STEP_PERCENT;
}

void progress_callback(void *ctx, uint64_t done, uint64_t total)
{
	progress_show(ctx, done, total);
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		say_raw(STDOUT_FILENO, "\n", 1);
	p->drawn = false;
}
