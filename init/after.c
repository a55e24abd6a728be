// SPDX-License-Identifier: GPL-2.0-or-later
#include "after.h"

#include "boot.h"
#include "machine.h"
#include "memory.h"
#include "new_root.h"
#include "say.h"

void after_update(const struct plan *plan)
{
	struct fault f;

	if (plan->after.what < AFTER_BOOT)
		machine_end(plan->after.what);
	memory_hold_back(MEMORY_VM, plan->boost); /* whoever comes next finds it as it was */
	if (plan->after.what == AFTER_BOOT)
		boot_new_root(plan->root, &f);
	else
		boot_program(plan->after.program, &f);
	(void)say_fault(&f);
	say("a reboot will do instead");
	machine_leave(NEW_ROOT);
	machine_end(AFTER_REBOOT);
}
