// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "piece.h"
#include "proof.h"

/* A path of the device in sysfs, where partitions and disks stand side by side. */
static void name_path(char *path, const struct proof_view *view, const char *device,
		      const char *rest)
{
	(void)snprintf(path, PATH_MAX, "%.512s/class/block/%.64s%.80s", view->sys, device, rest);
}

static bool is_partition(const struct proof_view *view, const char *device)
{
	char path[PATH_MAX];

	name_path(path, view, device, "/partition");
	return access(path, F_OK) == 0;
}

/* A '!' in sysfs is a folder in /dev: cciss!c0d0 is /dev/cciss/c0d0, and known as c0d0. */
static void name_nodes(struct piece *p, const char *device)
{
	char *base = p->name[1];

	(void)snprintf(p->name[1], sizeof(p->name[1]), "%.64s", device);
	for (char *c = base; *c; c++) {
		if (*c != '!')
			continue;
		*c = '/';
		base = c + 1;
	}
	(void)snprintf(p->name[0], sizeof(p->name[0]), "%.64s", base);
}

static int one_free(const struct proof_view *view, const char *device, bool alone, struct fault *f)
{
	struct piece p = { .node_flags = O_RDONLY | O_EXCL, .node_is_there = true };
	char path[PATH_MAX], number[32];

	name_path(path, view, device, "/dev");
	if (file_read_line(path, number, sizeof(number)) < 0 ||
	    !device_number(number, &p.major, &p.minor))
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read", path);
	(void)snprintf(p.what, sizeof(p.what), "%s", device);
	name_nodes(&p, device);
	p.node = alone ? p.name[1] : NULL;
	if (piece_free(view, &p, f) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "class/block/%.64s/holders", device);
	return piece_not_held(view, path, NULL, NULL, &p, NULL, f);
}

static int partitions_free(const struct proof_view *view, const char *disk, struct fault *f)
{
	char path[PATH_MAX];
	struct dirent *e;
	int result = 0;
	DIR *dir;

	name_path(path, view, disk, "");
	dir = opendir(path);
	while (result == 0 && dir && (errno = 0, e = readdir(dir)))
		if (strncmp(e->d_name, disk, strlen(disk)) == 0 && is_partition(view, e->d_name))
			result = one_free(view, e->d_name, true, f);
	if (result == 0 && (!dir || errno))
		result = fault_errno(f, FAULT_FAILED, "%s: cannot list", path);
	if (dir)
		(void)closedir(dir);
	return result;
}

/*
 * The disk cannot be had alone while another of its partitions is in use, which is none of our
 * business; if somebody has it alone, then our partition cannot be had either.
 */
static int disk_of_free(const struct proof_view *view, const char *partition, struct fault *f)
{
	char path[PATH_MAX], to[PATH_MAX], *name;
	ssize_t len;

	name_path(path, view, partition, "");
	len = readlink(path, to, sizeof(to) - 1);
	to[len < 0 ? 0 : len] = '\0';
	name = strrchr(to, '/'); /* .../block/mmcblk0/mmcblk0p2 */
	if (name)
		*name = '\0';
	name = strrchr(to, '/');
	if (!name)
		return fault_set(f, FAULT_UNFIT, "%s: cannot tell what disk it is on", path);
	return one_free(view, name + 1, false, f);
}

int proof_disk_free(const struct proof_view *view, const char *device, struct fault *f)
{
	if (one_free(view, device, true, f) < 0)
		return -1;
	if (is_partition(view, device))
		return disk_of_free(view, device, f);
	return partitions_free(view, device, f);
}
