// SPDX-License-Identifier: GPL-2.0-or-later
#include "target.h"

#include <stddef.h>

int target_next_good(struct target *t, uint32_t *eb, struct fault *f)
{
	for (; *eb < t->blocks; (*eb)++) {
		int bad = t->ops->is_bad(t, *eb, f);

		if (bad < 0)
			return -1;
		if (!bad)
			return 1;
	}
	return 0;
}

int target_good_blocks(struct target *t, uint32_t *good, struct fault *f)
{
	*good = 0;
	for (uint32_t eb = 0;; eb++) {
		int found = target_next_good(t, &eb, f);

		if (found <= 0)
			return found;
		(*good)++;
	}
}

void target_close(struct target *t)
{
	if (t)
		t->ops->close(t);
}
