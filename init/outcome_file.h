/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that the outcome is written to, on a file system that outlives the update.
 */
#ifndef INIT_OUTCOME_FILE_H
#define INIT_OUTCOME_FILE_H

#include <stdbool.h>

#include "fault.h"
#include "mounts.h"
#include "targets.h"

/*
 * Finds the type of the file system that the file is on, or will be when it is made. One that does
 * not outlive the update and a reboot, and a file that cannot be written, is FAULT_UNFIT.
 */
const char *outcome_file_home(const char *file, const struct mount_table *mounts,
			      const struct targets *targets, struct fault *f);

/*
 * Makes the file if there is none, which *made says, and makes it appear, with its file system, at the
 * new path.
 */
int outcome_file_keep(const char *file, const char *path, bool *made, struct fault *f);

#endif
