// SPDX-License-Identifier: GPL-2.0-or-later
#include "device_node.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int device_node_provide(const char *path, mode_t type, dev_t number, struct fault *f)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return fault_errno(f, FAULT_UNFIT, "%s: cannot look at it", path);
		if (mknod(path, type | 0600, number) < 0 && errno != EEXIST)
			return fault_errno(f, FAULT_UNFIT, "%s: cannot make the device node", path);
		/* Whoever made it in the meantime may have made another. */
		if (stat(path, &st) < 0)
			return fault_errno(f, FAULT_UNFIT, "%s: cannot look at it", path);
	}
	if ((st.st_mode & S_IFMT) != type || st.st_rdev != number)
		return fault_set(f, FAULT_UNFIT, "%s is not device %u:%u: a stale node, remove it",
				 path, major(number), minor(number));
	return 0;
}

int device_node_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC), other, err;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	err = errno;
	(void)close(fd); /* nothing was written */
	errno = err;
	return other;
}
