// SPDX-License-Identifier: GPL-2.0-or-later
#include "target_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libmtd.h>
#include <libubi.h>

#include "device_node.h"

struct volume_target {
	struct target base; /* first, so that a struct target is one of these */
	libubi_t lib;
	struct ubi_dev_info dev;
	struct ubi_vol_info vol; /* as it was when we last looked */
	bool present;            /* ... if it was there */
	char dev_node[24];       /* /dev/ubi0 */
	char volume[IMAGE_TEXT_MAX + 1];
	int type;      /* the one that is wanted */
	int id;        /* the volume's number, which remains if it has to be made anew, ... */
	int alignment; /* ... as does its alignment */
	int fd;        /* of the volume; -1: not open */
	bool updating;
	uint64_t bytes, done; /* of the update */
	const char *unlike;   /* why it cannot hold the contents already, or NULL */
};

static struct volume_target *volume_of(struct target *t)
{
	return (struct volume_target *)t;
}

static void close_volume(struct volume_target *v)
{
	if (v->fd >= 0)
		(void)close(v->fd); /* the kernel has no more to say: see finish() */
	v->fd = -1;
}

/* Reads what sysfs says about the volume. */
static int look_up(struct volume_target *v, struct fault *f)
{
	/* libubi's errno is true for ENOENT: it says so without printing a message first. */
	v->present = ubi_get_vol_info1_nm(v->lib, v->dev.dev_num, v->volume, &v->vol) == 0;
	if (!v->present && errno != ENOENT)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot look it up in sysfs", v->base.name);
	if (v->present && (v->vol.leb_size <= 0 || v->vol.rsvd_lebs <= 0))
		return fault_set(f, FAULT_UNFIT, "%s: sysfs has no size of it", v->base.name);
	return 0;
}

static int open_volume(struct volume_target *v, int flags, struct fault *f)
{
	dev_t number = makedev((unsigned int)v->vol.major, (unsigned int)v->vol.minor);
	char node[40];

	(void)snprintf(node, sizeof(node), "%s_%d", v->dev_node, v->vol.vol_id);
	if (device_node_provide(node, S_IFCHR, number, f) < 0)
		return -1;
	v->fd = open(node, flags | O_CLOEXEC);
	if (v->fd >= 0)
		return 0;
	if (errno == EBUSY)
		return fault_errno(f, FAULT_BUSY, "%s is in use (mounted, or being updated)",
				   v->base.name);
	return fault_errno(f, FAULT_UNFIT, "%s: cannot open %s", v->base.name, node);
}

static int make(struct volume_target *v, struct fault *f)
{
	struct ubi_mkvol_request request = {
		.vol_id = v->id,
		.alignment = v->alignment,
		.bytes = (long long)v->base.size,
		.vol_type = v->type,
		.name = v->volume,
	};

	if (ubi_mkvol(v->lib, v->dev_node, &request) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot make the volume of %u eraseblocks",
				   v->base.name, v->base.blocks);
	return 0;
}

/*
 * A volume that shrinks is emptied first: it must not look whole with its end gone, should the
 * power go. One that grows keeps its contents until the update begins.
 */
static int resize(struct volume_target *v, struct fault *f)
{
	if ((uint32_t)v->vol.rsvd_lebs > v->base.blocks) {
		if (open_volume(v, O_RDWR, f) < 0)
			return -1;
		if (ubi_update_start(v->lib, v->fd, 0) < 0)
			return fault_errno(f, FAULT_FLASH, "%s: cannot empty it", v->base.name);
		close_volume(v);
	}
	if (ubi_rsvol(v->lib, v->dev_node, v->vol.vol_id, (long long)v->base.size) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot resize it to %u eraseblocks",
				   v->base.name, v->base.blocks);
	return 0;
}

/* Makes the volume what it shall be, but for its contents. */
static int reshape(struct volume_target *v, struct fault *f)
{
	if (v->present && v->vol.type == v->type)
		return resize(v, f); /* does nothing if the size is right */
	if (v->present && ubi_rmvol(v->lib, v->dev_node, v->vol.vol_id) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot remove it to change its type",
				   v->base.name);
	return make(v, f);
}

