// SPDX-License-Identifier: GPL-2.0-or-later
#include "target_block.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device_node.h"
#include "number.h"
#include "sysfs.h"
#include "transfer.h"

#define SYS_BLOCK "/sys/class/block"
#define UNREADABLE "cannot read its uevent in sysfs"

enum {
	PIECE = 64 * 1024, /* bytes in all eraseblocks but the first two and the last */
	BOUNCE = 16 * 1024,
	MTDBLOCK_MAJOR = 31,
};

struct block_target {
	struct target base; /* first, so that a struct target is one of these */
	int fd;
	bool cached; /* the page cache lies between us and the medium: O_DIRECT was refused */
	bool stale;  /* ... and may hold what the medium does not */
	uint8_t *bounce;
	uint32_t bounce_size;
	void *memory; /* which the bounce buffer is the aligned part of */
};

static struct block_target *block_of(struct target *t)
{
	return (struct block_target *)t;
}

static int block_is_bad(struct target *t, uint32_t eb, struct fault *f)
{
	(void)t; /* the device replaces bad sectors by itself */
	(void)eb;
	(void)f;
	return 0;
}

/* O_DIRECT wants memory, place and length in whole sectors. */
static bool whole_sectors(const struct target *t, const void *buf, uint64_t at, uint32_t len)
{
	return (((uintptr_t)buf | at | len) & (t->page - 1)) == 0;
}

static int program_bounced(struct block_target *b, uint64_t at, const uint8_t *buf, uint32_t len)
{
	while (len > 0) {
		uint32_t n = len < b->bounce_size ? len : b->bounce_size;

		memcpy(b->bounce, buf, n);
		if (transfer_out(b->fd, b->bounce, n, at) < 0)
			return -1;
		buf += n;
		len -= n;
		at += n;
	}
	return 0;
}

static int block_program(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
			 uint32_t len, struct fault *f)
{
	struct block_target *b = block_of(t);
	uint64_t at = target_block_offset(t, eb) + offset;
	int result;

	b->stale = true;
	if (whole_sectors(t, buf, at, len))
		result = transfer_out(b->fd, buf, len, at);
	else
		result = program_bounced(b, at, buf, len);
	if (result < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot program eraseblock %u at byte %u",
				   t->name, eb, offset);
	return 0;
}

static int read_bounced(struct block_target *b, uint64_t at, uint8_t *buf, uint32_t len)
{
	uint32_t page = b->base.page;

	while (len > 0) {
		uint32_t skip = (uint32_t)(at & (page - 1));
		uint32_t room = b->bounce_size - skip;
		uint32_t n = len < room ? len : room;
		uint32_t span = (skip + n + page - 1) & ~(page - 1);

		if (transfer_in(b->fd, b->bounce, span, at - skip) < 0)
			return -1;
		memcpy(buf, b->bounce + skip, n);
		buf += n;
		len -= n;
		at += n;
	}
	return 0;
}

static int block_sync(struct target *t, struct fault *f)
{
	while (fsync(block_of(t)->fd) < 0)
		if (errno != EINTR)
			return fault_errno(f, FAULT_FLASH, "%s: what was programmed may be lost",
					   t->name);
	return 0;
}

