// SPDX-License-Identifier: GPL-2.0-or-later
#include "root.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "number.h"

enum { MTD_BLOCK_MAJOR = 31 };

/* A volume by the names that stay the same when its UBI is attached anew. */
static int write_volume(char *text, size_t size, const char *sys, unsigned long ubi,
			unsigned long id, struct fault *f)
{
	char path[PATH_MAX], mtd[16], name[144];

	(void)snprintf(path, sizeof(path), "%s/class/ubi/ubi%lu/mtd_num", sys, ubi);
	if (file_read_line(path, mtd, sizeof(mtd)) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read", path);
	(void)snprintf(path, sizeof(path), "%s/class/ubi/ubi%lu_%lu/name", sys, ubi, id);
	if (file_read_line(path, name, sizeof(name)) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read", path);
	(void)snprintf(text, size, "mtd%s:%s", mtd, name);
	return 0;
}

/* Both numbers of "ubi=0,vol=1" or "ubiblock0_1". False if the text does not start so. */
static bool two_numbers(const char *text, const char *first, const char *second, unsigned long *a,
			unsigned long *b)
{
	const char *end;

	if (!text || strncmp(text, first, strlen(first)) != 0)
		return false;
	*a = number_read(text + strlen(first), 10, &end);
	if (strncmp(end, second, strlen(second)) != 0)
		return false;
	*b = number_at(end + strlen(second));
	return true;
}

int root_find(char *text, size_t size, const struct mount_table *mounts, const char *sys,
	      struct fault *f)
{
	const struct mount *root = mounts_root(mounts);
	char path[PATH_MAX], device[PATH_MAX];
	unsigned long ubi, id;
	const char *name;
	ssize_t len;

	if (!root)
		return fault_set(f, FAULT_UNFIT, "nothing is mounted on /");
	if (root->major == MTD_BLOCK_MAJOR) {
		(void)snprintf(text, size, "mtd%u", root->minor);
		return 0;
	}
	if (two_numbers(strstr(root->super_options, "ubi="), "ubi=", ",vol=", &ubi, &id))
		return write_volume(text, size, sys, ubi, id, f);
	(void)snprintf(path, sizeof(path), "%s/dev/block/%u:%u", sys, root->major, root->minor);
	len = readlink(path, device, sizeof(device) - 1);
	if (len < 0)
		return fault_set(f, FAULT_UNFIT, "/ is %s (%s), which is on no device of its own",
				 root->source, root->type);
	device[len] = '\0';
	name = strrchr(device, '/') + 1;
	if (two_numbers(name, "ubiblock", "_", &ubi, &id))
		return write_volume(text, size, sys, ubi, id, f);
	(void)snprintf(text, size, "%.31s", name);
	return 0;
}

void root_device(char device[32], const char *text)
{
	(void)snprintf(device, 32, "%.*s", (int)strcspn(text, ":"), text);
}

static int keep(const char *from, const char *dir, const char *name, struct fault *f)
{
	char to[PATH_MAX];

	(void)snprintf(to, sizeof(to), "%s%s", dir, name);
	if (file_copy(from, to, 0600) < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot copy %s", to, from);
	return 0;
}

int root_keep_start(const char *dir, struct fault *f)
{
	if (keep("/proc/1/mountinfo", dir, ROOT_MOUNTS, f) < 0)
		return -1;
	return keep("/proc/1/environ", dir, ROOT_ENVIRON, f);
}
