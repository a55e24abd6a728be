// SPDX-License-Identifier: GPL-2.0-or-later
/* The C library's strstr() for short texts: its own is linear in time, and takes 1 KB. */
#include <string.h>

char *strstr(const char *text, const char *part)
{
	size_t len = strlen(part);

	for (;; text++) {
		if (strncmp(text, part, len) == 0)
			return (char *)text;
		if (!*text)
			return NULL;
	}
}
