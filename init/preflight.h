/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 0: everything that can be found out before anything is changed.
 */
#ifndef INIT_PREFLIGHT_H
#define INIT_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "fault.h"
#include "firmware.h"
#include "memory.h"
#include "mounts.h"
#include "targets.h"
#include "update.h"
#include "watchdog.h"

struct preflight {
	struct config config;
	const struct update_options *options;
	struct firmware firmware;
	struct targets targets;
	struct mount_table will_go;        /* those that any process can reach */
	struct mount_table all, reachable; /* what is mounted, whether it can be reached or not */
	const struct handover *via;        /* how PID 1 is taken over */
	const char *outcome;               /* file for it; "" is none */
	const char *journal;               /* partition of it; "" is none */
	char home[32]; /* type of the file system that the image stays on; or empty */
	char watchdogs[WATCHDOG_NAMES]; /* those that run */
	char root[160];                 /* what / is on, as root_find() writes it; or empty */
	char boost[MEMORY_SETTING];     /* as memory_hold_nothing_back() found it */
	struct includes includes;
	uint64_t staged; /* bytes that the RAM root will hold */
	int lock;
	unsigned int unknown; /* what the conditions that are left cannot be told without */
	unsigned int unmet;   /* conditions so far */
	struct fault first;   /* why the first of them was not */
	unsigned int payload; /* that a condition is looked at for */
};

/*
 * Opens and verifies the firmware in full, and checks that this device takes it, that this system
 * can be taken over and that the firmware fits its flash. Tells what it found out about the
 * firmware and its targets, or, for the verb check or where JSON is wanted, about every condition. For
 * check it goes on as far as it can behind what is not met, and says that as well; the fault is the
 * first one's. Keeps the firmware open (the options must outlive p) and the lock; release with
 * preflight_end(), also after a failure.
 */
int preflight_run(struct preflight *p, const struct update_options *o, struct fault *f);
void preflight_end(struct preflight *p);

#endif
