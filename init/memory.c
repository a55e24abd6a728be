// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "number.h"

int memory_check(const char *meminfo, uint64_t need, uint64_t *have, struct fault *f)
{
	static const char key[] = "MemAvailable:";
	char *text = file_read_text(meminfo);
	char *line = text ? strstr(text, key) : NULL;

	if (!line) {
		free(text);
		return fault_set(f, FAULT_UNFIT, "cannot tell how much memory is free: no %s in %s",
				 key, meminfo);
	}
	*have = number_at(line + sizeof(key) - 1) * 1024;
	free(text);
	if (*have < need)
		return fault_set(f, FAULT_UNFIT,
				 "too little memory: needs %" PRIu64 " KiB, %" PRIu64
				 " KiB are available; stop some programs or free some of /tmp",
				 need >> 10, *have >> 10);
	return 0;
}

void memory_spare_us(void)
{
	static const char never[] = "-1000";

	(void)file_write("/proc/self/oom_score_adj", never, sizeof(never) - 1);
}
