// SPDX-License-Identifier: GPL-2.0-or-later
#include "image_home.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files.h"
#include "mtd_map.h"
#include "number.h"

enum { MTD_BLOCK_MAJOR = 31 };

static const struct mount *find_mount(const struct mount_table *mounts, dev_t dev)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->mount[i].major == major(dev) && mounts->mount[i].minor == minor(dev))
			return &mounts->mount[i];
	return NULL;
}

static bool in_memory(const char *type)
{
	return strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0;
}

/* The number of the MTD device below ubi0:data, ubi0_1, /dev/ubi0_1 or ubi:data; -1: unknown. */
static int mtd_below_ubi(const char *source, const char *sys)
{
	char path[PATH_MAX], text[32];

	if (strncmp(source, "/dev/", 5) == 0)
		source += 5;
	if (strncmp(source, "ubi", 3) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%.512s/class/ubi/ubi%d/mtd_num", sys,
		       (int)number_at(source + 3));
	return file_read_line(path, text, sizeof(text)) < 0 ? -1 : (int)number_at(text);
}

static bool no_target_shares(int number, const struct targets *targets, const char *sys)
{
	const struct mtd_place *home, *target;
	struct mtd_map map;
	struct fault ignored; /* whatever cannot be told means that it cannot stay */

	if (mtd_map_read(&map, sys, &ignored) < 0)
		return false;
	home = mtd_map_find(&map, number);
	for (unsigned int i = 0; home && i < targets->count; i++) {
		int under = mtd_under(targets->device[i], sys);

		if (under < 0) /* a disk */
			continue;
		target = mtd_map_find(&map, under);
		if (!target || mtd_overlap(home, target))
			return false;
	}
	return home;
}

/*
 * Whether the block device at a place in sysfs, ".../sda/sda1", is a target, or part of one, or has
 * one. Takes the place apart.
 */
static bool is_target(char *place, const struct targets *targets)
{
	const char *disk, *name = strrchr(place, '/') + 1;
	char part[PATH_MAX + 64];

	for (unsigned int i = 0; i < targets->count; i++) {
		(void)snprintf(part, sizeof(part), "%s/%s", place, targets->device[i]);
		if (access(part, F_OK) == 0)
			return true;
	}
	place[name - place - 1] = '\0';
	disk = strrchr(place, '/') + 1;
	for (unsigned int i = 0; i < targets->count; i++)
		if (strcmp(name, targets->device[i]) == 0 || strcmp(disk, targets->device[i]) == 0)
			return true;
	return false;
}

/*
 * A disk of the hardware's own is somewhere below its bus. Those that are made of files, of other
 * devices or of a network's peer (loop, dm, nbd) are not, but for iSCSI's, which are in a session,
 * and for ubiblock's, which newer kernels show below their flash.
 */
static bool on_hardware(const struct mount *m, const struct targets *targets, const char *sys)
{
	char path[PATH_MAX], real[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.512s/dev/block/%u:%u", sys, m->major, m->minor);
	return file_real_path(real, sizeof(real), path) == 0 && !strstr(real, "/virtual/") &&
	       !strstr(real, "/session") && !strstr(real, "/ubiblock") && !is_target(real, targets);
}

static bool outlives_all(const struct mount *m, const struct targets *targets, const char *sys)
{
	if (strcmp(m->type, "ubifs") == 0)
		return no_target_shares(mtd_below_ubi(m->source, sys), targets, sys);
	if (m->major == MTD_BLOCK_MAJOR)
		return no_target_shares((int)m->minor, targets, sys);
	/* fuseblk has the number of its block device, and a process that reads it. */
	return in_memory(m->type) ||
	       (strncmp(m->type, "fuse", 4) != 0 && on_hardware(m, targets, sys));
}

bool image_home_is_overlay(const struct statfs *fs)
{
	return (unsigned long)fs->f_type == OVERLAYFS_SUPER_MAGIC;
}

const char *image_home_type(dev_t dev, dev_t root, const struct mount_table *mounts,
			    const struct targets *targets, const char *sys)
{
	const struct mount *m = dev == root ? NULL : find_mount(mounts, dev);

	return m && outlives_all(m, targets, sys) ? m->type : NULL;
}

const char *image_home_find(const struct firmware *fw, const struct mount_table *mounts,
			    const struct targets *targets)
{
	const struct source *src = &fw->file.source;
	struct statfs fs;
	struct stat st, root;

	/* Standard input may be past other bytes of its file. */
	if (fw->is_raw || src->start != 0 || fstat(src->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    stat("/", &root) < 0 || fstatfs(src->fd, &fs) < 0 || image_home_is_overlay(&fs))
		return NULL;
	return image_home_type(st.st_dev, root.st_dev, mounts, targets, "/sys");
}

int image_home_move(const struct firmware *fw, const char *path, struct fault *f)
{
	char from[32];

	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fw->file.source.fd);
	if (file_write(path, "", 0) < 0 || mount(from, path, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, path, NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot take %s along", path,
				   fw->file.source.name);
	return 0;
}
