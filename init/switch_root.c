// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "boot.h"
#include "new_root.h"

bool switch_root_is_initramfs(void)
{
	struct statfs st;

	return statfs("/", &st) == 0 &&
	       ((unsigned long)st.f_type == RAMFS_MAGIC || st.f_type == TMPFS_MAGIC);
}

/* Closes dir. What does not go stays, and takes its memory. */
static void empty(int dir, dev_t ours)
{
	DIR *list = fdopendir(dir);
	struct dirent *e;
	struct stat st;

	if (!list)
		(void)close(dir);
	while (list && (e = readdir(list))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != ours)
			continue;
		if (S_ISDIR(st.st_mode))
			empty(openat(dir, e->d_name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
			      ours);
		(void)unlinkat(dir, e->d_name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	}
	if (list)
		(void)closedir(list);
}

void switch_root_empty(int initramfs)
{
	struct stat st;

	if (fstat(initramfs, &st) == 0)
		empty(initramfs, st.st_dev);
}

int switch_root(struct fault *f)
{
	static const char *const views[] = { "/proc", "/sys", "/dev" };

	/* Lazily: whatever still uses them lets go of them soon, and they hold no flash. */
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++)
		(void)umount2(views[i], MNT_DETACH);
	if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return fault_errno(f, FAULT_FAILED, "cannot make %s the root", NEW_ROOT);
	boot_open_console();
	return 0;
}
