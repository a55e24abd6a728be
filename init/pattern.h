/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_PATTERN_H
#define INIT_PATTERN_H

#include <stdbool.h>

/*
 * Whether a file's name fits a pattern, in which * is any text and ? any one byte. fnmatch(3) knows
 * more, and is 3 KB of musl.
 */
bool pattern_fits(const char *pattern, const char *name);

#endif
