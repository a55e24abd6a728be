// SPDX-License-Identifier: GPL-2.0-or-later
#include "target_mtd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <libmtd.h>
#include <mtd/mtd-user.h>

struct mtd_target {
	struct target base; /* first, so that a struct target is one of these */
	libmtd_t lib;
	struct mtd_dev_info info;
	int fd;
};

static struct mtd_target *mtd_of(struct target *t)
{
	return (struct mtd_target *)t;
}

static int mtd_is_bad_op(struct target *t, uint32_t eb, struct fault *f)
{
	struct mtd_target *m = mtd_of(t);
	int bad = mtd_is_bad(&m->info, m->fd, (int)eb);

	if (bad < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot tell whether eraseblock %u is bad",
				   t->name, eb);
	return bad;
}

static int mtd_erase_op(struct target *t, uint32_t eb, struct fault *f)
{
	struct mtd_target *m = mtd_of(t);

	if (mtd_erase(m->lib, &m->info, m->fd, (int)eb) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot erase eraseblock %u", t->name, eb);
	return 0;
}

static int mtd_program_op(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
			  uint32_t len, struct fault *f)
{
	struct mtd_target *m = mtd_of(t);

	/* libmtd takes the data without const and does not change it */
	if (mtd_write(m->lib, &m->info, m->fd, (int)eb, (int)offset, (void *)(uintptr_t)buf,
		      (int)len, NULL, 0, 0) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot program eraseblock %u at byte %u",
				   t->name, eb, offset);
	return 0;
}

static int mtd_read_op(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		       struct fault *f)
{
	struct mtd_target *m = mtd_of(t);

	if (mtd_read(&m->info, m->fd, (int)eb, (int)offset, buf, (int)len) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot read eraseblock %u at byte %u",
				   t->name, eb, offset);
	return 0;
}

static int mtd_ecc_op(struct target *t, struct ecc_counts *counts, struct fault *f)
{
	struct mtd_ecc_stats stats;

	memset(counts, 0, sizeof(*counts));
	if (ioctl(mtd_of(t)->fd, ECCGETSTATS, &stats) < 0) {
		if (errno == ENOTTY || errno == EOPNOTSUPP)
			return 0; /* a driver without ECC has nothing to tell */
		return fault_errno(f, FAULT_FLASH, "%s: cannot read the ECC statistics", t->name);
	}
	counts->corrected = stats.corrected;
	counts->failed = stats.failed;
	return 0;
}

static void mtd_close_op(struct target *t)
{
	struct mtd_target *m = mtd_of(t);

	if (m->fd >= 0)
		(void)close(m->fd); /* everything was read back: nothing is left to report */
	if (m->lib)
		libmtd_close(m->lib);
	free(m);
}

static const struct target_ops mtd_ops = {
	.is_bad = mtd_is_bad_op,
	.erase = mtd_erase_op,
	.program = mtd_program_op,
	.read = mtd_read_op,
	.ecc = mtd_ecc_op,
	.close = mtd_close_op,
};

/* Finds the one partition of this name among all MTD devices. */
static int find_by_name(libmtd_t lib, const char *name, int *number, struct fault *f)
{
	struct mtd_info all;

	*number = -1;

	if (mtd_get_info(lib, &all) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot list the MTD devices");
	for (int n = all.lowest_mtd_num; all.mtd_dev_cnt && n <= all.highest_mtd_num; n++) {
		struct mtd_dev_info info;

		if (!mtd_dev_present(lib, n) || mtd_get_dev_info1(lib, n, &info) < 0 ||
		    strcmp(info.name, name) != 0)
			continue;
		if (*number >= 0)
			return fault_set(f, FAULT_UNFIT,
					 "mtd%d and mtd%d are both named %s: cannot tell which",
					 *number, n, name);
		*number = n;
	}
	if (*number < 0)
		return fault_set(f, FAULT_UNFIT,
				 "no MTD partition is named %s; /proc/mtd lists what there is",
				 name);
	return 0;
}

static int check_usable(const struct mtd_dev_info *info, struct fault *f)
{
	if (info->eb_size <= 0 || info->min_io_size <= 0 || info->eb_cnt <= 0)
		return fault_set(f, FAULT_UNFIT, "mtd%d (%s) is not flash that can be erased",
				 info->mtd_num, info->name);
	if (!info->writable)
		return fault_set(f, FAULT_UNFIT, "mtd%d (%s) is write-protected", info->mtd_num,
				 info->name);
	if (info->region_cnt > 1)
		return fault_set(f, FAULT_UNFIT,
				 "mtd%d (%s) has eraseblocks of %d different sizes: not supported",
				 info->mtd_num, info->name, info->region_cnt);
	if (info->size > INT32_MAX)
		return fault_set(f, FAULT_UNFIT,
				 "mtd%d (%s) has %lld bytes: over 2 GiB is not supported",
				 info->mtd_num, info->name, info->size);
	return 0;
}

static int load_info(struct mtd_target *m, int number, struct fault *f)
{
	if (mtd_get_dev_info1(m->lib, number, &m->info) < 0)
		return fault_errno(f, FAULT_UNFIT, "mtd%d has gone", number);
	return check_usable(&m->info, f);
}

static int open_node(struct mtd_target *m, enum target_mode mode, struct fault *f)
{
	char node[32];

	(void)snprintf(node, sizeof(node), "/dev/mtd%d", m->info.mtd_num);
	m->fd = open(node, (mode == TARGET_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (m->fd < 0)
		return fault_errno(f, FAULT_UNFIT, "%s (%s): cannot open", node, m->info.name);
	return 0;
}

/*
 * NOR chips come up locked, and many can only be unlocked in large parts: so once, as a whole,
 * before anything is changed. libmtd's mtd_unlock() takes a chip without locks (EOPNOTSUPP) for an
 * error and says so on stderr, so these are the plain ioctls. What counts is the result.
 */
static int unlock(const struct mtd_target *m, struct fault *f)
{
	struct erase_info_user range = { .start = 0, .length = (uint32_t)m->info.size };

	if (m->info.type != MTD_NORFLASH)
		return 0;
	(void)ioctl(m->fd, MEMUNLOCK, &range);
	range.length = (uint32_t)m->info.eb_size;
	for (int eb = 0; eb < m->info.eb_cnt; eb++) {
		range.start = (uint32_t)eb * range.length;
		if (ioctl(m->fd, MEMISLOCKED, &range) > 0)
			return fault_set(
				f, FAULT_UNFIT,
				"mtd%d (%s): eraseblock %d is locked and cannot be unlocked",
				m->info.mtd_num, m->info.name, eb);
	}
	return 0;
}

static void describe(struct mtd_target *m)
{
	struct target *t = &m->base;

	t->ops = &mtd_ops;
	(void)snprintf(t->name, sizeof(t->name), "%.63s", m->info.name); /* found by it */
	t->medium = m->info.bb_allowed ? MEDIUM_NAND : MEDIUM_NOR;
	t->page = t->subpage = (uint32_t)m->info.min_io_size;
	target_add_region(t, (uint32_t)m->info.eb_cnt, (uint32_t)m->info.eb_size);
}

int target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
		    struct fault *f)
{
	struct mtd_target *m;
	int found;

	/* Without sysfs libmtd would fall back to parsing /proc/mtd, which can loop forever. */
	if (access("/sys/class/mtd", F_OK) < 0)
		return fault_errno(f, FAULT_UNFIT,
				   "no flash here: /sys/class/mtd (is /sys mounted?)");
	m = calloc(1, sizeof(*m));
	if (!m)
		return fault_errno(f, FAULT_UNFIT, "%s: no memory", name);
	m->fd = -1;
	m->lib = libmtd_open();
	if (!m->lib) {
		(void)fault_errno(f, FAULT_UNFIT, "libmtd cannot be opened");
		goto fail;
	}
	if (find_by_name(m->lib, name, &found, f) < 0 || load_info(m, found, f) < 0 ||
	    open_node(m, mode, f) < 0 || (mode == TARGET_WRITE && unlock(m, f) < 0))
		goto fail;
	describe(m);
	if (number)
		*number = found;
	*t = &m->base;
	return 0;
fail:
	mtd_close_op(&m->base);
	return -1;
}
