/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that the RAM root is to have besides ours: programs with the libraries that they need.
 */
#ifndef INIT_INCLUDE_H
#define INIT_INCLUDE_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

enum { INCLUDE_WORDS_MAX = 16, INCLUDES_MAX = 64, INCLUDE_PATH = 200 };

struct includes {
	uint64_t bytes;
	unsigned int count;
	struct included {
		char from[INCLUDE_PATH], to[INCLUDE_PATH];
		bool asked_for; /* by its name; the others are needed by one that is */
	} file[INCLUDES_MAX];
};

/*
 * Finds what is asked for by words FILE or FILE=PATH (in the RAM root), and the loader and all
 * libraries that it needs, by asking that loader, which starts nothing. What is not there, or is
 * no file, is FAULT_UNFIT.
 */
int includes_find(struct includes *in, const char *const *words, unsigned int count,
		  struct fault *f);

/*
 * Checks that the first word of the command line is the place of one of them that can be run, or flashinit;
 * an empty command is right. Else FAULT_UNFIT.
 */
int includes_check_program(const struct includes *in, const char *command, struct fault *f);

/*
 * Copies all of it to its place below dir, and checks that each program finds its libraries, and each
 * script its interpreter, with dir as the root.
 */
int includes_copy(const struct includes *in, const char *dir, struct fault *f);

#endif
