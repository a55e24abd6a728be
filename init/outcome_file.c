// SPDX-License-Identifier: GPL-2.0-or-later
#include "outcome_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "image_home.h"

/* The file, or the folder that it will be in. */
static int look_at(const char *file, struct stat *st, struct statfs *fs, struct fault *f)
{
	char path[PATH_MAX];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", file);
	if (stat(path, st) < 0 && errno == ENOENT) {
		slash = strrchr(path, '/');
		if (slash)
			slash[slash == path] = '\0';
		else
			memcpy(path, ".", 2);
		if (stat(path, st) < 0)
			return fault_errno(f, FAULT_UNFIT, "%s", path);
	} else if (!S_ISREG(st->st_mode)) {
		return fault_set(f, FAULT_UNFIT, "%s: the outcome goes into a file", file);
	}
	if (access(path, W_OK) < 0 || statfs(path, fs) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot be written", path);
	return 0;
}

const char *outcome_file_home(const char *file, const struct mount_table *mounts,
			      const struct targets *targets, struct fault *f)
{
	const char *type = NULL;
	struct stat st, root;
	struct statfs fs;

	if (look_at(file, &st, &fs, f) < 0)
		return NULL;
	if (stat("/", &root) == 0 && !image_home_is_overlay(&fs))
		type = image_home_type(st.st_dev, root.st_dev, mounts, targets, "/sys");
	if (type && strcmp(type, "tmpfs") != 0 && strcmp(type, "ramfs") != 0)
		return type;
	(void)fault_set(f, FAULT_UNFIT,
			"%s: the outcome would be lost there: it takes a disk's file system, or "
			"one on flash that is neither the root nor written",
			file);
	return NULL;
}

int outcome_file_keep(const char *file, const char *path, bool *made, struct fault *f)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
	int fd = open(file, flags | O_EXCL, 0644);
	char from[32];
	int result;

	*made = fd >= 0;
	if (fd < 0)
		fd = open(file, flags, 0644);
	if (fd < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot open", file);
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	result = file_write(path, "", 0);
	if (result == 0)
		result = mount(from, path, NULL, MS_BIND, NULL);
	if (result < 0)
		(void)fault_errno(f, FAULT_UNFIT, "%s: cannot take %s along", path, file);
	(void)close(fd); /* nothing was written through it */
	return result;
}
