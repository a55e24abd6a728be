// SPDX-License-Identifier: GPL-2.0-or-later
#include "pattern.h"

#include <stddef.h>

/* Where it fails behind a *, that one takes a byte more: no earlier one has to. */
bool pattern_fits(const char *pattern, const char *name)
{
	const char *star = NULL, *taken = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			taken = name;
		} else if (*pattern == *name || *pattern == '?') {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++taken;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
