// SPDX-License-Identifier: GPL-2.0-or-later
#include "target.h"

#include <stddef.h>

void target_add_region(struct target *t, uint32_t blocks, uint32_t eraseblock)
{
	if (blocks == 0)
		return;
	t->region[t->regions++] = (struct target_region){ t->size, t->blocks, blocks, eraseblock };
	t->size += (uint64_t)blocks * eraseblock;
	t->blocks += blocks;
	if (eraseblock > t->eraseblock)
		t->eraseblock = eraseblock;
}

static const struct target_region *region_of(const struct target *t, uint32_t eb)
{
	const struct target_region *r = &t->region[t->regions - 1];

	while (r > t->region && eb < r->first)
		r--;
	return r;
}

uint32_t target_block_size(const struct target *t, uint32_t eb)
{
	return region_of(t, eb)->eraseblock;
}

uint64_t target_block_offset(const struct target *t, uint32_t eb)
{
	const struct target_region *r = region_of(t, eb);

	return r->offset + (uint64_t)(eb - r->first) * r->eraseblock;
}

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

int target_good_blocks(struct target *t, uint32_t *good, uint64_t *bytes, struct fault *f)
{
	uint64_t sum = 0;

	*good = 0;
	for (uint32_t eb = 0;; eb++) {
		int found = target_next_good(t, &eb, f);

		if (found < 0)
			return -1;
		if (found == 0)
			break;
		(*good)++;
		sum += target_block_size(t, eb);
	}
	if (bytes)
		*bytes = sum;
	return 0;
}

void target_close(struct target *t)
{
	if (t)
		t->ops->close(t);
}
