// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "number.h"

enum { PATH_ROOM = 192 };

static const char boost[] = "watermark_boost_factor";

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

static void setting_path(char path[PATH_ROOM], const char *vm, const char *name)
{
	(void)snprintf(path, PATH_ROOM, "%.128s/%s", vm, name);
}

/* An older kernel has no such setting, and nobody but root may change it. */
static int write_setting(const char *vm, const char *name, const char *value)
{
	char path[PATH_ROOM];

	setting_path(path, vm, name);
	return file_write(path, value, strlen(value));
}

void memory_hold_nothing_back(const char *vm, char was[MEMORY_SETTING])
{
	char path[PATH_ROOM], scale[MEMORY_SETTING];

	setting_path(path, vm, boost);
	if (file_read_line(path, was, MEMORY_SETTING) < 0 || write_setting(vm, boost, "0") < 0) {
		was[0] = '\0';
		return;
	}
	/* Whatever is written here has all watermarks calculated anew, without what they had been raised. */
	setting_path(path, vm, "watermark_scale_factor");
	if (file_read_line(path, scale, sizeof(scale)) == 0)
		(void)file_write(path, scale, strlen(scale)); /* kswapd lowers them, too, later */
}

void memory_hold_back(const char *vm, const char *was)
{
	if (*was)
		(void)write_setting(vm, boost, was); /* it could be written before */
}

void memory_spare_us(void)
{
	static const char never[] = "-1000";

	(void)file_write("/proc/self/oom_score_adj", never, sizeof(never) - 1);
}
