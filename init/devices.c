// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "files.h"

static int make_node(const char *dev, const char *name, mode_t type, unsigned int major_number,
		     unsigned int minor_number, struct fault *f)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%.64s", dev, name);
	if (mknod(path, type | 0600, makedev(major_number, minor_number)) < 0 && errno != EEXIST)
		return fault_errno(f, FAULT_FAILED, "%s: cannot make the device node", path);
	return 0;
}

/* Makes a node for every entry of a sysfs folder whose name starts so and that has a number. */
static int make_listed(const char *dev, const char *sys, const char *folder, const char *start,
		       mode_t type, struct fault *f)
{
	char path[256], number[32];
	struct dirent *e;
	int result = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", sys, folder);
	dir = opendir(path);
	if (!dir)
		return 0; /* the kernel has no such devices */
	while (result == 0 && (e = readdir(dir))) {
		unsigned int major_number, minor_number;

		if (strncmp(e->d_name, start, strlen(start)) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s/%.64s/dev", sys, folder, e->d_name);
		if (file_read_line(path, number, sizeof(number)) == 0 &&
		    device_number(number, &major_number, &minor_number))
			result = make_node(dev, e->d_name, type, major_number, minor_number, f);
	}
	(void)closedir(dir);
	return result;
}

int devices_make(const char *dev, const char *sys, struct fault *f)
{
	if (make_node(dev, "console", S_IFCHR, 5, 1, f) < 0 ||
	    make_node(dev, "null", S_IFCHR, 1, 3, f) < 0 ||
	    make_node(dev, "kmsg", S_IFCHR, 1, 11, f) < 0)
		return -1;
	if (make_listed(dev, sys, "class/mtd", "mtd", S_IFCHR, f) < 0 ||
	    make_listed(dev, sys, "class/ubi", "ubi", S_IFCHR, f) < 0 ||
	    make_listed(dev, sys, "class/misc", "ubi_ctrl", S_IFCHR, f) < 0)
		return -1;
	if (make_listed(dev, sys, "class/watchdog", "watchdog", S_IFCHR, f) < 0 ||
	    make_listed(dev, sys, "class/misc", "watchdog", S_IFCHR, f) < 0 ||
	    make_listed(dev, sys, "class/pmsg", "pmsg", S_IFCHR, f) < 0)
		return -1;
	return make_listed(dev, sys, "class/block", "", S_IFBLK, f); /* and partitions */
}

int devices_provide(const char *dev, struct fault *f)
{
	if (mount("devtmpfs", dev, "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755") == 0 ||
	    errno == EBUSY) /* it is there already: a script of an initramfs has mounted it */
		return 0;
	if (errno != ENODEV)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot mount a devtmpfs", dev);
	return devices_make(dev, "/sys", f);
}
