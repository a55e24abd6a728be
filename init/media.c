// SPDX-License-Identifier: GPL-2.0-or-later
#include "media.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device_node.h"
#include "files.h"

enum { PATH_ROOM = 160, START = 4096 };

static void in_sysfs(char path[PATH_ROOM], const char *device, const char *name)
{
	(void)snprintf(path, PATH_ROOM, "/sys/class/block/%.31s/%.64s", device, name);
}

static bool has(const char *device, const char *name)
{
	char path[PATH_ROOM];

	in_sysfs(path, device, name);
	return access(path, F_OK) == 0;
}

static bool has_partitions(const char *device)
{
	char path[PATH_ROOM];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	in_sysfs(path, device, "");
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%.40s/partition", e->d_name);
		found = strncmp(e->d_name, device, strlen(device)) == 0 && has(device, path);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

static bool is_empty(const char *device)
{
	char path[PATH_ROOM], size[32];

	in_sysfs(path, device, "size");
	return file_read_line(path, size, sizeof(size)) < 0 || strcmp(size, "0") == 0;
}

bool media_may_hold(const char *device)
{
	static const char *const others[] = { "mtdblock", "ubiblock", "ram", "zram", "nbd" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strncmp(device, others[i], strlen(others[i])) == 0)
			return false;
	return !is_empty(device) && !has_partitions(device);
}

/* Numbers of kernfs are not given again, but by kernels that are older than the stick. */
uint64_t media_instance(const char *device)
{
	char path[PATH_ROOM];
	struct stat st;

	in_sysfs(path, device, "");
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* A journal is played back even into what is mounted read-only, unless it is told not to. */
static const char *options_for(const char *type)
{
	if (strncmp(type, "ext", 3) == 0)
		return strcmp(type, "ext2") == 0 ? NULL : "noload";
	return strcmp(type, "xfs") == 0 || strcmp(type, "f2fs") == 0 ? "norecovery" : NULL;
}

static bool try_types(const char *node, const char *folder)
{
	const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SILENT;
	char *types = file_read_text("/proc/filesystems"), *rest = types, *line;
	bool mounted = false;

	while (!mounted && (line = strsep(&rest, "\n")))
		mounted = *line == '\t' &&
			  mount(node, folder, line + 1, flags, options_for(line + 1)) == 0;
	free(types);
	return mounted;
}

static int provide_node(const char *device, const char *node, struct fault *f)
{
	char path[PATH_ROOM], number[32];
	unsigned int major_number, minor_number;

	in_sysfs(path, device, "dev");
	if (file_read_line(path, number, sizeof(number)) < 0 ||
	    !device_number(number, &major_number, &minor_number))
		return fault_set(f, FAULT_IMAGE, "%s: has gone", device);
	return device_node_provide(node, S_IFBLK, makedev(major_number, minor_number), f);
}

/* Of a device that cannot be read, every file system would only say that it is none. */
static int check_readable(const char *device, const char *node, struct fault *f)
{
	int fd = device_node_open(node, O_RDONLY | O_NONBLOCK);
	char start[START];
	int result = 0;

	if (fd < 0 || read(fd, start, sizeof(start)) < 0)
		result = fault_errno(f, FAULT_IMAGE, "%s: cannot be read", device);
	if (fd >= 0)
		(void)close(fd);
	return result;
}

int media_mount(const char *device, struct fault *f)
{
	char node[PATH_ROOM], folder[PATH_ROOM];

	(void)snprintf(node, sizeof(node), "/dev/%.31s", device);
	(void)snprintf(folder, sizeof(folder), MEDIA_FOLDER "/%.31s", device);
	if (provide_node(device, node, f) < 0 || check_readable(device, node, f) < 0)
		return -1;
	if ((mkdir(MEDIA_FOLDER, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(folder, 0755) < 0 && errno != EEXIST))
		return fault_errno(f, FAULT_FAILED, "%s: cannot make", folder);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fault_errno(f, FAULT_FAILED, "cannot have mounts of my own");
	if (!try_types(node, folder))
		return fault_set(f, FAULT_IMAGE, "%s: holds no file system that this kernel knows",
				 device);
	return 0;
}

int media_mount_for(const char *path, struct fault *f)
{
	static const char start[] = MEDIA_FOLDER "/";
	char device[32];

	if (strncmp(path, start, sizeof(start) - 1) != 0)
		return 0;
	path += sizeof(start) - 1;
	(void)snprintf(device, sizeof(device), "%.*s", (int)strcspn(path, "/"), path);
	return media_mount(device, f);
}
