// SPDX-License-Identifier: GPL-2.0-or-later
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* A directory in memory that every process sees, whatever is mounted and writable. */
static const char lock_place[] = "/sys/class/mtd";

/* In a place that no boot finds again. */
static const char reboot_first[] = "/run/flashinit.reboot-first";

void lock_until_reboot(void)
{
	int fd = open(reboot_first, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0) /* without /run the message has to do */
		(void)close(fd);
}

int lock_take(struct fault *f)
{
	int fd;

	if (access(reboot_first, F_OK) == 0)
		return fault_set(
			f, FAULT_UNFIT,
			"a bad eraseblock could not be marked: reboot before writing again "
			"(%s)",
			reboot_first);
	fd = open(lock_place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) /* no MTD, but block devices, perhaps */
		fd = open("/sys/class", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, FAULT_UNFIT, "no flash here: %s (is /sys mounted?)",
				   lock_place);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (errno == EWOULDBLOCK)
		(void)fault_set(f, FAULT_BUSY, "another update is running");
	else
		(void)fault_errno(f, FAULT_FAILED, "%s: cannot lock", lock_place);
	(void)close(fd);
	return -1;
}
