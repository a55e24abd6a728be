// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is the text of /proc/PID/stat, and then the name of a process in such a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "procs.h"

static void parse(const char *stat)
{
	struct process p;

	if (!process_parse(&p, stat))
		return;
	require(p.pid > 0);
	require(strnlen(p.name, sizeof(p.name)) < sizeof(p.name));
	require(strstr(stat, p.name));
}

/* The kernel writes a name as it is, whatever is in it; a process can name itself. */
static void parse_named(const char *name)
{
	size_t room = strlen(name) + 64;
	char *stat = malloc(room);
	struct process p;

	require(stat);
	(void)snprintf(stat, room, "42 (%s) D 1 42 42 0 -1 2097216 0 0\n", name);
	require(process_parse(&p, stat));
	require(p.pid == 42 && p.state == 'D' && p.kernel_thread);
	require(strncmp(p.name, name, sizeof(p.name) - 1) == 0);
	free(stat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	parse(text);
	parse_named(text);
	free(text);
	return 0;
}
