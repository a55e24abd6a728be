// SPDX-License-Identifier: GPL-2.0-or-later
#include "inittab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static const char busybox_defaults[] = "::sysinit:/etc/init.d/rcS\n"
				       "::askfirst:-/bin/sh\n"
				       "tty2::askfirst:-/bin/sh\n"
				       "tty3::askfirst:-/bin/sh\n"
				       "tty4::askfirst:-/bin/sh\n"
				       "::ctrlaltdel:reboot\n"
				       "::shutdown:umount -a -r\n"
				       "::shutdown:swapoff -a\n";

/* A line is tty:runlevels:action:command. */
static bool is_restart(const char *line, size_t len)
{
	static const char action[] = "restart";
	const char *end = line + len;

	if (*line == '#')
		return false;

	for (int field = 0; field < 2; field++) {
		line = memchr(line, ':', (size_t)(end - line));
		if (!line)
			return false;
		line++;
	}
	return (size_t)(end - line) >= sizeof(action) &&
	       memcmp(line, action, sizeof(action) - 1) == 0 && line[sizeof(action) - 1] == ':';
}

char *inittab_rewrite(const char *old, const char *command)
{
	static const char entry[] = "::restart:";
	const char *line = old ? old : busybox_defaults;
	char *text = malloc(strlen(line) + 2 + sizeof(entry) + strlen(command) + 1);
	char *to = text;
	bool joined = false, drop = false;

	if (!text)
		return NULL;
	while (*line) {
		size_t len = strcspn(line, "\n");
		bool ended = line[len] == '\n';

		/* BusyBox joins a line that ends in a backslash with the next one. */
		if (!joined)
			drop = is_restart(line, len);
		joined = len > 0 && line[len - 1] == '\\';
		if (!drop) {
			memcpy(to, line, len);
			to += len;
			*to++ = '\n';
		}
		line += len + (ended ? 1 : 0);
	}
	if (joined && !drop)
		*to++ = '\n';                        /* what is joined is not our line */
	(void)sprintf(to, "%s%s\n", entry, command); /* the room was counted above */
	return text;
}

int inittab_replace(const char *from, const char *to, const char *command, struct fault *f)
{
	char *old = file_read_text(from);
	char *text;
	int result = 0;

	if (!old && errno != ENOENT)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", from);
	text = inittab_rewrite(old, command);
	if (!text || file_write(to, text, strlen(text)) < 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", to);
	free(text);
	free(old);
	return result;
}
