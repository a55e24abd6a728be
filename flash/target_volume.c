// SPDX-License-Identifier: GPL-2.0-or-later
#include "target_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mtd/ubi-user.h>

#include "device_node.h"
#include "mtd_device.h"
#include "transfer.h"
#include "ubi_device.h"

struct volume_target {
	struct target base; /* first, so that a struct target is one of these */
	struct ubi_device dev;
	struct ubi_volume vol; /* as it was when we last looked, ... */
	bool present;          /* ... if it was there */
	char dev_node[24];     /* /dev/ubi0 */
	char volume[IMAGE_TEXT_MAX + 1];
	bool is_static;     /* as is wanted */
	int id;             /* the volume's number, which remains if it has to be made anew, ... */
	uint32_t alignment; /* ... as does its alignment */
	int fd;             /* of the volume; -1: not open */
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

static int look_up(struct volume_target *v, struct fault *f)
{
	int found = ubi_volume_find(&v->vol, &v->dev, v->volume, f);

	v->present = found > 0;
	if (v->present)
		(void)snprintf(v->base.device, sizeof(v->base.device), "ubi%d_%d", v->dev.number,
			       v->vol.id);
	else
		(void)snprintf(v->base.device, sizeof(v->base.device), "ubi%d", v->dev.number);
	return found < 0 ? -1 : 0;
}

static int open_volume(struct volume_target *v, int flags, struct fault *f)
{
	char node[40];

	(void)snprintf(node, sizeof(node), "%s_%d", v->dev_node, v->vol.id);
	if (device_node_provide(node, S_IFCHR, v->vol.node, f) < 0)
		return -1;
	v->fd = device_node_open(node, flags);
	if (v->fd >= 0)
		return 0;
	if (errno == EBUSY)
		return fault_errno(f, FAULT_BUSY, "%s is in use (mounted, or being updated)",
				   v->base.name);
	return fault_errno(f, FAULT_UNFIT, "%s: cannot open %s", v->base.name, node);
}

/* Has the UBI device do something to its volumes. Returns 0, or -1 with errno. */
static int control(const struct volume_target *v, unsigned long request, const void *argument)
{
	int fd = device_node_open(v->dev_node, O_RDONLY);
	int result, err;

	if (fd < 0)
		return -1;
	result = ioctl(fd, request, argument);
	err = errno;
	(void)close(fd); /* it was only asked */
	errno = err;
	return result;
}

static int make(struct volume_target *v, struct fault *f)
{
	struct ubi_mkvol_req request = {
		.vol_id = v->id,
		.alignment = (int)v->alignment,
		.bytes = (long long)v->base.size,
		.vol_type = v->is_static ? UBI_STATIC_VOLUME : UBI_DYNAMIC_VOLUME,
		.name_len = (short)strlen(v->volume),
	};

	memcpy(request.name, v->volume, sizeof(v->volume));
	if (control(v, UBI_IOCMKVOL, &request) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot make the volume of %u eraseblocks",
				   v->base.name, v->base.blocks);
	return 0;
}

static int set_size(const struct volume_target *v, uint64_t bytes)
{
	struct ubi_rsvol_req request = { .bytes = (long long)bytes, .vol_id = v->vol.id };

	return control(v, UBI_IOCRSVOL, &request);
}

/* Gives up the volume's contents for so many new bytes. Returns 0, or -1 with errno. */
static int announce(const struct volume_target *v, uint64_t bytes)
{
	int64_t number = (int64_t)bytes;

	return ioctl(v->fd, UBI_IOCVOLUP, &number);
}

/*
 * A volume that shrinks is emptied first: it must not look whole with its end gone, should the
 * power go. One that grows keeps its contents until the update begins.
 */
static int resize(struct volume_target *v, struct fault *f)
{
	if (v->vol.blocks > v->base.blocks) {
		if (open_volume(v, O_RDWR, f) < 0)
			return -1;
		if (announce(v, 0) < 0)
			return fault_errno(f, FAULT_FLASH, "%s: cannot empty it", v->base.name);
		close_volume(v);
	}
	if (set_size(v, v->base.size) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot resize it to %u eraseblocks",
				   v->base.name, v->base.blocks);
	return 0;
}

/* Makes the volume what it shall be, but for its contents. */
static int reshape(struct volume_target *v, struct fault *f)
{
	if (v->present && v->vol.is_static == v->is_static)
		return resize(v, f); /* does nothing if the size is right */
	if (v->present && control(v, UBI_IOCRMVOL, &v->vol.id) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot remove it to change its type",
				   v->base.name);
	return make(v, f);
}

/* Checks that the volume is as it was meant to be, whoever else may have changed it. */
static int check_shape(const struct volume_target *v, struct fault *f)
{
	const struct ubi_volume *vol = &v->vol;

	if (v->present && vol->is_static == v->is_static && vol->blocks == v->base.blocks &&
	    vol->eraseblock == v->base.eraseblock)
		return 0;
	return fault_set(f, FAULT_FLASH, "%s: somebody else has changed the volume", v->base.name);
}

/* After its last byte the kernel has looked through the volume; this is its verdict. */
static int finish(struct volume_target *v, struct fault *f)
{
	v->updating = false;
	if (look_up(v, f) < 0 || check_shape(v, f) < 0)
		return -1;
	if (v->vol.corrupted || v->vol.updating || (v->is_static && v->vol.data_bytes != v->bytes))
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
	if (announce(v, bytes) < 0)
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
	if (transfer_out(v->fd, buf, len, v->done) < 0) {
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

	if (v->unlike)
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u: the volume %s", t->name, eb,
				 v->unlike);
	if (transfer_in(v->fd, buf, len, at) == 0)
		return 0;
	(void)fault_errno(f, FAULT_FLASH, "%s: cannot read eraseblock %u at byte %u", t->name, eb,
			  offset);
	if (f->err == ENODATA)
		f->err = 0; /* no failure: the contents are other ones */
	return -1;
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
	free(v);
}

static const struct target_ops volume_ops = {
	.is_bad = volume_is_bad,
	.program = volume_program,
	.read = volume_read,
	.update = volume_update,
	.close = volume_close,
};

/* Finds the UBI device on the MTD partition. */
static int find_ubi(struct volume_target *v, const char *part, enum target_mode mode,
		    struct fault *f)
{
	struct mtd_device mtd;
	int number = -1, found;

