// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_mtd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helpers.h"
#include "mtd_tree.h"

enum { DEVICES = 8, FDS = 256 };

static struct fake_mtd *devices[DEVICES];
static unsigned int device_count;
static struct fake_mtd *open_at[FDS]; /* by descriptor */
static bool may_write[FDS];
static int countdown = -1, countdown_errno;
static const char *failed;

/* Whether this call is the one that fails. */
static bool fails(const char *call)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	failed = call;
	errno = countdown_errno;
	return true;
}

void fake_mtd_fail(int n, int err)
{
	countdown = n;
	countdown_errno = err;
	failed = NULL;
}

const char *fake_mtd_failed(void)
{
	return failed;
}

void fake_mtd_init(void)
{
	device_count = 0;
	memset(open_at, 0, sizeof(open_at));
	fake_mtd_fail(-1, 0);
}

void fake_mtd_free(void)
{
	for (unsigned int i = 0; i < device_count; i++) {
		for (uint32_t eb = 0; eb < devices[i]->blocks; eb++)
			free(devices[i]->block[eb].cells);
		free(devices[i]->block);
		devices[i]->block = NULL;
	}
	device_count = 0;
}

static void attribute(int number, const char *name, uint32_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%u\n", value);
	write_text(temp_path("sys/class/mtd/mtd%d/%s", number, name), text);
}

static uint32_t count_blocks(struct fake_mtd *d)
{
	uint32_t blocks = 0;

	for (unsigned int i = 0; i < d->regions; i++)
		blocks += d->region[i].numblocks;
	return d->regions ? blocks : (uint32_t)(d->size / d->eraseblock);
}

void fake_mtd_add(struct fake_mtd *d, int number)
{
	assert_true(device_count < DEVICES);
	devices[device_count++] = d;
	d->number = number;
	d->blocks = d->eraseblock ? count_blocks(d) : 0;
	d->block = calloc(d->blocks + 1, sizeof(*d->block));
	assert_non_null(d->block);
	for (uint32_t eb = 0; eb < d->blocks; eb++)
		d->block[eb].locked = d->locked;
	mtd_tree_add("sys", "platform/flash", number, d->name, NO_OFFSET, (long long)d->size);
	write_text(temp_path("sys/class/mtd/mtd%d/type", number), d->type);
	write_text(temp_path("sys/class/mtd/mtd%d/flags", number),
		   d->read_only ? "0x0\n" : "0x400\n");
	attribute(number, "erasesize", d->eraseblock);
	attribute(number, "writesize", d->page);
	attribute(number, "subpagesize", d->subpage ? d->subpage : d->page);
}

static struct fake_mtd *of_fd(int fd)
{
	return fd >= 0 && fd < FDS ? open_at[fd] : NULL;
}

/* Where the eraseblock that byte offset is in starts, and how long it is. */
static struct fake_block *containing(struct fake_mtd *d, uint64_t offset, uint64_t *start,
				     uint32_t *size)
{
	struct region_info_user whole = { 0, d->eraseblock, d->blocks, 0 };
	const struct region_info_user *r = d->regions ? d->region : &whole;
	uint32_t first = 0;

	for (*start = 0;; r++) {
		uint64_t bytes = (uint64_t)r->numblocks * r->erasesize;

		if (offset < *start + bytes) {
			uint32_t n = (uint32_t)((offset - *start) / r->erasesize);

			*start += (uint64_t)n * r->erasesize;
			*size = r->erasesize;
			return &d->block[first + n];
		}
		*start += bytes;
		first += r->numblocks;
		if (first >= d->blocks)
			return NULL;
	}
}

struct fake_block *fake_mtd_block(struct fake_mtd *d, uint64_t offset)
{
	struct fake_block *block;
	uint64_t start;
	uint32_t size;

	block = containing(d, offset, &start, &size);
	if (!block || start != offset)
		fail_msg("no eraseblock at %llu", (unsigned long long)offset);
	return block;
}

/* As mtdchar checks an offset that an eraseblock must start at. */
static struct fake_block *checked(struct fake_mtd *d, uint64_t offset, uint64_t length)
{
	struct fake_block *block;
	uint64_t start;
	uint32_t size;

	d->last_offset = offset;
	block = containing(d, offset, &start, &size);
	if (block && start == offset && length == size)
		return block;
	d->breaches++;
	errno = EINVAL;
	return NULL;
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
	if (strncmp(path, "/sys/", 5) != 0)
		return __real_opendir(path);
	return fails("opendir") ? NULL : __real_opendir(temp_path("%s", path + 1));
}

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir)
{
	return fails("readdir") ? NULL : __real_readdir(dir);
}

int __real_open(const char *path, int flags, ...);

