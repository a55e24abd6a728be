/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outcome of an update: a line at each of its turns, put where the next boot finds it. The last
 * line tells how it ended, or how far it had come when it was cut.
 */
#ifndef INIT_OUTCOME_H
#define INIT_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"
#include "plan.h"

#define OUTCOME_KEPT "/outcome" /* in the RAM root: the user's file, on its own file system */

struct outcome {
	int code;       /* exit code that it stands for if nothing follows */
	char state[16]; /* one word: begun */
	char time[24];  /* of the device's clock: 2026-11-22T18:00:00Z; in order, these sort */
	char text[368]; /* for people */
};

/* Fills it in, with the present time. firmware is the new one's version, or "". */
void outcome_now(struct outcome *o, int code, const char *state, const char *firmware,
		 const char *text);

/*
 * Puts it into pstore (/dev/pmsg0), into the kernel's log, and at the end of a file, which is synced;
 * "" is none. Fails only if it does not get into the file. May hang as that file's system does.
 */
int outcome_write(const struct outcome *o, const char *file, struct fault *f);

/* The same for PID 1 and its worker: in a child, within limits, and what fails is only said. */
void outcome_tell(const struct plan *plan, int code, const char *state, const char *text);

/* Whether what is told outlives a reboot even without a file: a /dev/pmsg0 is there. */
bool outcome_in_pstore(void);

/* Finds the last one in a text: the file's, or a kernel's log. False if there is none. */
bool outcome_find(struct outcome *o, const char *log);

#endif
