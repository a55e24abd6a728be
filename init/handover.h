/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 2: pivot into the RAM root and have PID 1 exec flashinit there, by a method that it knows.
 */
#ifndef INIT_HANDOVER_H
#define INIT_HANDOVER_H

#include <stdbool.h>

#include "fault.h"
#include "finding.h"
#include "ramroot.h"

/* A way to have PID 1 exec flashinit. All are called in PID 1's namespaces, as root. */
struct handover {
	const char *name;
	bool only_if_asked; /* for by its name: never chosen by itself */
	/*
	 * The folder that the RAM root has to be on, if PID 1 makes it the root itself: then the old one is
	 * the root in all of these. Else NULL: the RAM root is the root before PID 1 is told anything.
	 */
	const char *place;
	/*
	 * Whether this PID 1 can be taken over so, and what tells. 1, with why, if it is of the method's
	 * own kind but cannot be now: then no other one is asked. Changes nothing.
	 */
	int (*fits)(struct finding *found, struct fault *f);
	/*
	 * With the RAM root as the root, or in its place: has PID 1 get ready, and proves that it is. keep_going, asked
	 * while waiting, ends it with a 0.
	 */
	int (*prepare)(int (*keep_going)(void), struct fault *f);
	/*
	 * Has PID 1 exec flashinit, which ends this process: returns only if that fails. *told is set
	 * from where on it cannot be undone.
	 */
	int (*trigger)(bool *told, struct fault *f);
	/* With the old root back: has PID 1 go on as before, whichever of the two has failed. */
	void (*undo)(void);
};

extern const struct handover handover_auto, handover_busybox, handover_sysvinit, handover_openrc,
	handover_procd, handover_systemd, handover_ptrace;

/* For fits(): a 1 with a fault if that program, by which PID 1 is asked, cannot be run; else 0. */
int handover_need(const char *client, struct fault *f);

/*
 * Runs a program of the old system, whose root is at that path. True if it has succeeded within ms milliseconds;
 * else why not, it says itself. It ends when keep_going gives a 0.
 */
bool handover_ask(const char *root, const char *const *words, unsigned int ms,
		  int (*keep_going)(void));

/* In PID 1: takes to the RAM root what systemd has left behind. True if it was systemd that has handed over. */
bool handover_systemd_settle(void);

/* Whether PID 1 is seen to run flashinit within ms milliseconds. With the RAM root as the root. */
bool handover_seen(unsigned int ms);

/* By this name procd asks flashinit in the RAM root whether its image will do: answers, and returns true. */
bool handover_procd_answers(const char *name);

/* Takes the name of a method, or "auto". One that there is not is FAULT_USAGE. */
int handover_take(const char *name, const struct handover **via, struct fault *f);

/*
 * The method that is asked for, or, if that is NULL or handover_auto, the first that fits; NULL with why if none
 * does.
 */
const struct handover *handover_choose(const struct handover *asked, struct finding *found,
				       struct fault *f);

/*
 * Makes the RAM root the root of every process, and has PID 1 exec flashinit by that method. Called
 * with all signals blocked; keep_going, asked while waiting, ends it with a 0. Does not return if all
 * goes well: this process is killed. If it returns, the fault says why; the old root is the root
 * again, and everything may be undone, unless *told is true.
 */
int handover(const struct handover *via, struct ramroot *r, int (*keep_going)(void), bool *told,
	     struct fault *f);

#endif
