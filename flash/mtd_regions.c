// SPDX-License-Identifier: GPL-2.0-or-later
#include "mtd_regions.h"

#include <sys/ioctl.h>

#include <mtd/mtd-user.h>

static int add_region(struct target *t, const struct region_info_user *r, struct fault *f)
{
	if (t->regions == TARGET_REGIONS_MAX)
		return fault_set(f, FAULT_UNFIT,
				 "%s: the size of its eraseblocks changes more than %d times",
				 t->name, TARGET_REGIONS_MAX - 1);
	target_add_region(t, r->numblocks, r->erasesize);
	return 0;
}

/* The next region must start at byte start. Its offset has 32 bits, whatever the size. */
static int get_region(const struct target *t, int fd, unsigned int n, uint64_t start,
		      struct region_info_user *r, struct fault *f)
{
	r->regionindex = n;
	if (ioctl(fd, MEMGETREGIONINFO, r) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read its erase region %u", t->name,
				   n);
	if (r->erasesize == 0 || r->erasesize % t->page || start % r->erasesize ||
	    r->offset != (uint32_t)start)
		return fault_set(f, FAULT_UNFIT,
				 "%s: its erase region %u, %u bytes each from byte %u on, is not "
				 "whole eraseblocks",
				 t->name, n, r->erasesize, r->offset);
	return 0;
}

static int add_different(struct target *t, int fd, unsigned int count, struct fault *f)
{
	struct region_info_user same = { 0 }; /* neighbours of one size, as several chips have */

	for (unsigned int n = 0; n < count; n++) {
		uint64_t start = t->size + (uint64_t)same.numblocks * same.erasesize;
		struct region_info_user r;

		if (get_region(t, fd, n, start, &r, f) < 0)
			return -1;
		if (r.erasesize == same.erasesize) {
			same.numblocks += r.numblocks;
			continue;
		}
		if (n > 0 && add_region(t, &same, f) < 0)
			return -1;
		same = r;
	}
	return add_region(t, &same, f);
}

int mtd_add_regions(struct target *t, int fd, const struct mtd_device *d, struct fault *f)
{
	int count = 0;

	if (ioctl(fd, MEMGETREGIONCOUNT, &count) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot count its erase regions", t->name);
	if (count <= 1) {
		target_add_region(t, (uint32_t)(d->size / d->eraseblock), d->eraseblock);
		return 0;
	}
	if (add_different(t, fd, (unsigned int)count, f) < 0)
		return -1;
	if (t->size != d->size)
		return fault_set(f, FAULT_UNFIT, "%s: its erase regions have %llu of %llu bytes",
				 t->name, (unsigned long long)t->size, (unsigned long long)d->size);
	return 0;
}
