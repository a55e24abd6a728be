/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain partition images as a stream: a child reads and checks them again, and gives their chunks
 * through a pipe, as they would stand in an image.
 */
#ifndef INIT_FEEDER_H
#define INIT_FEEDER_H

#include <stdbool.h>

#include <sys/types.h>

#include "fault.h"
#include "raw.h"
#include "source.h"

struct feeder {
	struct source source;
	pid_t pid;   /* 0: there is none */
	int faults;  /* where it tells what went wrong */
	bool ended;  /* by itself, and was waited for */
	bool failed; /* then with this: */
	struct fault fault;
};

/*
 * Starts a child, after ending the one before, if there is one: *fd is all zero or was given to
 * feeder_start() before. What goes wrong with a file then, ends the stream: that it ended is a fault
 * of the source, the child's own, even if all bytes had come by then. raw must outlive the child,
 * and fd must stay where it is.
 */
int feeder_start(struct feeder *fd, struct raw_image *raw, struct fault *f);

/* Ends the child, if there is one, and closes the source. */
void feeder_stop(struct feeder *fd);

#endif
