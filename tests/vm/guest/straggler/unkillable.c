// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes that nothing ends, with files of the root open: they write to a frozen file system, which
 * is on the RAM disk. "mke2fs /dev/ram0" must have made it.
 */

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "straggler.h"

static int is_uninterruptible(int pid)
{
	char path[64], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file && !fgets(text, sizeof(text), file))
		must(-1, path);
	if (file)
		fclose(file);
	return strstr(text, ") D ") != NULL;
}

static void frozen(void)
{
	const char *point = new_folder("frozen");
	char path[300];
	int fd, pid;

	must(mount("/dev/ram0", point, "ext4", 0, NULL), point);
	snprintf(path, sizeof(path), "%s/x", point);
	fd = must(open(path, O_WRONLY | O_CREAT, 0644), path);
	must(ioctl(fd, FIFREEZE, 0), "freeze");
	pid = must(fork(), "fork");
	if (pid == 0) {
		be_deaf();
		open_file();
		must(chdir(in_root("/etc")), "/etc");
		must((int)write(fd, "x", 1), path);
	}
	while (!is_uninterruptible(pid))
		usleep(1000);
}

static void frozen_ns(void)
{
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	frozen();
}

const struct kind unkillable_kinds[] = {
	{ "frozen", frozen, "one that writes to a frozen file system" },
	{ "frozen-ns", frozen_ns, "the same in a mount namespace of its own" },
	{ 0 },
};
