/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: what flashinit is to do once it is PID 1, written into the RAM root while staging.
 */
#ifndef INIT_PLAN_H
#define INIT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "image.h"
#include "memory.h"
#include "targets.h"
#include "watchdog.h"

#define PLAN_FILE "/etc/flashinit.plan"
#define PLAN_SEALS "/etc/flashinit.seals" /* seals_file.h; none, if no image was verified */
#define PLAN_OLD_ROOT "/oldroot"

/* What follows once the flash is written. */
enum after_what {
	AFTER_REBOOT,
	AFTER_POWEROFF,
	AFTER_HALT,
	AFTER_BOOT, /* the new root's init becomes PID 1, without a reboot */
	AFTER_EXEC, /* a program in the RAM root does */
};

struct after {
	enum after_what what;
	char program[200]; /* for AFTER_EXEC */
};

/* Each text is a line of the file, by the table in plan.c; an empty one has no line. */
struct plan {
	char image[256];            /* path in the RAM root */
	char sha256[IMAGE_ID_SIZE]; /* image_id() of the one that was admitted */
	char home[32]; /* type of the file system that it stayed on; empty: it was copied */
	char root
		[160]; /* what the old root is on, as root_find() writes it; empty: there is none */
	char exec[256];              /* the command line that does the writing, if it is not us */
	char targets[TARGETS_NAMES]; /* what the image's payloads are written to */
	char watchdogs[WATCHDOG_NAMES]; /* those to take over */
	char outcome[32]; /* path in the RAM root of the file for the outcome; or empty */
	char firmware[IMAGE_TEXT_MAX + 1]; /* its version, for the outcome */
	char journal[IMAGE_TEXT_MAX + 1];  /* the partition of it; or empty */
	char tries[12]; /* boots that the new firmware has to be found good in; empty: it is good */
	char boost[MEMORY_SETTING]; /* for memory_hold_back() */
	/* Of a recovery, in which an image has yet to be found; all empty in an update: */
	char recover[160]; /* why, in words */
	char wanted
		[IMAGE_ID_SIZE]; /* the image that was begun, of the version firmware; or empty */
	char not_image[IMAGE_ID_SIZE]; /* the one that must not be taken; or empty */
	struct after after;
};

/* Whether img is the image that was admitted. */
bool plan_is_for(const struct plan *p, const struct image *img);

/* Has the plan note the journal that a device's configuration says it has, if it says so. */
void plan_take_journal(struct plan *p, const char *journal, uint32_t tries);

/* Takes reboot, poweroff, halt, boot or exec:/PROGRAM; anything else is FAULT_USAGE. */
int plan_take_after(const char *word, struct after *after, struct fault *f);

/*
 * Writes the plan to a file; reads it back. A text with a line end in it cannot be written, which is
 * FAULT_UNFIT. A plan with none of an image, a command line
 * and a reason to recover cannot be read.
 */
int plan_write(const struct plan *p, const char *path, struct fault *f);
int plan_read(struct plan *p, const char *path, struct fault *f);

#endif
