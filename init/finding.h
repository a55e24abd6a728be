/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found out about one condition of an update: a line for people, and figures for scripts.
 */
#ifndef INIT_FINDING_H
#define INIT_FINDING_H

#include <stdint.h>

#include "fault.h"

struct finding {
	char text[256];
	const char *part; /* the payload's partition, where it is about one; or NULL */
	unsigned int figures;
	struct {
		const char *name;
		uint64_t value;
	} figure[4];
};

/* Says it in words. */
void finding_say(struct finding *found, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds a figure; there is room for four. name must outlive found. */
void finding_figure(struct finding *found, const char *name, uint64_t value);

/*
 * Tells it on standard output: a line, or an event where JSON is wanted. f is why the condition is
 * not met, or NULL if it is: as a line that is left to whoever has the fault.
 */
void finding_tell(const struct finding *found, const char *name, const struct fault *f);

#endif
