/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inittab that makes BusyBox init exec flashinit when it is told to restart.
 */
#ifndef INIT_INITTAB_H
#define INIT_INITTAB_H

#include "fault.h"

/*
 * Returns a new inittab for init to reread: every line of old but the restart entries, because
 * init kills what belongs to a line that vanished (perhaps the shell we run under), and one restart
 * entry for command. The entry names no tty: init halts the machine if it cannot open one.
 * old is NULL where there is no inittab; then the entries BusyBox has built in (init.c of 1.35)
 * are written out. The caller frees the result; NULL with errno if there is no memory.
 */
char *inittab_rewrite(const char *old, const char *command);

/* Reads from's inittab (absent is fine) and writes the new one to the file to. */
int inittab_replace(const char *from, const char *to, const char *command, struct fault *f);

#endif
