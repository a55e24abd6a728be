/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watchdogs that run: found while the old system feeds them, fed from its end on. Nobody else may
 * have a watchdog open, and a running one resets the machine once nobody feeds it for its timeout.
 * One that nobody has opened stays as it is.
 *
 * A watchdog's driver may hang, and whoever feeds it with it. That is PID 1 itself: a child could be
 * killed by what kills everybody, and a machine that hangs so is for the watchdog to reset.
 */
#ifndef INIT_WATCHDOG_H
#define INIT_WATCHDOG_H

#include <poll.h>
#include <stdbool.h>

#include "fault.h"
#include "finding.h"

enum { WATCHDOG_NAMES = 64 }; /* room for the names of all that run */

/*
 * Finds the watchdogs that run, by the sysfs mounted at sys and by who has one open in the /proc
 * mounted at proc. If there are any, found tells what they are. Their names, those of the nodes in
 * /dev, go into names, with blanks between them. FAULT_UNFIT if they cannot be found out.
 */
int watchdog_find(char names[WATCHDOG_NAMES], struct finding *found, const char *sys,
		  const char *proc, struct fault *f);

/*
 * In PID 1: adds to names those that run by now, by the sysfs mounted at sys. A child looks: should it fail or hang,
 * which is said, they stay as they are.
 */
void watchdog_find_more(char names[WATCHDOG_NAMES], const char *sys);

/* Takes over these watchdogs, each as soon as its feeder has let it go. Opens nothing yet. */
void watchdog_adopt(const char *names);

/*
 * Opens those that can be had by now, which starts them again if the feeder has stopped them, and
 * feeds those whose time has come. To be called while things go on: whoever waits for what may never
 * come does not call it. Returns the milliseconds until it wants to be called again, or UINT_MAX.
 */
unsigned int watchdog_feed(void);

/* poll(2), feeding meanwhile. UINT_MAX ms waits for as long as it takes. */
int watchdog_poll(struct pollfd *p, nfds_t count, unsigned int ms);

/*
 * Says of each how it is fed. One that still cannot be had, once its feeder should have ended, is a
 * FAULT_UNFIT.
 */
int watchdog_check(struct fault *f);

/* Whether there are any. */
bool watchdog_any(void);

/* Stops them, for a machine that is to stand still; says so if one cannot be stopped. */
void watchdog_stop(void);

/*
 * Before an exec, which closes them without stopping them: gives whoever feeds them next the time to
 * start.
 */
void watchdog_hand_on(void);

/* In a child: closes what it has inherited. They are PID 1's. */
void watchdog_forget(void);

#endif
