/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal as those keep it who write firmware: what is noted when, and what is told of it.
 * docs/journal.md has its format.
 */
#ifndef INIT_JOURNALING_H
#define INIT_JOURNALING_H

#include <stdbool.h>

#include "config.h"
#include "fault.h"
#include "finding.h"
#include "image.h"
#include "journal.h"
#include "targets.h"

/*
 * Whether img writes what a configuration's target means. Two names that are no MTD's may mean the same,
 * and pass for that.
 */
bool journaling_is_written(const char *target, const struct image *img);

/*
 * The partition of the journal that the writing of img is to be noted in: the configuration's; "" if
 * it names none, or if it says what the guard watches over and the image writes none of that: then no
 * boot has to wait for its end.
 */
const char *journaling_of(const struct config *c, const struct image *img);

/*
 * Checks, before anything is changed, that the partition can be the journal of an update of *t: it is
 * there, can be written, is small, and shares no flash with a target. FAULT_UNFIT. Fills in *found, and
 * adds the partition to *t, so that it is looked who uses it where that is done for the targets.
 */
int journaling_look(const char *partition, struct targets *t, struct finding *found,
		    struct fault *f);

/*
 * Checks that the partition, if it is there, shares no flash with a target; for who has no better choice
 * than to go on without a journal. FAULT_UNFIT.
 */
int journaling_apart(const char *partition, const struct targets *t, struct fault *f);

/* The journal of one run. It stays open, since on NAND each opening costs an eraseblock's erase. */
struct journaling {
	const char *partition; /* "": there is none, and nothing is done */
	struct journal journal;
	bool open;
};

/*
 * Before the first erase: notes that img is being written, unless that is noted already. If this
 * fails nothing may be erased, but by who has erased before.
 */
int journaling_begin(struct journaling *j, const struct image *img, struct fault *f);

/*
 * After the last proof: notes that img is written. good: nobody has to say that it is. begun: somebody has
 * begun to write it; if not, and the journal does not say so either, nothing has changed and nothing is
 * noted. A fault is not about the firmware, which is whole.
 */
int journaling_end(struct journaling *j, const struct image *img, bool good, bool begun,
		   struct fault *f);

void journaling_close(struct journaling *j);

/* Opens and reads it, however it is configured; the caller closes j->t. */
int journaling_open(struct journal *j, const char *partition, enum target_mode mode,
		    struct fault *f);

/*
 * Notes that the firmware which was written last is good, unless that is noted already. FAULT_FAILED if
 * none was written to its end. *last becomes what the journal says then.
 */
int journaling_good(const char *partition, struct journal_entry *last, struct fault *f);

/* A word for each state. */
extern const char *const journaling_states[];

#endif
