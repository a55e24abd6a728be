/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_UPDATE_H
#define INIT_UPDATE_H

#include <stdbool.h>

#include "firmware.h"
#include "handover.h"
#include "plan.h"

struct update_options {
	struct firmware_request *firmware;
	struct after after;
	bool after_given;           /* if not, the configuration says it */
	const char *outcome;        /* file; NULL: the configuration says it */
	const struct handover *via; /* NULL: the configuration says it, or PID 1 */
	bool check_only;            /* phase 0 only */
	bool dry_run;               /* phases 0 and 1, and back */
	bool json;                  /* tell it in events, a line each */
};

/* What is to follow: the option's word, or else the configuration's. */
const struct after *update_after(const struct update_options *o, const struct config *c);

/* The verbs update and check. Returns the exit code; if update succeeds it does not return. */
int update(struct update_options *o);

#endif
