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
static bool is_restart(const char *line)
{
	static const char action[] = "restart:";

	if (*line == '#')
		return false;
	for (int field = 0; field < 2; field++) {
		line = strchr(line, ':');
		if (!line)
			return false;
		line++;
	}
	return strncmp(line, action, sizeof(action) - 1) == 0;
}

/*
 * Joins lines as BusyBox does: one that ends in a backslash goes on with the next, and so does the
 * whole if it ends in one then. Returns the bytes of text taken; *open: the text ended too early.
 */
static size_t join_lines(const char *text, char *to, bool *open)
{
	const char *at = text, *start = to;

	*open = true;
	while (*open && *at) {
		size_t len = strcspn(at, "\n");

		memcpy(to, at, len);
		to += len;
		at += len + (at[len] == '\n');
		*open = to > start && to[-1] == '\\';
		to -= *open;
	}
	*to = '\0';
	return (size_t)(at - text);
}

char *inittab_rewrite(const char *old, const char *command)
{
	static const char entry[] = "::restart:";
	const char *line = old ? old : busybox_defaults;
	char *text = malloc(strlen(line) + 3 + sizeof(entry) + strlen(command) + 1);
	char *to = text;
	bool open = false;

	if (!text)
		return NULL;
	while (*line) {
		size_t len = join_lines(line, to, &open);

		if (!is_restart(to)) {
			memcpy(to, line, len);
			to += len;
			if (to[-1] != '\n')
				*to++ = '\n';
			if (open)
				to = stpcpy(to, "#\n"); /* what is joined is not our line */
		}
		line += len;
	}
	to = stpcpy(stpcpy(to, entry), command); /* the room was counted above */
	memcpy(to, "\n", 2);
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
