// SPDX-License-Identifier: GPL-2.0-or-later
#include "move.h"

#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ramroot.h"
#include "root.h"

enum { STAGED_MAX = 1 << 20 }; /* bytes of flashinit, keys and configuration */

static int need_view(const char *proof, const char *type, const char *dir, struct fault *f)
{
	if (access(proof, F_OK) < 0 && mount(type, dir, type, 0, NULL) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot mount %s", dir);
	return 0;
}

int move_to_ram(const struct plan *plan, struct fault *f)
{
	const struct ramroot_contents contents = {
		.plan = plan,
		.outcome = "",
		.bytes = STAGED_MAX,
	};
	struct ramroot ram;

	if (need_view("/proc/self", "proc", "/proc", f) < 0 ||
	    need_view("/sys/class", "sysfs", "/sys", f) < 0 || ramroot_make(&ram, &contents, f) < 0)
		return -1;
	if (root_keep_start(ram.dir, f) < 0 || ramroot_try(&ram, f) < 0)
		return -1;
	/* "oldroot" is PLAN_OLD_ROOT, seen from the RAM root. */
	if (chdir(ram.dir) < 0 || syscall(SYS_pivot_root, ".", "oldroot") < 0)
		return fault_errno(f, FAULT_FAILED, "cannot make %s the root", ram.dir);
	return 0;
}
