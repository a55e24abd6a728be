// SPDX-License-Identifier: GPL-2.0-or-later
#include "views.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int provide(const char *proof, const char *type, const char *dir, struct fault *f)
{
	if (access(proof, F_OK) == 0)
		return 0;
	(void)mkdir(dir, 0755); /* it may be there */
	if (mount(type, dir, type, 0, NULL) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot mount %s", dir);
	return 0;
}

int views_provide(struct fault *f)
{
	return provide("/proc/self", "proc", "/proc", f) < 0
		       ? -1
		       : provide("/sys/class", "sysfs", "/sys", f);
}
