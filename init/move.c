// SPDX-License-Identifier: GPL-2.0-or-later
#include "move.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "ramroot.h"
#include "root.h"
#include "views.h"

enum { STAGED_MAX = 1 << 20 }; /* bytes of flashinit, keys and configuration */

int move_to_ram(const struct plan *plan, struct fault *f)
{
	const struct ramroot_contents contents = {
		.plan = plan,
		.outcome = "",
		.bytes = STAGED_MAX,
	};
	struct ramroot ram;

	if (views_provide(f) < 0 || ramroot_make(&ram, &contents, f) < 0)
		return -1;
	if (root_keep_start(ram.dir, f) < 0 || ramroot_try(&ram, f) < 0)
		return -1;
	/* "oldroot" is PLAN_OLD_ROOT, seen from the RAM root. */
	if (chdir(ram.dir) < 0 || syscall(SYS_pivot_root, ".", "oldroot") < 0)
		return fault_errno(f, FAULT_FAILED, "cannot make %s the root", ram.dir);
	return 0;
}
