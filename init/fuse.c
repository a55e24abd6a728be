// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuse.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

#include "files.h"

static int abort_all(const char *connections, DIR *dir, struct fault *f)
{
	struct dirent *e;
	int result = 0;

	while ((errno = 0, e = readdir(dir))) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%.64s/%.32s/abort", connections, e->d_name);
		if (e->d_name[0] != '.' && file_write(path, "1", 1) < 0)
			result = fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	}
	if (errno)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot list", connections);
	return result;
}

int fuse_abort(const char *connections, struct fault *f)
{
	int result;
	DIR *dir;

	/* If it cannot be mounted, it may be already. */
	(void)mount("fusectl", connections, "fusectl", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	dir = opendir(connections);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return fault_errno(f, FAULT_FAILED, "%s: cannot list", connections);
	result = abort_all(connections, dir, f);
	(void)closedir(dir);
	(void)umount2(connections, UMOUNT_NOFOLLOW); /* it is in nobody's way */
	return result;
}
