// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is what a file, pstore or a kernel's log kept.
 */
#include "outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *log = malloc(size + 1), line[sizeof(struct outcome) + 64];
	struct outcome o, again;

	require(log);
	memcpy(log, data, size);
	log[size] = '\0';
	if (outcome_find(&o, log)) {
		require(o.code >= 0 && o.code <= 6);
		require(o.state[0] && !strpbrk(o.state, " \n") &&
			strlen(o.state) < sizeof(o.state));
		require(o.time[0] && !strpbrk(o.time, " \n") && strlen(o.time) < sizeof(o.time));
		require(!strchr(o.text, '\n') && strlen(o.text) < sizeof(o.text));
		/* As it is written: whatever came before, it is found again. */
		(void)snprintf(line, sizeof(line), "flashinit: outcome %d %s %s %s\n", o.code,
			       o.state, o.time, o.text);
		require(outcome_find(&again, line));
		require(strstr(o.text, "flashinit: outcome ") || strcmp(o.text, again.text) == 0);
	}
	free(log);
	return 0;
}