/* Checks that the volume is as it was meant to be, whoever else may have changed it. */
static int check_shape(const struct volume_target *v, struct fault *f)
{
	const struct ubi_vol_info *vol = &v->vol;

	if (v->present && vol->type == v->type && (uint32_t)vol->rsvd_lebs == v->base.blocks &&
	    (uint32_t)vol->leb_size == v->base.eraseblock)
		return 0;
	return fault_set(f, FAULT_FLASH, "%s: somebody else has changed the volume", v->base.name);
}

/* After its last byte the kernel has looked through the volume; this is its verdict. */
static int finish(struct volume_target *v, struct fault *f)
{
	v->updating = false;
	if (look_up(v, f) < 0 || check_shape(v, f) < 0)
		return -1;
	if (v->vol.corrupted ||
	    (v->type == UBI_STATIC_VOLUME && (uint64_t)v->vol.data_bytes != v->bytes))
		return fault_set(f, FAULT_FLASH,
				 "%s: the kernel finds it corrupted after the update",
				 v->base.name);
	return 0;
}

/* May be called again after a failure: it begins with what is there. */
static int start_update(struct volume_target *v, uint64_t bytes, struct fault *f)
{
	v->updating = false;
	close_volume(v);
	if (look_up(v, f) < 0 || reshape(v, f) < 0 || look_up(v, f) < 0 || check_shape(v, f) < 0 ||
	    open_volume(v, O_RDWR, f) < 0)
		return -1;
	if (ubi_update_start(v->lib, v->fd, (long long)bytes) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot begin the update", v->base.name);
	v->unlike = NULL;
	v->updating = true;
	v->bytes = bytes;
	v->done = 0;
	return bytes == 0 ? finish(v, f) : 0;
}

static int volume_update(struct target *t, uint64_t bytes, struct fault *f)
{
	int result;

	if (bytes > t->size)
		return fault_set(f, FAULT_FLASH, "%s: %llu bytes do not fit into its %llu", t->name,
				 (unsigned long long)bytes, (unsigned long long)t->size);
	result = start_update(volume_of(t), bytes, f);
	if (result < 0)
		f->kind = FAULT_FLASH; /* what is unfit or busy now is so too late */
	return result;
}

static int write_all(int fd, const uint8_t *buf, uint32_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return -1;
		buf += n;
		len -= (uint32_t)n;
	}
	return 0;
}

static int volume_program(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
			  uint32_t len, struct fault *f)
{
	struct volume_target *v = volume_of(t);
	uint64_t room = v->bytes - v->done;

	errno = EINVAL;
	if (!v->updating || target_block_offset(t, eb) + offset != v->done || len >= room + t->page)
		return fault_errno(f, FAULT_FLASH,
				   "%s: eraseblock %u at byte %u is not what the update is at",
				   t->name, eb, offset);
	if (len > room)
		len = (uint32_t)room; /* the rest of the last page */
	if (write_all(v->fd, buf, len) < 0) {
		v->updating = false; /* where the kernel is with it now, nobody knows */
		return fault_errno(f, FAULT_FLASH, "%s: cannot program eraseblock %u at byte %u",
				   t->name, eb, offset);
	}
	v->done += len;
	if (v->done < v->bytes)
		return 0;
	if (finish(v, f) < 0) {
		f->kind = FAULT_FLASH;
		return -1;
	}
	return 0;
}

