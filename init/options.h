/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of flashinit, taken apart.
 */
#ifndef INIT_OPTIONS_H
#define INIT_OPTIONS_H

#include <stdbool.h>

#include "fault.h"
#include "firmware.h"
#include "show.h"
#include "status.h"
#include "update.h"
#include "write.h"

enum verb { /* bits, since an option says with which of them it goes */
	    VERB_UPDATE = 1,
	    VERB_CHECK = 2,
	    VERB_WRITE = 4,
	    VERB_INFO = 8,
	    VERB_VERIFY = 16,
	    VERB_STATUS = 32,
	    VERB_HELP = 64,
	    VERB_VERSION = 128,
};

struct options {
	enum verb verb;
	bool events; /* --json is asked for, not of info, whatever is wrong with the rest */
	struct firmware_request firmware; /* of update, check and write */
	struct update_options update;
	struct write_options write;
	struct show_options show;
	struct status_options status;
};

/*
 * Takes the command line apart, in place; what is in *o points into it. What makes no sense is
 * FAULT_USAGE. An option's name may be cut short as long as it is the only one that begins so.
 */
int options_parse(struct options *o, int argc, char **argv, struct fault *f);

#endif
