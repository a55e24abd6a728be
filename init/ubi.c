// SPDX-License-Identifier: GPL-2.0-or-later
#include "ubi.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mtd_map.h"
#include "number.h"
#include "ubi_attach.h"

struct search {
	const struct targets *targets;
	const char *sys;
	struct mtd_map map;
	unsigned int gone;
	int left;
};

/* Whether ubiN, or the UBI of ubiN_ID, is on flash that a payload is written to without UBI. */
static bool is_in_the_way(const struct search *s, const char *device)
{
	const struct mtd_place *under = mtd_map_find(&s->map, mtd_under(device, s->sys));

	for (unsigned int i = 0; under && i < s->targets->count; i++) {
		const struct mtd_place *target =
			mtd_map_find(&s->map, mtd_number(s->targets->device[i]));

		if (target && mtd_overlap(target, under))
			return true;
	}
	return false;
}

static bool is_target(const struct targets *t, const char *device)
{
	for (unsigned int i = 0; i < t->count; i++)
		if (strcmp(t->device[i], device) == 0)
			return true;
	return false;
}

static bool has_block_device(const struct search *s, const char *volume)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.512s/block/ubiblock%.64s", s->sys,
		       volume + strlen("ubi"));
	return access(path, F_OK) == 0;
}

/* An entry of class/ubi: a device ubiN, a volume ubiN_ID, or a file. */
static void let_go(struct search *s, const char *entry, struct fault *f)
{
	int result;

	if (strncmp(entry, "ubi", 3) != 0)
		return;
	if (strchr(entry, '_')) {
		if (!has_block_device(s, entry) ||
		    !(is_target(s->targets, entry) || is_in_the_way(s, entry)))
			return;
		result = ubi_block_remove(entry, f);
	} else {
		if (!is_in_the_way(s, entry))
			return;
		result = ubi_detach((int)number_at(entry + 3), f);
	}
	if (result < 0)
		s->left++;
	else
		s->gone++;
}

int ubi_let_go(const struct targets *t, const char *sys, unsigned int *gone, struct fault *f)
{
	struct search s = { .targets = t, .sys = sys };
	char path[PATH_MAX];
	struct dirent *e;
	int result;
	DIR *dir;

	*gone = 0;
	(void)snprintf(path, sizeof(path), "%.512s/class/ubi", sys);
	dir = opendir(path);
	if (!dir)
		return 0; /* a kernel without UBI; the proof does not rely on this */
	result = mtd_map_read(&s.map, sys, f);
	while (result == 0 && (errno = 0, e = readdir(dir)))
		let_go(&s, e->d_name, f);
	if (result == 0 && errno)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot list", path);
	(void)closedir(dir);
	*gone = s.gone;
	return result < 0 ? -1 : s.left;
}