/* Empties the page cache, if that is what would be read, so that the medium is. */
static int drop_cache(struct block_target *b, struct fault *f)
{
	if (!b->cached || !b->stale)
		return 0;
	if (block_sync(&b->base, f) < 0)
		return -1;
	if (ioctl(b->fd, BLKFLSBUF, 0) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot empty the page cache", b->base.name);
	b->stale = false;
	return 0;
}

static int block_read(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		      struct fault *f)
{
	struct block_target *b = block_of(t);
	uint64_t at = target_block_offset(t, eb) + offset;
	int result;

	if (drop_cache(b, f) < 0)
		return -1;
	if (whole_sectors(t, buf, at, len))
		result = transfer_in(b->fd, buf, len, at);
	else
		result = read_bounced(b, at, buf, len);
	if (result < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot read eraseblock %u at byte %u",
				   t->name, eb, offset);
	return 0;
}

static void block_close(struct target *t)
{
	struct block_target *b = block_of(t);

	if (b->fd >= 0)
		(void)close(b->fd); /* sync() has told what there is to tell */
	free(b->memory);
	free(b);
}

static const struct target_ops block_ops = {
	.is_bad = block_is_bad,
	.program = block_program,
	.read = block_read,
	.sync = block_sync,
	.close = block_close,
};

/* What sysfs says about a block device. */
struct listed {
	char device[32]; /* the kernel's name */
	char node[5 + 32];
	char label[80];
	dev_t number;
};

/* Copies the value of a key from lines of KEY=value; an empty one if there is none. */
static void copy_value(const char *lines, const char *key, char *to, size_t size)
{
	size_t len = strlen(key);

	to[0] = '\0';
	while (*lines != '\0') {
		size_t line = strcspn(lines, "\n");

		if (strncmp(lines, key, len) == 0) {
			(void)snprintf(to, size, "%.*s", (int)(line - len), lines + len);
			return;
		}
		lines += line + (lines[line] == '\n');
	}
}

static unsigned int number_value(const char *lines, const char *key)
{
	char text[16];

	copy_value(lines, key, text, sizeof(text));
	return (unsigned int)number_at(text);
}

/*
 * Looks a block device up: in class/block by the kernel's name, in dev/block by its number. Returns
 * 0, or -1 with errno.
 */
static int look_up(const char *folder, const char *name, struct listed *l)
{
	char path[320], lines[1024], *slash;

	(void)snprintf(path, sizeof(path), "/sys/%s/%.255s/uevent", folder, name);
	if (sysfs_read(path, lines, sizeof(lines)) < 0)
		return -1;
	copy_value(lines, "DEVNAME=", l->device, sizeof(l->device));
	(void)snprintf(l->node, sizeof(l->node), "/dev/%s", l->device);
	slash = strchr(l->device, '/');
	if (slash) /* the node is in a folder; not so what is in sysfs */
		*slash = '!';
	copy_value(lines, "PARTNAME=", l->label, sizeof(l->label));
	l->number = makedev(number_value(lines, "MAJOR="), number_value(lines, "MINOR="));
	return 0;
}

/* Finds the one device of this label in the list of all; l->node stays empty if there is none. */
static int search(DIR *dir, const char *label, struct listed *l, struct fault *f)
{
	struct listed one;
	struct dirent *e;

	l->node[0] = '\0';
	while (errno = 0, (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		if (look_up("class/block", e->d_name, &one) < 0) {
			if (errno == ENOENT || errno == ENODEV)
				continue; /* has gone in the meantime */
			return fault_errno(f, FAULT_UNFIT, "%s: " UNREADABLE, e->d_name);
		}
		if (one.label[0] == '\0' || strcmp(one.label, label) != 0)
			continue;
		if (l->node[0] != '\0')
			return fault_set(f, FAULT_UNFIT,
					 "%s and %s both have the label %s: name the one you mean",
					 l->node, one.node, label);
		*l = one;
	}
	if (errno != 0)
		return fault_errno(f, FAULT_UNFIT, "cannot list the block devices");
	return 0;
}

static int find_label(const char *label, struct listed *l, struct fault *f)
{
	DIR *dir = opendir(SYS_BLOCK);
	int result;

	if (!dir)
		return fault_errno(f, FAULT_UNFIT,
				   "no block devices here: " SYS_BLOCK " (is /sys mounted?)");
	result = search(dir, label, l, f);
	(void)closedir(dir); /* it was only read */
	if (result == 0 && l->node[0] == '\0')
		return fault_set(f, FAULT_UNFIT,
				 "no block device and no partition label is %s; " SYS_BLOCK
				 " lists what there is",
				 label);
	return result;
}

static int find_node(const char *path, struct listed *l, struct fault *f)
{
	struct stat st;
	char name[24];

	if (stat(path, &st) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s", path);
	if (!S_ISBLK(st.st_mode))
		return fault_set(f, FAULT_UNFIT, "%s is not a block device", path);
	(void)snprintf(name, sizeof(name), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (look_up("dev/block", name, l) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s (%s): " UNREADABLE, path, name);
	return 0;
}

static int find_name(const char *name, struct listed *l, struct fault *f)
{
	if (!strchr(name, '/')) {
		if (look_up("class/block", name, l) == 0)
			return 0;
		if (errno != ENOENT)
			return fault_errno(f, FAULT_UNFIT, "%s: " UNREADABLE, name);
	}
	return find_label(name, l, f);
}

static int is_read_only(const struct block_target *b, struct fault *f)
{
	return fault_set(f, FAULT_UNFIT,
			 "%s is read-only; see blockdev --setrw, or force_ro in sysfs",
			 b->base.name);
}

static int open_node(struct block_target *b, const char *node, enum target_mode mode,
		     struct fault *f)
{
	/* A mount, swap and the like claim a device as O_EXCL does, and one excludes the other. */
	int flags = mode == TARGET_WRITE ? O_RDWR | O_EXCL : O_RDONLY;

	b->fd = device_node_open(node, flags | O_DIRECT);
	if (b->fd < 0 && errno == EINVAL) {
		b->cached = b->stale = true;
		b->fd = device_node_open(node, flags);
	}
	if (b->fd >= 0)
		return 0;
	if (errno == EROFS)
		return is_read_only(b, f);
	if (errno == EBUSY)
		return fault_errno(f, FAULT_BUSY, "%s is in use (mounted, swap, RAID, ...)", node);
	return fault_errno(f, FAULT_UNFIT, "%s: cannot open", node);
}

/*
 * One sector first, since that is what a device writes whole or not at all: the logical one, as a
 * larger physical one is not promised to be. From 64 KiB on all others start at multiples of that,
 * as partitions and what is inside of a flash card do.
 */
static int cut_up(struct target *t, uint64_t size, struct fault *f)
{
	uint64_t first = size < PIECE ? size / t->page * t->page : PIECE;
	uint64_t pieces;

	if (first == 0)
		return fault_set(f, FAULT_UNFIT, "%s: has no room for a sector (no medium?)",
				 t->name);
	pieces = (size - first) / PIECE;
	if (pieces > UINT32_MAX - 3)
		return fault_set(f, FAULT_UNFIT, "%s has %llu bytes: too large", t->name,
				 (unsigned long long)size);
	target_add_region(t, 1, t->page);
	target_add_region(t, first > t->page, (uint32_t)first - t->page);
	target_add_region(t, (uint32_t)pieces, PIECE);
	size -= t->size;
	target_add_region(t, size >= t->page, (uint32_t)(size / t->page * t->page));
	return 0;
}

static int measure(struct block_target *b, struct fault *f)
{
	struct target *t = &b->base;
	uint64_t size = 0;
	int read_only = 0, sector = 0;

	if (ioctl(b->fd, BLKROGET, &read_only) < 0 || ioctl(b->fd, BLKSSZGET, &sector) < 0 ||
	    ioctl(b->fd, BLKGETSIZE64, &size) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot be measured", t->name);
	if (read_only)
		return is_read_only(b, f);
	if (sector < 512 || sector > PIECE || (sector & (sector - 1)))
		return fault_set(f, FAULT_UNFIT, "%s: sectors of %d bytes are not supported",
				 t->name, sector);
	t->page = t->subpage = (uint32_t)sector;
	return cut_up(t, size, f);
}

static int make_bounce(struct block_target *b, struct fault *f)
{
	uint32_t page = b->base.page;

	b->bounce_size = page > BOUNCE ? page : BOUNCE;
	b->memory = malloc(b->bounce_size + page);
	if (!b->memory)
		return fault_errno(f, FAULT_UNFIT, "%s", b->base.name);
	b->bounce = (uint8_t *)b->memory + page - ((uintptr_t)b->memory & (page - 1));
	return 0;
}

int target_open_block(struct target **t, const char *name, enum target_mode mode, struct fault *f)
{
	struct listed l = { .number = 0 };
	struct block_target *b;

	if ((name[0] == '/' ? find_node(name, &l, f) : find_name(name, &l, f)) < 0 ||
	    device_node_provide(l.node, S_IFBLK, l.number, f) < 0)
		return -1;
	if (major(l.number) == MTDBLOCK_MAJOR)
		return fault_set(f, FAULT_UNFIT, "%s is raw flash: kind mtd is for it, not block",
				 l.node);
	b = calloc(1, sizeof(*b));
	if (!b)
		return fault_errno(f, FAULT_UNFIT, "%s", name);
	b->base.ops = &block_ops;
	b->base.medium = MEDIUM_BLOCK;
	(void)snprintf(b->base.name, sizeof(b->base.name), "%s", l.device);
	memcpy(b->base.device, l.device, sizeof(l.device));
	if (open_node(b, l.node, mode, f) < 0 || measure(b, f) < 0 || make_bounce(b, f) < 0) {
		block_close(&b->base);
		return -1;
	}
	*t = &b->base;
	return 0;
}