static int open_node(const char *path, int flags)
{
	struct fake_mtd *d = NULL;
	int fd;

	for (unsigned int i = 0; i < device_count; i++) {
		char node[32];

		(void)snprintf(node, sizeof(node), "/dev/mtd%d", devices[i]->number);
		if (strcmp(path, node) == 0)
			d = devices[i];
	}
	if (!d || d->open_errno || (d->read_only && (flags & O_ACCMODE) != O_RDONLY)) {
		errno = !d ? ENOENT : d->open_errno ? d->open_errno : EACCES;
		return -1;
	}
	fd = __real_open("/dev/null", flags);
	assert_true(fd >= 0 && fd < FDS);
	open_at[fd] = d;
	may_write[fd] = (flags & O_ACCMODE) == O_RDWR;
	return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (strncmp(path, "/dev/mtd", 8) == 0)
		return fails("open") ? -1 : open_node(path, flags);
	if (strncmp(path, "/sys/", 5) == 0)
		return fails("open") ? -1 : __real_open(temp_path("%s", path + 1), flags);
	return __real_open(path, flags, 0600);
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	bool failing = fails("close");

	if (of_fd(fd))
		open_at[fd] = NULL;
	return __real_close(fd) < 0 || failing ? -1 : 0;
}

int __real_fcntl(int fd, int request, ...);
int __wrap_fcntl(int fd, int request, int arg)
{
	int other;

	if (request != F_DUPFD_CLOEXEC || !of_fd(fd))
		return __real_fcntl(fd, request, arg);
	if (fails("fcntl"))
		return -1;
	other = __real_fcntl(fd, request, arg);
	assert_true(other >= 0 && other < FDS);
	open_at[other] = open_at[fd];
	may_write[other] = may_write[fd];
	return other;
}

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
	const struct fake_mtd *d = of_fd(fd);

	if (fails("fstat"))
		return -1;
	if (__real_fstat(fd, st) < 0 || !d)
		return d ? -1 : 0;
	st->st_mode = (d->is_file ? S_IFREG : S_IFCHR) | 0600;
	st->st_rdev = makedev(90, 2 * (unsigned int)d->number + (d->is_other ? 2 : 0));
	return 0;
}

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	return fails("read") ? -1 : __real_read(fd, buf, len);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return fails("calloc") ? NULL : __real_calloc(count, size);
}

/* Up to the end of the eraseblock, as no caller of ours goes beyond. */
static size_t clip(struct fake_mtd *d, uint64_t offset, size_t len)
{
	uint64_t start;
	uint32_t size;

	d->last_offset = offset;
	if (!containing(d, offset, &start, &size) || offset + len > start + size) {
		d->breaches++;
		return 0;
	}
	return d->transfer_max && len > d->transfer_max ? d->transfer_max : len;
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t offset)
{
	struct fake_mtd *d = of_fd(fd);
	const struct fake_block *block;
	uint64_t start;
	uint32_t size;

	assert_non_null(d);
	if (fails("pread"))
		return -1;
	len = d->ended ? 0 : clip(d, (uint64_t)offset, len);
	if (len == 0)
		return 0;
	block = containing(d, (uint64_t)offset, &start, &size);
	if (block->cells)
		memcpy(buf, block->cells + ((uint64_t)offset - start), len);
	else
		memset(buf, 0xff, len);
	return (ssize_t)len;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	struct fake_mtd *d = of_fd(fd);
	struct fake_block *block;
	const uint8_t *from = buf;
	uint64_t start;
	uint32_t size, unit;
	uint8_t *to;

	assert_non_null(d);
	if (fails("pwrite"))
		return -1;
	unit = d->subpage ? d->subpage : d->page;
	if (!may_write[fd] || (uint64_t)offset % unit || len % unit)
		d->breaches++;
	len = clip(d, (uint64_t)offset, len);
	if (len == 0)
		return 0;
	block = containing(d, (uint64_t)offset, &start, &size);
	if (block->locked) {
		errno = EROFS;
		return -1;
	}
	if (!block->cells) {
		block->cells = malloc(size);
		assert_non_null(block->cells);
		memset(block->cells, 0xff, size);
	}
	to = block->cells + ((uint64_t)offset - start);
	for (size_t i = 0; i < len; i++) {
		if (d->page > 1 && to[i] != 0xff)
			d->breaches++; /* a page is programmed once */
		to[i] &= from[i];
	}
	return (ssize_t)len;
}

static int do_erase(struct fake_mtd *d, int fd, const struct erase_info_user64 *range)
{
	struct fake_block *block = checked(d, range->start, range->length);

	if (!block)
		return -1;
	if (!may_write[fd] || block->bad || block->locked) {
		errno = !may_write[fd] ? EPERM : block->bad ? EIO : EROFS;
		return -1;
	}
	free(block->cells);
	block->cells = NULL;
	memset(block->oob, 0, sizeof(block->oob));
	return 0;
}

