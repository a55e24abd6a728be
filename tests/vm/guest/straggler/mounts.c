// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mounts, and devices on files: no process is left.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "straggler.h"

static void bind_on(const char *what, const char *where)
{
	must(mount(what, where, NULL, MS_BIND, NULL), where);
}

static void bind_kind(void)
{
	bind_on(in_root("/"), new_folder("bind"));
}

static void bind_file(void)
{
	bind_on(in_root("/etc/version"), new_file("bind-file"));
}

/* One upon the other, on the same point. */
static void stacked(void)
{
	const char *point = new_folder("stacked");

	for (int i = 0; i < 3; i++) {
		bind_on(in_root("/etc"), point);
		must(mount("stacked", point, "tmpfs", 0, NULL), point);
	}
}

/* One in the other; then one over all. */
static void nested(void)
{
	const char *top = new_folder("nested");
	char inner[300];

	must(mount("nested", top, "tmpfs", 0, NULL), top);
	snprintf(inner, sizeof(inner), "%s/a", top);
	must(mkdir(inner, 0755), inner);
	bind_on(in_root("/"), inner);
	snprintf(inner, sizeof(inner), "%s/a/mnt", top);
	bind_on(in_root("/usr"), inner);
	snprintf(inner, sizeof(inner), "%s/a/mnt/bin", top);
	must(mount("inner", inner, "tmpfs", 0, NULL), inner);
	must(mount("over", top, "tmpfs", 0, NULL), top);
}

/* What the root was mounted from, as a second mount would name it. */
static void find_root(char type[32], char source[64])
{
	FILE *table = fopen("/proc/self/mounts", "r");
	char line[512], point[128], from[64], kind[32];
	struct stat st;

	*type = '\0';
	while (table && fgets(line, sizeof(line), table)) {
		if (sscanf(line, "%63s %127s %31s", from, point, kind) == 3 &&
		    strncmp(point, in_root("/"), strlen(point)) == 0 &&
		    strcmp(kind, "rootfs") != 0 && strcmp(kind, "tmpfs") != 0) {
			snprintf(type, 32, "%s", kind);
			snprintf(source, 64, "%s", from);
		}
	}
	if (table)
		fclose(table);
	if (strcmp(source, "/dev/root") == 0 && stat(in_root("/"), &st) == 0)
		snprintf(source, 64, "/dev/mtdblock%u", (unsigned int)(st.st_dev & 0xff));
}

/* The file system of the root, mounted once more, on a tmpfs that is on it. */
static void second(void)
{
	const char *point = new_folder("second");
	char type[32], source[64];

	find_root(type, source);
	if (mount(source, point, type, MS_RDONLY, NULL) < 0 && errno == EBUSY)
		must(mount(source, point, type, 0, NULL), point); /* as it is mounted already */
	else if (access(in_root("/etc/version"), F_OK) < 0)
		must(-1, source);
}

static void loop(void)
{
	int control = must(open("/dev/loop-control", O_RDWR), "/dev/loop-control");
	int number = must(ioctl(control, LOOP_CTL_GET_FREE), "loop");
	char node[32];
	int device;

	snprintf(node, sizeof(node), "/dev/loop%d", number);
	device = must(open(node, O_RDONLY), node);
	must(ioctl(device, LOOP_SET_FD, must(open(in_root("/bin/busybox"), O_RDONLY), "busybox")),
	     node);
}

const struct kind mount_kinds[] = {
	{ "bind", bind_kind, "the root bound to a folder" },
	{ "bind-file", bind_file, "a file of the root bound to another" },
	{ "stacked", stacked, "mounts upon each other" },
	{ "nested", nested, "mounts in mounts, and one over all" },
	{ "second", second, "the root's file system mounted a second time" },
	{ "loop", loop, "a loop device on a file of the root" },
	{ 0 },
};
