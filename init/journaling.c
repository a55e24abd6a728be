// SPDX-License-Identifier: GPL-2.0-or-later
#include "journaling.h"

#include <stdio.h>
#include <string.h>

#include "mtd_device.h"
#include "mtd_map.h"
#include "target_mtd.h"

/* Of a configuration's target or a payload's; a volume counts as what it is on. */
static int number_of(const char *name)
{
	char part[IMAGE_TEXT_MAX + 1];
	struct fault none;
	int number;

	(void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(name, ":"), name);
	return mtd_device_find(part, &number, &none) < 0 ? -1 : number;
}

bool journaling_is_written(const char *target, const struct image *img)
{
	for (unsigned int i = 0; i < img->payload_count; i++)
		if (number_of(img->payload[i].part) == number_of(target))
			return true;
	return false;
}

const char *journaling_of(const struct config *c, const struct image *img)
{
	for (unsigned int k = 0; k < c->target_count; k++)
		if (journaling_is_written(c->target[k], img))
			return c->journal;
	return c->target_count ? "" : c->journal;
}

int journaling_open(struct journal *j, const char *partition, enum target_mode mode,
		    struct fault *f)
{
	struct target *t;

	if (target_open_mtd(&t, partition, mode, NULL, f) < 0)
		return -1;
	if (journal_read(j, t, f) == 0)
		return 0;
	target_close(t);
	return -1;
}

/* No firmware was touched: it is the device that does not fit. */
static int unfit(int result, struct fault *f)
{
	if (result < 0 && f->kind == FAULT_FLASH)
		f->kind = FAULT_UNFIT;
	return result;
}

int journaling_apart(const char *partition, const struct targets *t, struct fault *f)
{
	const struct mtd_place *place, *other;
	struct fault none;
	struct mtd_map map;
	int number;

	if (mtd_device_find(partition, &number, &none) < 0)
		return 0;
	if (mtd_map_read(&map, "/sys", f) < 0)
		return -1;
	place = mtd_map_find(&map, number);
	for (unsigned int i = 0; place && i < t->count; i++) {
		other = mtd_map_find(&map, mtd_under(t->device[i], "/sys"));
		if (other && mtd_overlap(place, other))
			return fault_set(f, FAULT_UNFIT,
					 "the journal, %s (mtd%d), shares flash with %s, which is "
					 "written",
					 partition, number, t->device[i]);
	}
	return 0;
}

const char *const journaling_states[] = {
	[JOURNAL_EMPTY] = "empty",
	[JOURNAL_BEGUN] = "begun",
	[JOURNAL_DONE] = "done",
};

static int look(struct journal *j, struct targets *t, struct finding *found, struct fault *f)
{
	uint32_t good;

	if (target_good_blocks(j->t, &good, NULL, f) < 0)
		return -1;
	memcpy(t->device[t->count++], j->t->device, sizeof(t->device[0]));
	finding_figure(found, "eraseblocks", j->t->blocks);
	finding_figure(found, "bad", j->t->blocks - good);
	finding_say(found, "%s is %s: %u of its %u eraseblocks are good; it says: %s", j->t->name,
		    j->t->device, good, j->t->blocks, journaling_states[j->last.state]);
	return 0;
}

int journaling_look(const char *partition, struct targets *t, struct finding *found,
		    struct fault *f)
{
	struct journal j;
	int result;

	found->part = partition;
	if (journaling_apart(partition, t, f) < 0 ||
	    unfit(journaling_open(&j, partition, TARGET_LOOK, f), f) < 0)
		return -1;
	result = unfit(look(&j, t, found, f), f);
	target_close(j.t);
	return result;
}

static void describe(struct journal_entry *e, enum journal_state state, const struct image *img)
{
	memset(e, 0, sizeof(*e));
	e->state = state;
	image_id(img, e->id);
	memcpy(e->version, img->fw_version, sizeof(e->version));
}

static int open_once(struct journaling *j, struct fault *f)
{
	if (!j->open && journaling_open(&j->journal, j->partition, TARGET_WRITE, f) < 0)
		return -1;
	j->open = true;
	return 0;
}

void journaling_close(struct journaling *j)
{
	if (j->open)
		target_close(j->journal.t);
	j->open = false;
}

int journaling_begin(struct journaling *j, const struct image *img, struct fault *f)
{
	const struct journal_entry *last = &j->journal.last;
	struct journal_entry e;

	if (!*j->partition)
		return 0;
	describe(&e, JOURNAL_BEGUN, img);
	if (open_once(j, f) < 0)
		return unfit(-1, f);
	if (last->state == JOURNAL_BEGUN && strcmp(last->id, e.id) == 0)
		return 0;
	return unfit(journal_append(&j->journal, &e, f), f);
}

/* Or a guard would write anew, at each boot, what is whole. */
static bool forget(struct journaling *j)
{
	struct fault none;

	return j->open && j->journal.last.state == JOURNAL_BEGUN &&
	       journal_forget(&j->journal, &none) == 0;
}

int journaling_end(struct journaling *j, const struct image *img, bool good, bool begun,
		   struct fault *f)
{
	struct journal_entry e;
	struct fault why;

	if (!*j->partition)
		return 0;
	describe(&e, JOURNAL_DONE, img);
	e.good = good;
	if (open_once(j, &why) == 0 && ((!begun && j->journal.last.state != JOURNAL_BEGUN) ||
					journal_append(&j->journal, &e, &why) == 0))
		return 0;
	return fault_set(f, FAULT_FLASH,
			 "the firmware is written and proven, but the journal does not say so: "
			 "%.200s%s",
			 why.text, forget(j) ? "; it is empty now, and boots are not counted" : "");
}

int journaling_good(const char *partition, struct journal_entry *last, struct fault *f)
{
	struct journal j;
	int result = -1;

	if (unfit(journaling_open(&j, partition, TARGET_WRITE, f), f) < 0)
		return -1;
	*last = j.last;
	last->good = true;
	if (last->state == JOURNAL_DONE)
		result = unfit(journal_append(&j, last, f), f);
	else
		(void)fault_set(f, FAULT_FAILED,
				"the journal tells of no update that was done: nothing can be good "
				"(it says: %s)",
				journaling_states[last->state]);
	target_close(j.t);
	return result;
}
