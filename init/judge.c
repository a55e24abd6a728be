// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "journaling.h"
#include "say.h"
#include "start.h"
#include "target_block.h"
#include "target_mtd.h"
#include "ubi_device.h"

/* Eraseblocks to look at, since one of a UBI may just have been erased when the power was cut. */
enum { UBI_LOOKS = 4 };

static bool holds_ubi(struct target *t)
{
	uint32_t eb = 0;
	char magic[4];
	struct fault f;

	for (int i = 0; i < UBI_LOOKS && target_next_good(t, &eb, &f) > 0; i++, eb++)
		if (t->ops->read(t, eb, 0, magic, sizeof(magic), &f) == 0 &&
		    memcmp(magic, "UBI#", sizeof(magic)) == 0)
			return true;
	return false;
}

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

static int look_at(const char *name, enum start_state *s, struct fault *f)
{
	const char *colon = strchr(name, ':');
	struct target *t;
	char part[IMAGE_TEXT_MAX + 1];
	int mtd, result;

	(void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(name, ":"), name);
	if (open_target(&t, part, &mtd, f) < 0)
		return -1;
	result = start_look(t, mtd >= 0 && holds_ubi(t), s, f);
	target_close(t);
	if (result == 0 && colon && *s == START_WHOLE)
		result = look_at_volume(mtd, colon + 1, s, f);
	return result;
}

static enum start_state state_of(const char *name)
{
	enum start_state s;
	struct fault f;

	if (look_at(name, &s, &f) == 0)
		return s;
	(void)say_fault(&f);
	say("whether %s is whole is not known", name);
	return START_WHOLE;
}

static bool has_journal(const struct config *c, struct journal_entry *last)
{
	struct journal j;
	struct fault f;

	if (!*c->journal)
		return false;
	if (journaling_open(&j, c->journal, TARGET_LOOK, &f) < 0) {
		(void)say_fault(&f);
		say("the journal cannot be read: only the start of the flash tells whether it is "
		    "whole");
		return false;
	}
	target_close(j.t);
	*last = j.last;
	return true;
}

/* All that a boot ever writes, and a boot that cannot be counted is one all the same. */
static void count_boot(const struct config *c)
{
	struct journal_entry now;
	struct journal j;
	struct fault f;
	int result = journaling_open(&j, c->journal, TARGET_WRITE, &f);

	if (result == 0) {
		now = j.last;
		now.tries++;
		result = journal_append(&j, &now, &f);
		target_close(j.t);
	}
	if (result < 0) {
		(void)say_fault(&f);
		say("this boot is not counted");
	}
}

enum verdict judge(const struct config *config, const char *root, struct journal_entry *last,
		   char why[VERDICT_WHY])
{
	enum start_state start[CONFIG_TARGETS_MAX];
	unsigned int count = config->target_count;
	enum verdict v;
	bool journal;

	memset(last, 0, sizeof(*last));
	journal = has_journal(config, last);
	for (unsigned int i = 0; i < count; i++)
		start[i] = state_of(config->target[i]);
	if (count == 0 && *root)
		start[count++] = state_of(root);
	v = verdict_of(journal ? last : NULL, start, count, config->tries, why);
	if (v == VERDICT_BOOT && config->tries && last->state == JOURNAL_DONE && !last->good)
		count_boot(config);
	return v;
}
