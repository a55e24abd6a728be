/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel tells of devices that come and go.
 */
#ifndef INIT_UEVENT_H
#define INIT_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

enum uevent_action {
	UEVENT_OTHER,
	UEVENT_ADD,
	UEVENT_REMOVE,
	UEVENT_MEDIUM, /* the medium in a drive is another one */
	UEVENT_LOST,   /* some events were: whatever there is has to be looked at */
};

struct uevent {
	enum uevent_action action;
	char subsystem[16]; /* block */
	char device[32];    /* sda1 */
};

/* Opens a socket that never blocks and has all events from now on. -1 with a fault: there is none. */
int uevent_open(struct fault *f);

/* Takes the next event. False: there is none now. */
bool uevent_next(int fd, struct uevent *e);

/* Parses a message of size bytes, of which the last one is 0. For uevent_next() and the tests. */
void uevent_parse(struct uevent *e, const char *message, size_t size);

#endif
