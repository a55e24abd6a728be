/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_STATUS_H
#define INIT_STATUS_H

#include <stdbool.h>

struct status_options {
	const char *outcome; /* the file; NULL: the configuration's */
	bool json;
};

/*
 * The verb status: tells how the last update ended, by the outcome's file; if that has none, by
 * pstore; else by the kernel's log. Returns the code that it ended with.
 */
int status(const struct status_options *o);

#endif
