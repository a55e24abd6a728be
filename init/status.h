/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_STATUS_H
#define INIT_STATUS_H

#include <stdbool.h>

struct status_options {
	const char *outcome; /* the file; NULL: the configuration's */
	bool json;
	bool good; /* say that the firmware that runs is good, and no more */
};

/*
 * The verb status: tells how the last update ended, by the outcome's file; if that has none, by
 * pstore; else by the kernel's log; and what the journal says, if there is one and no file was asked
 * for. Returns the code that it ended with.
 */
int status(const struct status_options *o);

#endif
