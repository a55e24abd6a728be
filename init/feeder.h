/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain partition images as a stream: a child reads and checks them again, and gives their chunks
 * through a pipe, as they would stand in an image.
 */
#ifndef INIT_FEEDER_H
#define INIT_FEEDER_H

#include <sys/types.h>

#include "fault.h"
#include "raw.h"
#include "source.h"

struct feeder {
	struct source source;
	pid_t pid; /* 0: there is none */
};

/*
 * Starts a child, after ending the one before, if there is one: *fd is all zero or was given to
 * feeder_start() before. What goes wrong with a file then, the child tells itself, and ends the
 * stream early. raw must outlive the child.
 */
int feeder_start(struct feeder *fd, struct raw_image *raw, struct fault *f);

/* Ends the child, if there is one, and closes the source. */
void feeder_stop(struct feeder *fd);

#endif
