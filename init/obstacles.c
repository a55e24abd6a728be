// SPDX-License-Identifier: GPL-2.0-or-later
#include "obstacles.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "mtd_map.h"
#include "procs.h"

enum { MTD_BLOCK_MAJOR = 31 };

int obstacles_pivot(const struct mount_table *reachable, struct fault *f)
{
	const struct mount *root = mounts_root(reachable);

	for (size_t i = 0; i < reachable->count; i++) {
		const struct mount *m = &reachable->mount[i];

		if (m->shared)
			return fault_set(
				f, FAULT_UNFIT,
				"the mount on %s is shared with other namespaces, which "
				"forbids pivot_root; \"mount --make-rprivate /\" ends that",
				m->point);
	}
	if (!root || strcmp(root->type, "rootfs") == 0)
		return fault_set(f, FAULT_UNFIT,
				 "the root is the initial ramfs, which pivot_root cannot replace");
	return 0;
}

static bool on_flash(const struct mount *m)
{
	return m->major == MTD_BLOCK_MAJOR || strcmp(m->type, "ubifs") == 0 ||
	       strncmp(m->source, "/dev/ubiblock", 13) == 0;
}

static bool contains(const struct mount_table *t, const struct mount *m)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->mount[i].major == m->major && t->mount[i].minor == m->minor)
			return true;
	return false;
}

int obstacles_hidden(const struct mount_table *all, const struct mount_table *reachable,
		     struct fault *f)
{
	for (size_t i = 0; i < all->count; i++)
		if (on_flash(&all->mount[i]) && !contains(reachable, &all->mount[i]))
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
	if (s.found && !contains(all, &on_number))
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

/* A kernel may be built without the watchdogs' attributes. */
static int no_active_watchdog(const char *sys, struct fault *f)
{
	char path[512], state[32];
	struct dirent *e;
	int result = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%.400s/class/watchdog", sys);
	dir = opendir(path);
	while (result == 0 && dir && (errno = 0, e = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%.400s/class/watchdog/%.64s/state", sys,
			       e->d_name);
		if (file_read_line(path, state, sizeof(state)) == 0 && strcmp(state, "active") == 0)
			result = fault_set(f, FAULT_UNFIT,
					   "%s is running, and this flashinit cannot feed it: it "
					   "would reset the machine in mid-flash; stop it first",
					   e->d_name);
	}
	if (result == 0 && dir && errno)
		result = fault_errno(f, FAULT_UNFIT, "%s/class/watchdog: cannot list", sys);
	if (dir)
		(void)closedir(dir); /* a kernel without watchdogs has no such folder */
	return result;
}

struct feeder_search {
	const char *proc;
	char name[32];
	int pid, err; /* of the one that feeds, and why the last one that cannot be seen cannot */
};

static void look_at_link(void *ctx, const struct process *p, const char *what, const char *to)
{
	struct feeder_search *s = ctx;

	if (strncmp(what, "fd/", 3) != 0 || strncmp(to, "/dev/watchdog", 13) != 0)
		return;
	s->pid = (int)p->pid;
	memcpy(s->name, p->name, sizeof(s->name));
}

static void look_for_feeder(void *ctx, const struct process *p)
{
	struct feeder_search *s = ctx;

	if (!p->kernel_thread && process_links_each(s->proc, p, look_at_link, ctx) < 0)
		s->err = errno;
}

int obstacles_watchdog(const char *sys, const char *proc, struct fault *f)
{
	struct feeder_search s = { .proc = proc };

	if (no_active_watchdog(sys, f) < 0)
		return -1;
	if (processes_each(proc, look_for_feeder, &s) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot list the processes", proc);
	if (s.pid)
		return fault_set(f, FAULT_UNFIT,
				 "process %d (%s) feeds a watchdog, and this flashinit cannot take "
				 "over from it: stop it first",
				 s.pid, s.name);
	errno = s.err;
	if (s.err)
		return fault_errno(f, FAULT_UNFIT,
				   "%s: cannot see whether a process feeds a watchdog", proc);
	return 0;
}
