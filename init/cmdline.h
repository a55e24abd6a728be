/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's command line, as far as it says how the root is mounted and what runs from it.
 */
#ifndef INIT_CMDLINE_H
#define INIT_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

enum { CMDLINE_ARGS_MAX = 32 }; /* the kernel's own limit for init */

struct cmdline {
	char *text;
	const char *root; /* NULL: nothing is said to the kernel about it */
	bool rw;
	bool wait;              /* rootwait, rootwait=: its device may take as long as it likes */
	uint32_t delay;         /* rootdelay=, seconds */
	const char *rootfstype; /* NULL, or types with commas between them */
	const char *ubi_mtd;    /* the first ubi.mtd=, or NULL */
	bool no_devtmpfs;       /* devtmpfs.mount=0 */
	const char *rootflags;  /* NULL if there are none */
	const char *init;       /* of init=; NULL if there is none */
	char *argv[CMDLINE_ARGS_MAX + 2]; /* what follows --; the first is left for init's name */
};

/*
 * Reads the file (/proc/cmdline). Release it with cmdline_free(), also after a failure. Words in
 * quotes that hold a blank are not understood.
 */
int cmdline_read(struct cmdline *c, const char *path, struct fault *f);
void cmdline_free(struct cmdline *c);

#endif
