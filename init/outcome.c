// SPDX-License-Identifier: GPL-2.0-or-later
#include "outcome.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "files.h"
#include "say.h"

enum { WRITE_MS = 5000 };

/* As the kernel's log shows a line of ours, too. */
static const char mark[] = "flashinit: outcome ";

/* Days since 1970 as a date, counted from 1 March on: leap days come last. */
static void format_time(char *to, size_t size, time_t now)
{
	unsigned int seconds = (unsigned int)(now % 86400);
	unsigned int days = (unsigned int)(now / 86400) + 719468;
	unsigned int era = days / 146097, day = days % 146097;
	unsigned int year = (day - day / 1460 + day / 36524 - day / 146096) / 365, month;
	char text[80]; /* for years that the clock does not reach */

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	(void)snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02uZ",
		       era * 400 + year + month / 10, month < 10 ? month + 3 : month - 9, day + 1,
		       seconds / 3600, seconds / 60 % 60, seconds % 60);
	memcpy(to, text, size - 1);
}

void outcome_now(struct outcome *o, int code, const char *state, const char *firmware,
		 const char *text)
{
	memset(o, 0, sizeof(*o));
	o->code = code;
	(void)snprintf(o->state, sizeof(o->state), "%s", state);
	format_time(o->time, sizeof(o->time), time(NULL));
	(void)snprintf(o->text, sizeof(o->text), "%s%s%s%s", *firmware ? "firmware " : "", firmware,
		       *firmware ? ": " : "", text);
}

static const char pmsg[] = "/dev/pmsg0";

bool outcome_in_pstore(void)
{
	return access(pmsg, F_OK) == 0;
}

static int append(const char *path, int create, const char *line)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | create, 0644);
	int result;

	if (fd < 0)
		return -1;
	result = fd_write(fd, line, strlen(line));
	if (fsync(fd) < 0 && create)
		result = -1; /* a device has nothing to sync */
	return close(fd) < 0 ? -1 : result;
}

int outcome_write(const struct outcome *o, const char *file, struct fault *f)
{
	char text[sizeof(*o) + sizeof(mark) + 32] = "<5>"; /* a level, for the kernel's log */
	char *line = text + 3;

	(void)snprintf(line, sizeof(text) - 3, "%s%d %s %s %s\n", mark, o->code, o->state, o->time,
		       o->text);
	(void)append(pmsg, 0, line);        /* most kernels have none, ... */
	(void)append("/dev/kmsg", 0, text); /* ... and nobody may read it */
	if (*file && append(file, O_CREAT, line) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot write the outcome", file);
	return 0;
}

struct telling {
	struct outcome outcome;
	const char *file;
};

static int run(void *ctx, int reports, struct fault *f)
{
	const struct telling *t = ctx;

	(void)reports;
	if (*t->file && access(t->file, W_OK) < 0) /* systemd has made it read-only */
		(void)mount(NULL, t->file, NULL, MS_REMOUNT, NULL);
	return outcome_write(&t->outcome, t->file, f);
}

void outcome_tell(const struct plan *plan, int code, const char *state, const char *text)
{
	static bool hung; /* and would once more */
	struct telling t = { .file = hung ? "" : plan->outcome };
	const struct child_work work = {
		.name = "writing the outcome",
		.run = run,
		.ctx = &t,
		.stall_ms = WRITE_MS,
	};
	enum child_end end;
	struct fault f;

	outcome_now(&t.outcome, code, state, plan->firmware, text);
	end = child_run(&work, &f);
	if (end != CHILD_SUCCEEDED)
		(void)say_fault(&f);
	hung |= end == CHILD_STALLED;
}

/* Takes the next word of a line. False if there is none, or if it does not fit. */
static bool take_word(const char **line, char *to, size_t size)
{
	size_t len = strcspn(*line, " \n");

	if (len == 0 || len >= size || (*line)[len] != ' ')
		return false;
	memcpy(to, *line, len);
	to[len] = '\0';
	*line += len + 1;
	return true;
}

static bool parse(struct outcome *o, const char *line)
{
	char code[2];

	if (!take_word(&line, code, sizeof(code)) || code[0] < '0' || code[0] > '6' ||
	    !take_word(&line, o->state, sizeof(o->state)) ||
	    !take_word(&line, o->time, sizeof(o->time)) || !strchr(line, '\n'))
		return false;
	o->code = code[0] - '0';
	(void)snprintf(o->text, sizeof(o->text), "%.*s", (int)strcspn(line, "\n"), line);
	return true;
}

/* One that a cut tore counts for nothing: the one before it holds. */
bool outcome_find(struct outcome *o, const char *log)
{
	struct outcome next;
	bool found = false;

	while ((log = strstr(log, mark))) {
		log += sizeof(mark) - 1;
		if (!parse(&next, log))
			continue;
		*o = next;
		found = true;
	}
	return found;
}
