// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "journal.h"
#include "journaling.h"
#include "report.h"
#include "say.h"
#include "start.h"
#include "target_block.h"
#include "target_mtd.h"
#include "ubi_device.h"

enum { AGAIN_MS = 50 };

/* As long as a volume is being written, its UBI knows it. */
static int look_at_volume(int mtd, const char *volume, enum start_state *s, struct fault *f)
{
	struct ubi_device d;
	struct ubi_volume v;
	int found = ubi_device_find(&d, mtd, f);

	if (found > 0)
		found = ubi_volume_find(&v, &d, volume, f);
	if (found > 0 && (v.updating || v.corrupted))
		*s = START_TORN;
	return found < 0 ? -1 : 0;
}

/* What is no partition of an MTD may be one of a disk. */
static int open_target(struct target **t, const char *name, int *mtd, struct fault *f)
{
	struct fault second;

	*mtd = -1;
	if (target_open_mtd(t, name, TARGET_LOOK, mtd, f) == 0)
		return 0;
	return *mtd < 0 ? target_open_block(t, name, TARGET_LOOK, &second) : -1;
}

/* Devices are found while we run: at first nothing may be there yet. */
static int await_target(struct judge *j, struct target **t, const char *name, int *mtd,
			struct fault *f)
{
	uint64_t end = clock_ms() + j->patience_ms;

	while (open_target(t, name, mtd, f) < 0) {
		if (*mtd < 0 && clock_ms() >= end)
			j->missing = true;
		if (*mtd >= 0 || j->missing)
			return -1;
		(void)report_text(j->reports, REPORT_ALIVE, "waiting for %s", name);
		(void)poll(NULL, 0, AGAIN_MS);
	}
	return 0;
}

static int look_at(struct judge *j, const char *name, enum start_state *s, struct fault *f)
{
	const char *colon = strchr(name, ':');
	struct target *t;
	char part[IMAGE_TEXT_MAX + 1];
	int mtd, result;

	(void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(name, ":"), name);
	if (await_target(j, &t, part, &mtd, f) < 0)
		return -1;
	(void)report_text(j->reports, REPORT_ALIVE, "looking at %s", part);
	result = start_look(t, mtd >= 0 && start_holds_ubi(t), s, f);
	target_close(t);
	if (result == 0 && colon && *s == START_WHOLE)
		result = look_at_volume(mtd, colon + 1, s, f);
	return result;
}

bool judge_is_whole(const char *target)
{
	struct judge j = { .reports = -1 };
	enum start_state s;
	struct fault f;

	return look_at(&j, target, &s, &f) < 0 || s == START_WHOLE;
}

static enum start_state state_of(struct judge *j, const char *name)
{
	enum start_state s;
	struct fault f;

	if (look_at(j, name, &s, &f) == 0)
		return s;
	(void)say_fault(&f);
	say("whether %s is whole is not known", name);
	return START_WHOLE;
}

void judge_read_journal(struct judge *j)
{
	struct journal journal;
	struct fault f;

	memset(&j->last, 0, sizeof(j->last));
	if (!*j->config->journal)
		return;
	if (journaling_open(&journal, j->config->journal, TARGET_LOOK, &f) < 0) {
		(void)say_fault(&f);
		say("the journal cannot be read: only the start of the flash tells whether it is "
		    "whole");
		return;
	}
	target_close(journal.t);
	j->last = journal.last;
}

/* All that a boot ever writes, and a boot that cannot be counted is one all the same. */
void judge_count_boot(const struct judge *j)
{
	struct journal_entry now;
	struct journal journal;
	struct fault f;
	int result;

	if (!j->config->tries || j->last.state != JOURNAL_DONE || j->last.good)
		return;
	result = journaling_open(&journal, j->config->journal, TARGET_WRITE, &f);
	if (result == 0) {
		now = journal.last;
		now.tries++;
		result = journal_append(&journal, &now, &f);
		target_close(journal.t);
	}
	if (result < 0) {
		(void)say_fault(&f);
		say("this boot is not counted");
	}
}

enum verdict judge_targets(struct judge *j, const char *root, char why[VERDICT_WHY])
{
	const struct config *c = j->config;
	enum start_state start[CONFIG_TARGETS_MAX];
	unsigned int count = c->target_count;

	j->missing = false;
	for (unsigned int i = 0; i < count; i++)
		start[i] = state_of(j, c->target[i]);
	if (count == 0 && *root)
		start[count++] = state_of(j, root);
	return verdict_of(&j->last, start, count, c->tries, why);
}
