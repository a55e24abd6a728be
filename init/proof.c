// SPDX-License-Identifier: GPL-2.0-or-later
#include "proof.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "mtd_map.h"
#include "number.h"
#include "piece.h"

enum { MTD_BLOCK_MAJOR = 31, MTD_CHAR_MAJOR = 90 };

/* A kernel without mtdblock has none, and nothing can be mounted from one. */
static bool has_block_device(const struct proof_view *view, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.512s/block/%s", view->sys, name);
	return access(path, F_OK) == 0;
}

static bool is_attached(const struct piece *p, const char *mtd_num)
{
	return number_at(mtd_num) == p->minor;
}

static int place_free(const struct proof_view *view, const struct mtd_place *place, struct fault *f)
{
	struct piece p = { .major = MTD_BLOCK_MAJOR, .minor = (unsigned int)place->number };
	int n = place->number;
	char detach[40];

	(void)snprintf(p.what, sizeof(p.what), "mtd%d (%s)", n, place->name);
	(void)snprintf(p.name[0], sizeof(p.name[0]), "mtdblock%d", n);
	(void)snprintf(p.name[1], sizeof(p.name[1]), "mtd%d", n);
	(void)snprintf(p.name[2], sizeof(p.name[2]), "mtd%dro", n);
	(void)snprintf(p.name[3], sizeof(p.name[3]), "mtd:%s", place->name);
	(void)snprintf(p.name[4], sizeof(p.name[4]), "mtdswap%d", n);
	p.char_major = MTD_CHAR_MAJOR;
	p.char_first = (unsigned int)n * 2;
	p.char_last = p.char_first + 1; /* mtdNro */
	p.node = p.name[0];
	p.node_flags = O_RDONLY | O_EXCL;
	p.node_is_there = has_block_device(view, p.node);
	if (piece_free(view, &p, f) < 0)
		return -1;
	if (view->will_go)
		return 0;
	(void)snprintf(detach, sizeof(detach), "ubidetach -p /dev/mtd%d", n);
	return piece_not_held(view, "class/ubi", "mtd_num", is_attached, &p, detach, f);
}

int proof_target_free(const struct proof_view *view, int number, struct fault *f)
{
	const struct mtd_place *target;
	struct mtd_map map;

	if (mtd_map_read(&map, view->sys, f) < 0)
		return -1;
	target = mtd_map_find(&map, number);
	if (!target)
		return fault_set(f, FAULT_UNFIT, "mtd%d has gone", number);
	for (unsigned int i = 0; i < map.count; i++)
		if (mtd_overlap(target, &map.place[i]) && place_free(view, &map.place[i], f) < 0)
			return -1;
	return 0;
}

int proof_nothing_below(const struct mount_table *mounts, const char *dir, struct fault *f)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (path_below(mounts->mount[i].point, dir))
			return fault_set(f, FAULT_BUSY, "%s (%s) is still mounted on %s",
					 mounts->mount[i].source, mounts->mount[i].type,
					 mounts->mount[i].point);
	return 0;
}
