/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 6 as the user's own program does it, in place of our worker.
 */
#ifndef INIT_PROGRAM_H
#define INIT_PROGRAM_H

#include <stdbool.h>

/*
 * Runs a command line, split at blanks, in the RAM root, and says what it prints. image is given to it
 * as FLASHINIT_IMAGE, unless it is empty. While it fails it is run again, three times in all. Returns
 * whether it has succeeded. For PID 1: nothing else of the user's may be running.
 */
bool program_run(const char *command, const char *image);

#endif