static int do_bad(struct fake_mtd *d, int fd, uint64_t offset, bool mark)
{
	uint64_t start = 0;
	uint32_t size = 0;
	struct fake_block *block = containing(d, offset, &start, &size);

	block = checked(d, offset, block ? size : 0);
	if (!block)
		return -1;
	if (mark && !may_write[fd]) {
		errno = EPERM;
		return -1;
	}
	if (mark) {
		block->bad = true;
		if (!d->mark_hidden)
			block->oob[d->page > 512 ? 0 : 5] = 0xff;
	}
	return mark ? 0 : block->bad;
}

static int do_oob(struct fake_mtd *d, int fd, struct mtd_oob_buf64 *op, bool write)
{
	uint8_t *user = (uint8_t *)(uintptr_t)op->usr_ptr;
	struct fake_block *block;
	uint64_t start = 0;
	uint32_t size = 0;

	block = containing(d, op->start, &start, &size);
	d->last_offset = op->start;
	if (!block || op->start % d->page || op->length == 0 || op->length > FAKE_OOB ||
	    (write && !may_write[fd])) {
		d->breaches++;
		errno = EINVAL;
		return -1;
	}
	for (uint32_t i = 0; i < op->length; i++) {
		if (write && op->start == start) /* of other pages nothing is kept */
			block->oob[i] |= (uint8_t)~user[i];
		else if (!write && op->start == start + (block->bad ? d->mark_page * d->page : 0))
			user[i] = (uint8_t)~block->oob[i];
		else if (!write)
			user[i] = 0xff;
	}
	if (d->oob_short)
		op->length--;
	return 0;
}

static int do_unlock(struct fake_mtd *d, int fd, const struct erase_info_user *range)
{
	d->unlocks++;
	d->unlocked = *range;
	if (!may_write[fd] || range->length > d->size - range->start) {
		d->breaches++;
		errno = EINVAL;
		return -1;
	}
	for (uint32_t eb = 0; eb < d->blocks && !d->stays_locked; eb++)
		d->block[eb].locked = false;
	return 0;
}

static int do_is_locked(struct fake_mtd *d, const struct erase_info_user *range)
{
	const struct fake_block *block = checked(d, range->start, range->length);

	d->lock_questions++;
	return block ? block->locked : -1;
}

static int do_region(const struct fake_mtd *d, struct region_info_user *r)
{
	uint32_t n = r->regionindex;

	if (n >= d->regions) {
		errno = EINVAL;
		return -1;
	}
	*r = d->region[n];
	r->regionindex = n;
	return 0;
}

static const char *request_name(unsigned long request)
{
	static const struct {
		unsigned long request;
		const char *name;
	} names[] = {
		{ MEMERASE64, "MEMERASE64" },
		{ MEMGETBADBLOCK, "MEMGETBADBLOCK" },
		{ MEMSETBADBLOCK, "MEMSETBADBLOCK" },
		{ ECCGETSTATS, "ECCGETSTATS" },
		{ ECCGETLAYOUT, "ECCGETLAYOUT" },
		{ MEMREADOOB64, "MEMREADOOB64" },
		{ MEMWRITEOOB64, "MEMWRITEOOB64" },
		{ MEMGETREGIONCOUNT, "MEMGETREGIONCOUNT" },
		{ MEMGETREGIONINFO, "MEMGETREGIONINFO" },
		{ MEMUNLOCK, "MEMUNLOCK" },
		{ MEMISLOCKED, "MEMISLOCKED" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].request == request)
			return names[i].name;
	fail_msg("ioctl %#lx", request);
	return NULL;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	struct fake_mtd *d = of_fd(fd);

	assert_non_null(d);
	if (fails(request_name(request)))
		return -1;
	if (request == d->missing) {
		errno = d->missing_errno;
		return -1;
	}
	switch (request) {
	case MEMERASE64:
		return do_erase(d, fd, arg);
	case MEMGETBADBLOCK:
	case MEMSETBADBLOCK:
		return do_bad(d, fd, *(const uint64_t *)arg, request == MEMSETBADBLOCK);
	case ECCGETSTATS:
		memcpy(arg, &d->ecc, sizeof(d->ecc));
		return 0;
	case ECCGETLAYOUT:
		memcpy(arg, &d->layout, sizeof(d->layout));
		return 0;
	case MEMREADOOB64:
	case MEMWRITEOOB64:
		return do_oob(d, fd, arg, request == MEMWRITEOOB64);
	case MEMGETREGIONCOUNT:
		*(int *)arg = (int)d->regions;
		return 0;
	case MEMGETREGIONINFO:
		return do_region(d, arg);
	case MEMUNLOCK:
		return do_unlock(d, fd, arg);
	default:
		return do_is_locked(d, arg);
	}
}