static int volume_read(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		       struct fault *f)
{
	struct volume_target *v = volume_of(t);
	uint64_t at = target_block_offset(t, eb) + offset;
	uint8_t *to = buf;

	if (v->unlike)
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u: the volume %s", t->name, eb,
				 v->unlike);
	while (len > 0) {
		ssize_t n = pread(v->fd, to, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			return fault_set(f, FAULT_FLASH,
					 "%s: eraseblock %u: the contents end before", t->name, eb);
		if (n < 0)
			return fault_errno(f, FAULT_FLASH,
					   "%s: cannot read eraseblock %u at byte %u", t->name, eb,
					   offset);
		to += n;
		len -= (uint32_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

static int volume_is_bad(struct target *t, uint32_t eb, struct fault *f)
{
	(void)t; /* UBI keeps bad eraseblocks to itself */
	(void)eb;
	(void)f;
	return 0;
}

static void volume_close(struct target *t)
{
	struct volume_target *v = volume_of(t);

	close_volume(v);
	if (v->lib)
		libubi_close(v->lib);
	free(v);
}

static const struct target_ops volume_ops = {
	.is_bad = volume_is_bad,
	.program = volume_program,
	.read = volume_read,
	.update = volume_update,
	.close = volume_close,
};

/*
 * Finds an MTD device by its name, else as mtdN or /dev/mtdN. Without sysfs libmtd would fall back
 * to parsing /proc/mtd, which can loop forever.
 */
static int search_mtd(libmtd_t lib, const char *part, struct mtd_dev_info *found, struct fault *f)
{
	struct mtd_info all;
	int number = -1;

	if (mtd_get_info(lib, &all) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot list the MTD devices");
	for (int n = all.lowest_mtd_num; all.mtd_dev_cnt && n <= all.highest_mtd_num; n++) {
		char node[24];

		if (!mtd_dev_present(lib, n))
			continue;
		if (mtd_get_dev_info1(lib, n, found) < 0)
			return fault_errno(f, FAULT_UNFIT, "mtd%d: cannot look it up in sysfs", n);
		(void)snprintf(node, sizeof(node), "/dev/mtd%d", n);
		if (strcmp(found->name, part) != 0 && strcmp(node, part) != 0 &&
		    strcmp(node + 5, part) != 0)
			continue;
		if (number >= 0)
			return fault_set(f, FAULT_UNFIT,
					 "mtd%d and mtd%d are both named %s: cannot tell which",
					 number, n, part);
		number = n;
	}
	if (number < 0)
		return fault_set(f, FAULT_UNFIT,
				 "no MTD partition is named %s; /proc/mtd lists what there is",
				 part);
	if (mtd_get_dev_info1(lib, number, found) < 0)
		return fault_errno(f, FAULT_UNFIT, "mtd%d has gone", number);
	return 0;
}

static int find_mtd(const char *part, struct mtd_dev_info *found, struct fault *f)
{
	libmtd_t lib;
	int result;

	if (access("/sys/class/mtd", F_OK) < 0)
		return fault_errno(f, FAULT_UNFIT,
				   "no flash here: /sys/class/mtd (is /sys mounted?)");
	lib = libmtd_open();
	if (!lib)
		return fault_errno(f, FAULT_UNFIT, "libmtd cannot be opened");
	result = search_mtd(lib, part, found, f);
	libmtd_close(lib);
	return result;
}

/* Finds the UBI device on an MTD device. */
static int find_ubi(struct volume_target *v, const struct mtd_dev_info *mtd, struct fault *f)
{
	int number = -1;

	v->lib = libubi_open();
	/* errno is 0 where there is no UBI, or none on this device */
	if (!v->lib || mtd_num2ubi_dev(v->lib, mtd->mtd_num, &number) < 0) {
		if (errno != 0)
			return fault_errno(f, FAULT_UNFIT, "cannot list the UBI devices");
		return fault_set(f, FAULT_UNFIT,
				 "%s: no UBI is attached; to attach it: ubiattach -p /dev/mtd%d",
				 mtd->name, mtd->mtd_num);
	}
	if (ubi_get_dev_info1(v->lib, number, &v->dev) < 0)
		return fault_errno(f, FAULT_UNFIT, "ubi%d: cannot look it up in sysfs", number);
	if (v->dev.leb_size <= 0 || v->dev.min_io_size <= 0)
		return fault_set(f, FAULT_UNFIT, "ubi%d: sysfs has no size of it", number);
	return 0;
}

/* Decides on the volume's size, and whether there is room for it. */
static int plan(struct volume_target *v, const struct payload *p, struct fault *f)
{
	uint32_t leb = (uint32_t)(v->present ? v->vol.leb_size : v->dev.leb_size);
	uint64_t has = v->present ? (uint64_t)v->vol.rsvd_lebs : 0;
	uint64_t free_now = (uint64_t)v->dev.avail_lebs + has;
	uint64_t bytes = p->volume_size ? p->volume_size : p->size;
	uint64_t wanted = bytes / leb + (bytes % leb != 0);

	if (!p->volume_size && wanted < has)
		wanted = has;
	if (wanted == 0)
		wanted = 1; /* there is no smaller volume */
	if (wanted > free_now)
		return fault_set(f, FAULT_UNFIT,
				 "%s needs %llu of %d logical eraseblocks, %llu are free",
				 v->base.name, (unsigned long long)wanted, v->dev.total_lebs,
				 (unsigned long long)free_now);
	if (!v->present && v->dev.vol_count >= v->dev.max_vol_count)
		return fault_set(f, FAULT_UNFIT, "%s: all %d volumes that ubi%d can have exist",
				 v->base.name, v->dev.max_vol_count, v->dev.dev_num);
	v->id = v->present ? v->vol.vol_id : UBI_VOL_NUM_AUTO;
	v->alignment = v->present ? v->vol.alignment : 1;
	v->base.page = v->base.subpage = (uint32_t)v->dev.min_io_size;
	target_add_region(&v->base, (uint32_t)wanted, leb);
	return 0;
}

/*
 * Asks, changing nothing, whether the volume could be had alone: resizing it to the size it has
 * opens it exclusively and does no more. Opening it for writing would not tell of its readers.
 */
static int check_free(struct volume_target *v, struct fault *f)
{
	if (ubi_rsvol(v->lib, v->dev_node, v->vol.vol_id, v->vol.rsvd_bytes) == 0)
		return 0;
	if (errno == EBUSY)
		return fault_errno(f, FAULT_BUSY, "%s is in use (mounted, or open elsewhere)",
				   v->base.name);
	return fault_errno(f, FAULT_UNFIT, "%s cannot be written", v->base.name);
}

/* Why the volume cannot hold the payload, whatever its bytes are; NULL: it can. */
static const char *unlike(const struct volume_target *v, const struct payload *p)
{
	char byte;

	if (!v->present)
		return "does not exist";
	if (v->vol.type != v->type)
		return "is of another type";
	if ((uint32_t)v->vol.rsvd_lebs != v->base.blocks)
		return "has another size";
	if (v->vol.corrupted)
		return "is corrupted";
	if (v->type == UBI_STATIC_VOLUME && (uint64_t)v->vol.data_bytes != p->size)
		return "holds another number of bytes";
	if (pread(v->fd, &byte, 1, 0) < 0 && errno == EBADF) /* what else fails, read() will meet */
		return "was left by an update that was cut off";
	return NULL;
}

static int find_volume(struct volume_target *v, const struct payload *p, enum target_mode mode,
		       struct fault *f)
{
	struct mtd_dev_info mtd = { .mtd_num = -1 };

	if (find_mtd(p->part, &mtd, f) < 0 || find_ubi(v, &mtd, f) < 0)
		return -1;
	(void)snprintf(v->dev_node, sizeof(v->dev_node), "/dev/ubi%d", v->dev.dev_num);
	(void)snprintf(v->base.name, sizeof(v->base.name), "ubi%d:%.52s", v->dev.dev_num,
		       v->volume); /* cut, it still names it */
	if (look_up(v, f) < 0 || plan(v, p, f) < 0)
		return -1;
	if (mode == TARGET_WRITE) {
		dev_t number = makedev((unsigned int)v->dev.major, (unsigned int)v->dev.minor);

		if (!mtd.writable)
			return fault_set(f, FAULT_UNFIT, "mtd%d (%s) is write-protected",
					 mtd.mtd_num, mtd.name);
		if (device_node_provide(v->dev_node, S_IFCHR, number, f) < 0 ||
		    (v->present && check_free(v, f) < 0))
			return -1;
	}
	if (v->present && open_volume(v, mode == TARGET_WRITE ? O_RDWR : O_RDONLY, f) < 0)
		return -1;
	v->unlike = unlike(v, p);
	return 0;
}

int target_open_volume(struct target **t, const struct payload *p, enum target_mode mode, int *ubi,
		       struct fault *f)
{
	struct volume_target *v = calloc(1, sizeof(*v));

	if (!v)
		return fault_errno(f, FAULT_UNFIT, "%s: no memory", p->volume);
	v->fd = -1;
	v->base.ops = &volume_ops;
	v->base.medium = MEDIUM_VOLUME;
	v->type = p->volume_type == VOLUME_STATIC ? UBI_STATIC_VOLUME : UBI_DYNAMIC_VOLUME;
	memcpy(v->volume, p->volume, sizeof(v->volume));
	if (find_volume(v, p, mode, f) < 0) {
		volume_close(&v->base);
		return -1;
	}
	if (ubi)
		*ubi = v->dev.dev_num;
	*t = &v->base;
	return 0;
}
