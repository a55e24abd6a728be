/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that appears whole or not at all: written under another name beside it, then renamed. Where
 * the name is a symbolic link, it is the file behind it that is replaced.
 */
#ifndef FLASH_OUTFILE_H
#define FLASH_OUTFILE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"

struct outfile {
	char name[PATH_MAX];
	char part[PATH_MAX];
	FILE *file;
};

int outfile_open(struct outfile *o, const char *name, struct fault *f);
int outfile_write(struct outfile *o, const void *data, size_t len, struct fault *f);

/* Copies from another file, from where it stands to its end. */
int outfile_copy(struct outfile *o, FILE *from, const char *from_name, struct fault *f);

/*
 * Ends the work: if result is 0, brings the file to the disk and gives it its name; if that fails
 * or result is below 0, removes what there is. Returns result, or -1 with the fault.
 */
int outfile_close(struct outfile *o, int result, struct fault *f);

#endif
