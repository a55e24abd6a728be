/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount table, from /proc/self/mountinfo, and unmounting what lies below a path.
 */
#ifndef INIT_MOUNTS_H
#define INIT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

struct mount {
	unsigned int major,
		minor;      /* of the file system's device; MTD block devices have major 31 */
	const char *point;  /* where it is mounted, seen from our root */
	const char *type;   /* of file system: jffs2 */
	const char *source; /* what was mounted: mtd:rootfs, /dev/mtdblock0, ubi0:rootfs */
	const char *super_options; /* of the superblock: rw,lowerdir=... */
};

struct mount_table {
	struct mount *mount; /* oldest first: children come after what they are mounted on */
	size_t count;
	char *text;   /* holds the strings, ... */
	char *others; /* ... and those of mounts_add_others() */
};

/* Reads the table; release it with mounts_free(), also after a failure. */
int mounts_read(struct mount_table *t, const char *path, struct fault *f);

/*
 * Reads the table of all mounts of this namespace, those too that / is mounted over and that no
 * path leads to: the layers of an overlay that an initramfs mounted before it changed the root, for
 * one. /proc must be mounted. Forks.
 */
int mounts_read_all(struct mount_table *t, struct fault *f);

/* The same, but below the initial ramfs, where nothing is, and which cannot be taken off to look. */
int mounts_read_own(struct mount_table *t, struct fault *f);

/*
 * Adds, once, the mounts of every mount namespace that a process is in, as seen from the root of
 * each, and at least those of PID 1. proc is where /proc is mounted. That a process does not show
 * them is FAULT_UNFIT. A namespace that only an open file keeps is not seen.
 */
int mounts_add_others(struct mount_table *t, const char *proc, struct fault *f);

/* Parses a table's text, which t takes over. For mounts_read() and the tests. */
int mounts_parse(struct mount_table *t, char *text, struct fault *f);

/* The file system that / is on: the last one mounted there. NULL if there is none. */
const struct mount *mounts_root(const struct mount_table *t);

/* Whether the file system of m is mounted somewhere in t. */
bool mounts_contain(const struct mount_table *t, const struct mount *m);

void mounts_free(struct mount_table *t);

/* Whether path is dir or lies in it. */
bool path_below(const char *path, const char *dir);

/*
 * One pass: tries to unmount everything at or below dir, newest first. *left becomes the number
 * of mounts that did not go, and f tells of the first one; *gone of those that did. What has a server,
 * or is mounted below such a one, is given 6 s at most, and unmounted by force if need be. Fails only if the table cannot be read.
 */
int mounts_unmount_pass(const char *dir, unsigned int *gone, unsigned int *left, struct fault *f);

#endif