	if (mtd_device_find(part, &number, f) < 0 || mtd_device_read(&mtd, number, f) < 0)
		return -1;
	found = ubi_device_find(&v->dev, number, f);
	if (found == 0)
		return fault_set(f, FAULT_UNFIT,
				 "%s: no UBI is attached; to attach it: ubiattach -p /dev/mtd%d",
				 mtd.name, number);
	if (found > 0 && mode == TARGET_WRITE && !mtd.writable)
		return fault_set(f, FAULT_UNFIT, "mtd%d (%s) is write-protected", number, mtd.name);
	return found < 0 ? -1 : 0;
}

/* Decides on the volume's size, and whether there is room for it. */
static int plan(struct volume_target *v, const struct payload *p, struct fault *f)
{
	uint32_t leb = v->present ? v->vol.eraseblock : v->dev.eraseblock;
	uint32_t has = v->present ? v->vol.blocks : 0;
	uint32_t available = v->dev.available + has;
	uint64_t bytes = p->volume_size ? p->volume_size : p->size;
	uint64_t wanted = bytes / leb + (bytes % leb != 0);

	if (!p->volume_size && wanted < has)
		wanted = has;
	if (wanted == 0)
		wanted = 1; /* there is no smaller volume */
	if (wanted > available)
		return fault_set(f, FAULT_UNFIT,
				 "%s needs %llu of %u logical eraseblocks, %u are free",
				 v->base.name, (unsigned long long)wanted, v->dev.total, available);
	if (!v->present && v->dev.volumes >= v->dev.volumes_max)
		return fault_set(f, FAULT_UNFIT, "%s: all %u volumes that ubi%d can have exist",
				 v->base.name, v->dev.volumes_max, v->dev.number);
	v->id = v->present ? v->vol.id : UBI_VOL_NUM_AUTO;
	v->alignment = v->present ? v->vol.alignment : 1;
	v->base.page = v->base.subpage = v->dev.page;
	target_add_region(&v->base, (uint32_t)wanted, leb);
	v->base.ubi = v->dev.number;
	v->base.available = v->dev.available;
	v->base.takes = (int64_t)wanted - has;
	return 0;
}

/*
 * Asks, changing nothing, whether the volume could be had alone: resizing it to the size it has
 * opens it exclusively and does no more. Opening it for writing would not tell of its readers.
 */
static int check_free(const struct volume_target *v, struct fault *f)
{
	if (set_size(v, (uint64_t)v->vol.blocks * v->vol.eraseblock) == 0)
		return 0;
	if (errno == EBUSY)
		return fault_errno(f, FAULT_BUSY, "%s is in use (mounted, or open elsewhere)",
				   v->base.name);
	return fault_errno(f, FAULT_UNFIT, "%s cannot be written", v->base.name);
}

/* Why the volume cannot hold the payload, whatever its bytes are; NULL: it can. */
static const char *unlike(const struct volume_target *v, const struct payload *p)
{
	if (!v->present)
		return "does not exist";
	if (v->vol.is_static != v->is_static)
		return "is of another type";
	if (v->vol.blocks != v->base.blocks)
		return "has another size";
	if (v->vol.updating)
		return "was left by an update that was cut off";
	if (v->vol.corrupted)
		return "is corrupted";
	if (v->is_static && v->vol.data_bytes != p->size)
		return "holds another number of bytes";
	return NULL;
}

static int find_volume(struct volume_target *v, const struct payload *p, enum target_mode mode,
		       struct fault *f)
{
	if (find_ubi(v, p->part, mode, f) < 0)
		return -1;
	(void)snprintf(v->dev_node, sizeof(v->dev_node), "/dev/ubi%d", v->dev.number);
	(void)snprintf(v->base.name, sizeof(v->base.name), "ubi%d:%.52s", v->dev.number,
		       v->volume); /* cut, it still names it */
	if (look_up(v, f) < 0 || plan(v, p, f) < 0)
		return -1;
	if (mode == TARGET_WRITE &&
	    (device_node_provide(v->dev_node, S_IFCHR, v->dev.node, f) < 0 ||
	     (v->present && check_free(v, f) < 0)))
		return -1;
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
	v->is_static = p->volume_type == VOLUME_STATIC;
	memcpy(v->volume, p->volume, sizeof(v->volume));
	if (find_volume(v, p, mode, f) < 0) {
		volume_close(&v->base);
		return -1;
	}
	if (ubi)
		*ubi = v->dev.number;
	*t = &v->base;
	return 0;
}
