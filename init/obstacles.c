// SPDX-License-Identifier: GPL-2.0-or-later
#include "obstacles.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mtd_map.h"
#include "procs.h"

enum { MTD_BLOCK_MAJOR = 31 };

int obstacles_pivot(const struct mount_table *reachable, struct fault *f)
{
	const struct mount *root = mounts_root(reachable);

	if (!root || strcmp(root->type, "rootfs") == 0)
		return fault_set(f, FAULT_UNFIT,
				 "the root is the initial ramfs, which pivot_root cannot replace");
	return 0;
}

/* The kernel calls what it has booted from /dev/root. */
static bool on_ubiblock(const struct mount *m)
{
	char path[64], to[256];
	ssize_t len;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", m->major, m->minor);
	len = readlink(path, to, sizeof(to) - 1);
	to[len < 0 ? 0 : len] = '\0';
	return strstr(to, "/ubiblock") || strncmp(m->source, "/dev/ubiblock", 13) == 0;
}

static bool on_flash(const struct mount *m)
{
	return m->major == MTD_BLOCK_MAJOR || strcmp(m->type, "ubifs") == 0 || on_ubiblock(m);
}

int obstacles_hidden(const struct mount_table *all, const struct mount_table *reachable,
		     struct fault *f)
{
	for (size_t i = 0; i < all->count; i++)
		if (on_flash(&all->mount[i]) && !mounts_contain(reachable, &all->mount[i]))
			return fault_set(
				f, FAULT_UNFIT,
				"%s (%s) is mounted on %s below the root, where it cannot be "
				"reached to unmount it",
				all->mount[i].source, all->mount[i].type, all->mount[i].point);
	return 0;
}

struct thread_search {
	char name[32];
	bool found;
};

static void look_for_thread(void *ctx, const struct process *p)
{
	struct thread_search *s = ctx;

	/* The kernel cuts names at 15 bytes. */
	if (p->kernel_thread && strncmp(p->name, s->name, 15) == 0)
		s->found = true;
}

static int no_lazy(const struct mount_table *all, int number, const char *proc, struct fault *f)
{
	const struct mount on_number = { .major = MTD_BLOCK_MAJOR, .minor = (unsigned int)number };
	struct thread_search s = { .found = false };

	(void)snprintf(s.name, sizeof(s.name), "jffs2_gcd_mtd%d", number);
	if (processes_each(proc, look_for_thread, &s) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot list the processes", proc);
	if (s.found && !mounts_contain(all, &on_number))
		return fault_set(
			f, FAULT_UNFIT,
			"a JFFS2 on mtd%d was unmounted lazily and is still in use; reboot "
			"first",
			number);
	return 0;
}

int obstacles_lazy(const struct mount_table *all, int number, const char *sys, const char *proc,
		   struct fault *f)
{
	const struct mtd_place *target;
	struct mtd_map map;
	int result = 0;

	if (mtd_map_read(&map, sys, f) < 0)
		return -1;
	target = mtd_map_find(&map, number);
	if (!target)
		return fault_set(f, FAULT_UNFIT, "mtd%d has gone", number);
	for (unsigned int i = 0; result == 0 && i < map.count; i++)
		if (mtd_overlap(target, &map.place[i]))
			result = no_lazy(all, map.place[i].number, proc, f);
	return result;
}
