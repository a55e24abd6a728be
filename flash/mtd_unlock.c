// SPDX-License-Identifier: GPL-2.0-or-later
#include "mtd_unlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <mtd/mtd-user.h>

static int check_unlocked(const struct target *t, int fd, uint32_t eb, struct fault *f)
{
	struct erase_info_user range = {
		.start = (uint32_t)target_block_offset(t, eb),
		.length = target_block_size(t, eb),
	};
	int locked = ioctl(fd, MEMISLOCKED, &range);

	if (locked < 0)
		return fault_errno(f, FAULT_UNFIT,
				   "%s: cannot tell whether eraseblock %u is locked", t->name, eb);
	if (locked)
		return fault_set(f, FAULT_UNFIT,
				 "%s: eraseblock %u is locked and cannot be unlocked: does a pin "
				 "protect the chip?",
				 t->name, eb);
	return 0;
}

/*
 * Many chips can only be unlocked in large parts: so once, as a whole, before anything is changed.
 * A driver without locks says so, and some say nothing: what counts is the result.
 *
 * The ioctls have 32 bits for an offset. No NOR chip has over 4 GiB; should one come, and come up
 * locked, then its first erase tells, or the read-back behind it.
 */
int mtd_unlock(const struct target *t, int fd, struct fault *f)
{
	struct erase_info_user whole = { .start = 0, .length = (uint32_t)t->size };

	if (t->size > UINT32_MAX)
		return 0;
	(void)ioctl(fd, MEMUNLOCK, &whole);
	for (uint32_t eb = 0; eb < t->blocks; eb++) {
		if (check_unlocked(t, fd, eb, f) == 0)
			continue;
		/* no locks, or (before Linux 2.6.36) no way to ask */
		return f->err == ENOTTY || f->err == EOPNOTSUPP ? 0 : -1;
	}
	return 0;
}
