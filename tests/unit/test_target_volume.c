// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Over a UBI of this file's own: what sysfs and the calls on the nodes of UBI come to in the kernel,
 * as far as it decides on something.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <mtd/ubi-user.h>

#include "helpers.h"
#include "mtd_device.h"
#include "target_volume.h"
#include "ubi_device.h"

enum { LEB = 4096, PAGE = 512, LEBS = 20, VOLUMES = 4, UBI = 2, MAJOR = 250, NODES = 16 };

struct volume {
	char name[64]; /* empty: there is none */
	int type, alignment, lebs;
	long long data_bytes; /* static volumes */
	bool marker;          /* an update has begun and not ended */
	bool corrupted;
	int users;     /* others that have it open */
	bool writable; /* ... one of them for writing */
	uint8_t contents[LEBS * LEB];
};

static struct volume volumes[VOLUMES];
static int bad_reserve; /* eraseblocks that a volume cannot have */
static bool attached, ubi_read_only, mtd_writable;

/* What we have open ourselves. */
static int our_fd, our_flags, our_id;
static int control_fd;
static bool updating;
static long long update_bytes, update_done;
static uint32_t most;
static bool interrupted, takes_nothing;
static bool loses;    /* ... a byte */
static bool stays;    /* it is still known for broken */
static bool goes;     /* the volume is removed then */
static bool corrupts; /* the kernel finds a volume corrupted after an update */

static struct {
	char path[32];
	dev_t number;
} nodes[NODES];
static unsigned int node_count;
static bool devtmpfs;

/* Calls that can fail, counted; those from fail_at to fail_to do. */
static unsigned int calls, fail_at, fail_to;
static const char *fail_call; /* or all of this name */
static const char *failed;

static bool fails(const char *what, int error)
{
	unsigned int call = calls++;

	if ((call < fail_at || call > fail_to) && (!fail_call || strcmp(what, fail_call) != 0))
		return false;
	failed = what;
	errno = error;
	return true;
}

static int error(int number)
{
	errno = number;
	return -1;
}

static int available(void)
{
	int free = LEBS - bad_reserve;

	for (int i = 0; i < VOLUMES; i++)
		free -= volumes[i].name[0] ? volumes[i].lebs : 0;
	return free;
}

static int leb_size(const struct volume *v)
{
	return LEB - LEB % v->alignment;
}

static long long used_bytes(const struct volume *v)
{
	return v->type == UBI_STATIC_VOLUME ? v->data_bytes : (long long)v->lebs * leb_size(v);
}

static struct volume *volume_at(int id)
{
	return id >= 0 && id < VOLUMES && volumes[id].name[0] ? &volumes[id] : NULL;
}

static void add_node(const char *path, int minor_number)
{
	assert_true(node_count < NODES);
	(void)snprintf(nodes[node_count].path, sizeof(nodes[0].path), "%s", path);
	nodes[node_count++].number = makedev(MAJOR, (unsigned int)minor_number);
}

static void add_volume_node(int id)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/dev/ubi%d_%d", UBI, id);
	if (devtmpfs)
		add_node(path, id + 1);
}

static int node_index(const char *path)
{
	for (unsigned int i = 0; i < node_count; i++)
		if (strcmp(nodes[i].path, path) == 0)
			return (int)i;
	return -1;
}

/* What is in sysfs */

static int cannot(struct fault *f)
{
	return fault_errno(f, FAULT_UNFIT, "cannot");
}

int __wrap_mtd_device_find(const char *wanted, int *number, struct fault *f)
{
	*number = strcmp(wanted, "boot") == 0 ? 0 : 1;
	return fails("mtd_device_find", EIO) ? cannot(f) : 0;
}

int __wrap_mtd_device_read(struct mtd_device *d, int number, struct fault *f)
{
	memset(d, 0, sizeof(*d));
	d->number = number;
	d->writable = mtd_writable;
	(void)snprintf(d->name, sizeof(d->name), "%s", number == 0 ? "boot" : "rootfs");
	return fails("mtd_device_read", EIO) ? cannot(f) : 0;
}

int __wrap_ubi_device_find(struct ubi_device *d, int mtd, struct fault *f)
{
	if (fails("ubi_device_find", EIO))
		return cannot(f);
	if (!attached || mtd != 1)
		return 0;
	*d = (struct ubi_device){
		.number = UBI,
		.node = makedev(MAJOR, 0),
		.total = LEBS,
		.available = (uint32_t)available(),
		.eraseblock = LEB,
		.page = PAGE,
		.volumes_max = VOLUMES,
	};
	for (int i = 0; i < VOLUMES; i++)
		d->volumes += volumes[i].name[0] != '\0';
	return 1;
}

int __wrap_ubi_volume_find(struct ubi_volume *found, const struct ubi_device *d, const char *name,
			   struct fault *f)
{
	assert_int_equal(d->number, UBI);
	if (fails("ubi_volume_find", EIO))
		return cannot(f);
	memset(found, 0xaa, sizeof(*found));
	for (int i = 0; i < VOLUMES; i++) {
		const struct volume *v = &volumes[i];

		if (strcmp(v->name, name) != 0)
			continue;
		*found = (struct ubi_volume){
			.id = i,
			.node = makedev(MAJOR, (unsigned int)i + 1),
			.is_static = v->type == UBI_STATIC_VOLUME,
			.corrupted = v->corrupted,
			.updating = v->marker,
			.alignment = (uint32_t)v->alignment,
			.blocks = (uint32_t)v->lebs,
			.eraseblock = (uint32_t)leb_size(v),
			.data_bytes = (uint64_t)used_bytes(v),
		};
		return 1;
	}
	return 0;
}

/* What UBI does */

static int make_volume(const struct ubi_mkvol_req *r)
{
	int id = r->vol_id;
	struct volume *v;

	for (int i = 0; id == UBI_VOL_NUM_AUTO && i < VOLUMES; i++)
		id = volumes[i].name[0] ? id : i;
	assert_in_range(id, 0, VOLUMES - 1);
	assert_true(r->bytes > 0);
	assert_int_equal(r->name_len, strlen(r->name));
	v = &volumes[id];
	assert_int_equal(v->name[0], '\0');
	memset(v, 0, sizeof(*v));
	v->type = r->vol_type;
	v->alignment = r->alignment;
	v->lebs = (int)((r->bytes + leb_size(v) - 1) / leb_size(v));
	if (v->lebs > available())
		return error(ENOSPC);
	memset(v->contents, 0xff, sizeof(v->contents));
	(void)snprintf(v->name, sizeof(v->name), "%.63s", r->name);
	add_volume_node(id);
	return 0;
}

/* What the kernel has against opening a volume exclusively; 0: nothing. */
static int held(int id)
{
	struct volume *v = volume_at(id);

	return !v ? ENODEV : v->users > 0 || our_fd >= 0 ? EBUSY : ubi_read_only ? EROFS : 0;
}

static int remove_volume(int id)
{
	if (held(id))
		return error(held(id));
	volumes[id].name[0] = '\0';
	for (unsigned int i = 0; devtmpfs && i < node_count; i++)
		if (nodes[i].number == makedev(MAJOR, (unsigned int)id + 1))
			nodes[i] = nodes[--node_count];
	return 0;
}

static int resize_volume(int id, long long bytes)
{
	struct volume *v = volume_at(id);
	int lebs;

	if (held(id))
		return error(held(id));
	lebs = (int)((bytes + leb_size(v) - 1) / leb_size(v));
	if (v->type == UBI_STATIC_VOLUME && (long long)lebs * leb_size(v) < v->data_bytes)
		return error(EINVAL);
	if (lebs - v->lebs > available())
		return error(ENOSPC);
	for (int i = lebs * leb_size(v); i < LEBS * LEB; i++)
		v->contents[i] = 0xff;
	v->lebs = lebs;
	return 0;
}

static int start_update(long long bytes)
{
	struct volume *v = volume_at(our_id);

	assert_int_equal(our_flags & O_ACCMODE, O_RDWR);
	if (v->users > 0)
		return error(EBUSY);
	if (bytes < 0 || bytes > (long long)v->lebs * leb_size(v))
		return error(EINVAL);
	memset(v->contents, 0xff, sizeof(v->contents));
	v->marker = updating = bytes > 0;
	v->corrupted = false;
	if (bytes == 0)
		v->data_bytes = 0;
	update_bytes = bytes;
	update_done = 0;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct ubi_rsvol_req *resize = arg;

	assert_int_equal(fd, request == UBI_IOCVOLUP ? our_fd : control_fd);
	switch (request) {
	case UBI_IOCMKVOL:
		return fails("MKVOL", EIO) ? -1 : make_volume(arg);
	case UBI_IOCRMVOL:
		return fails("RMVOL", EIO) ? -1 : remove_volume(*(int *)arg);
	case UBI_IOCRSVOL:
		return fails("RSVOL", EIO) ? -1 : resize_volume(resize->vol_id, resize->bytes);
	case UBI_IOCVOLUP:
		return fails("VOLUP", EIO) ? -1 : start_update(*(int64_t *)arg);
	default:
		fail();
		return -1;
	}
}

/* The calls on nodes */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	int number = node_index(path), id;

	if (strncmp(path, "/dev/ubi", 8) != 0)
		return __real_open(path, flags, 0600);
	if (fails("open", EIO))
		return -1;
	assert_int_not_equal(number, -1);
	assert_true(flags & O_CLOEXEC);
	id = (int)minor(nodes[number].number) - 1;
	if (id < 0) {
		assert_int_equal(control_fd, -1);
		control_fd = __real_open("/dev/null", O_RDWR | O_CLOEXEC);
		return control_fd;
	}
	assert_int_equal(our_fd, -1);
	assert_non_null(volume_at(id));
	if (volumes[id].writable && (flags & O_ACCMODE) != O_RDONLY)
		return error(EBUSY);
	our_id = id;
	our_flags = flags;
	our_fd = __real_open("/dev/null", O_RDWR | O_CLOEXEC);
	return our_fd;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, int argument)
{
	int other;

	if (command != F_DUPFD_CLOEXEC || (fd != our_fd && fd != control_fd))
		return __real_fcntl(fd, command, argument);
	other = __real_fcntl(fd, command, argument);
	*(fd == our_fd ? &our_fd : &control_fd) = other;
	return other;
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	if (fd == our_fd) {
		our_fd = -1;
		updating = false;
	}
	if (fd == control_fd)
		control_fd = -1;
	assert_true(fd >= 0);
	assert_int_equal(__real_close(fd), 0);
	return 0;
}

int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st)
{
	int number = node_index(path);

	if (fails("stat", EIO))
		return -1;
	if (number < 0)
		return error(ENOENT);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFCHR | 0600;
	st->st_rdev = nodes[number].number;
	return 0;
}

int __wrap_mknod(const char *path, mode_t mode, dev_t number)
{
	if (fails("mknod", EROFS))
		return -1;
	assert_int_equal(mode, S_IFCHR | 0600);
	assert_int_equal(major(number), MAJOR);
	add_node(path, (int)minor(number));
	return 0;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return fails("calloc", ENOMEM) ? NULL : __real_calloc(n, size);
}

static bool may_move(const char *what)
{
	static unsigned int turn;

	if (!interrupted || turn++ % 2)
		return !fails(what, EIO);
	errno = EINTR;
	return false;
}

ssize_t __real_pread(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at)
{
	const struct volume *v = volume_at(our_id);

	if (fd != our_fd)
		return __real_pread(fd, buf, len, at);
	if (!may_move("pread"))
		return -1;
	if (updating)
		return error(EBUSY);
	if (v->marker)
		return error(EBADF);
	len = len < most ? len : most;
	if ((long long)len > used_bytes(v) - at)
		len = (size_t)(used_bytes(v) - at);
	memcpy(buf, v->contents + at, len);
	return (ssize_t)len;
}

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	struct volume *v = volume_at(our_id);

	if (fd < 0 || fd != our_fd)
		return __real_pwrite(fd, buf, len, at);
	if (!may_move("pwrite"))
		return -1;
	if (!updating)
		return error(EPERM);
	if (takes_nothing)
		return 0;
	len = len < most ? len : most;
	if ((long long)len > update_bytes - update_done)
		len = (size_t)(update_bytes - update_done);
	memcpy(v->contents + update_done, buf, len);
	update_done += (long long)len;
	if (update_done == update_bytes) {
		if (goes)
			v->name[0] = '\0';
		updating = false;
		v->marker = stays;
		v->corrupted = corrupts;
		v->data_bytes = update_bytes - loses;
	}
	return (ssize_t)len;
}

static struct fault f;
static struct target *t;
static struct payload p;
static unsigned int fds;
static uint8_t data[LEBS * LEB], old[LEBS * LEB], back[LEBS * LEB];

static struct volume *add_volume(int id, const char *name, int type, int lebs, long long bytes)
{
	struct volume *v = &volumes[id];

	memset(v, 0, sizeof(*v));
	(void)snprintf(v->name, sizeof(v->name), "%s", name);
	v->type = type;
	v->alignment = 1;
	v->lebs = lebs;
	v->data_bytes = bytes;
	memset(v->contents, 0xff, sizeof(v->contents));
	memcpy(v->contents, old, (size_t)bytes);
	add_volume_node(id);
	return v;
}

static void start_anew(void)
{
	memset(volumes, 0, sizeof(volumes));
	node_count = 0;
	devtmpfs = true;
	add_node("/dev/ubi2", 0);
	add_volume(0, "data", UBI_DYNAMIC_VOLUME, 5, 100);
	bad_reserve = 0;
	attached = mtd_writable = true;
	ubi_read_only = updating = interrupted = takes_nothing = corrupts = loses = goes = stays =
		false;
	our_fd = control_fd = -1;
	most = UINT32_MAX;
	calls = 0;
	fail_at = fail_to = UINT32_MAX;
	fail_call = failed = NULL;
	p = (struct payload){ .part = "rootfs",
			      .kind = PAYLOAD_UBIVOL,
			      .volume = "root",
			      .volume_type = VOLUME_DYNAMIC,
			      .size = 2 * LEB + 700 };
}

static int setup(void **state)
{
	fill_random(data, sizeof(data), 1);
	fill_random(old, sizeof(old), 2);
	start_anew();
	t = NULL;
	fds = count_fds();
	return 0;
}

static int teardown(void **state)
{
	target_close(t);
	assert_int_equal(count_fds(), fds);
	return 0;
}

static void open_it(enum target_mode mode)
{
	target_close(t);
	t = NULL;
	if (target_open_volume(&t, &p, mode, NULL, &f) < 0)
		fail_msg("%s", f.text);
}

static void refused(enum target_mode mode, enum fault_kind kind, const char *what)
{
	struct target *none = NULL;
	struct volume before[VOLUMES];

	memcpy(before, volumes, sizeof(volumes));
	assert_int_equal(target_open_volume(&none, &p, mode, NULL, &f), -1);
	assert_fault(&f, kind, what);
	assert_null(none);
	assert_int_equal(count_fds(), fds);
	assert_memory_equal(before, volumes, sizeof(volumes));
}

/* Brings the payload into the volume, len bytes at a time. Returns 0 or -1. */
static int fill(uint32_t len)
{
	if (t->ops->update(t, p.size, &f) < 0)
		return -1;
	for (uint64_t at = 0; at < p.size;) {
		uint32_t eb = (uint32_t)(at / t->eraseblock);
		uint32_t offset = (uint32_t)(at % t->eraseblock), n = t->eraseblock - offset;

		n = n < len ? n : len;
		n = n < p.size - at ? n : (uint32_t)(p.size - at);
		if (t->ops->program(t, eb, offset, data + at, n, &f) < 0)
			return -1;
		at += n;
	}
	return 0;
}

static void check_contents(int id, int type, int lebs)
{
	const struct volume *v = volume_at(id);

	assert_non_null(v);
	assert_string_equal(v->name, "root");
	assert_int_equal(v->type, type);
	assert_int_equal(v->lebs, lebs);
	assert_false(v->marker);
	assert_memory_equal(v->contents, data, p.size);
	for (size_t i = p.size; i < sizeof(v->contents); i++)
		assert_int_equal(v->contents[i], 0xff);
	assert_int_equal(used_bytes(v), type == UBI_STATIC_VOLUME ? (long long)p.size
								  : (long long)lebs * leb_size(v));
	/* The other one is none of its business. */
	assert_memory_equal(volumes[0].contents, old, 100);
}

/* The whole way, and what is read back at its end. */
static void written(int id, int type, int lebs)
{
	open_it(TARGET_WRITE);
	assert_int_equal(t->blocks, lebs);
	if (fill(LEB) < 0)
		fail_msg("%s", f.text);
	check_contents(id, type, lebs);
	memset(back, 0, sizeof(back));
	for (uint64_t at = 0; at < p.size; at += t->eraseblock) {
		uint64_t left = p.size - at;

		assert_int_equal(t->ops->read(t, (uint32_t)(at / t->eraseblock), 0, back + at,
					      left < t->eraseblock ? (uint32_t)left : t->eraseblock,
					      &f),
				 0);
	}
	assert_memory_equal(back, data, p.size);
}

static int read_first(void)
{
	return t->ops->read(t, 0, 0, back, 700, &f);
}

static void made(void **state)
{
	open_it(TARGET_LOOK);
	assert_null(volume_at(1));
	assert_string_equal(t->device, "ubi2");
	written(1, UBI_DYNAMIC_VOLUME, 3);
	assert_int_equal(volumes[1].alignment, 1);
	assert_string_equal(t->device, "ubi2_1");
}

static void made_static(void **state)
{
	p.volume_type = VOLUME_STATIC;
	p.volume_size = 7 * LEB - 100;
	written(1, UBI_STATIC_VOLUME, 7);
}

static void described(void **state)
{
	int number = -1;

	add_volume(3, "root", UBI_DYNAMIC_VOLUME, 6, 900);
	assert_int_equal(target_open_volume(&t, &p, TARGET_WRITE, &number, &f), 0);
	assert_int_equal(number, UBI);
	assert_int_equal(our_flags, O_RDWR | O_CLOEXEC);
	assert_string_equal(t->name, "ubi2:root");
	assert_string_equal(t->device, "ubi2_3");
	assert_int_equal(t->medium, MEDIUM_VOLUME);
	assert_int_equal(t->blocks, 6);
	assert_int_equal(t->size, 6 * LEB);
	assert_int_equal(t->page, PAGE);
	assert_int_equal(t->subpage, PAGE);
	assert_int_equal(t->eraseblock, LEB);
	assert_null(t->ops->erase);
	assert_null(t->ops->mark_bad);
	assert_null(t->ops->ecc);
	assert_null(t->ops->sync);
	assert_int_equal(t->ops->is_bad(t, 0, &f), 0);
	open_it(TARGET_LOOK);
	assert_int_equal(our_flags, O_RDONLY | O_CLOEXEC);
}

static void longest_name(void **state)
{
	memset(p.volume, 'v', IMAGE_TEXT_MAX);
	open_it(TARGET_WRITE);
	assert_int_equal(strncmp(t->name, "ubi2:vvvvvvvv", 13), 0);
	assert_int_equal(t->ops->update(t, p.size, &f), 0);
	assert_int_equal(strlen(volumes[1].name), IMAGE_TEXT_MAX);
}

static void present(void **state)
{
	add_volume(2, "root", UBI_DYNAMIC_VOLUME, 3, 3 * LEB);
	open_it(TARGET_WRITE);
	assert_int_equal(read_first(), 0);
	assert_memory_equal(back, old, 700);
	written(2, UBI_DYNAMIC_VOLUME, 3);
}

static void present_and_larger(void **state)
{
	add_volume(2, "root", UBI_DYNAMIC_VOLUME, 9, 9 * LEB);
	written(2, UBI_DYNAMIC_VOLUME, 9); /* no size is wanted */
	p.volume_size = 5 * LEB;
	open_it(TARGET_LOOK);
	assert_int_equal(read_first(), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: eraseblock 0: the volume has another size");
	assert_int_equal(f.err, 0);
	written(2, UBI_DYNAMIC_VOLUME, 5);
}

static void present_and_smaller(void **state)
{
	add_volume(2, "root", UBI_DYNAMIC_VOLUME, 2, 2 * LEB);
	written(2, UBI_DYNAMIC_VOLUME, 3);
	p.volume_size = 15 * LEB;
	written(2, UBI_DYNAMIC_VOLUME, 15);
}

static void static_shrinks(void **state)
{
	add_volume(2, "root", UBI_STATIC_VOLUME, 9, 9 * LEB);
	p.volume_type = VOLUME_STATIC;
	p.volume_size = 4 * LEB;
	written(2, UBI_STATIC_VOLUME, 4);
}

static void of_another_type(void **state)
{
	add_volume(3, "root", UBI_STATIC_VOLUME, 4, 2 * LEB + 700);
	open_it(TARGET_LOOK);
	assert_int_equal(read_first(), -1);
	assert_fault(&f, FAULT_FLASH, "is of another type");
	written(3, UBI_DYNAMIC_VOLUME, 4); /* still number 3, and as large */
	p.volume_type = VOLUME_STATIC;
	p.volume_size = 15 * LEB; /* which needs its own room, too */
	written(3, UBI_STATIC_VOLUME, 15);
}

static void aligned(void **state)
{
	volumes[3] = *add_volume(3, "root", UBI_STATIC_VOLUME, 4, 0);
	volumes[3].alignment = 3 * PAGE;
	p.size = 6 * 2 * PAGE * 3 - 1;
	written(3, UBI_DYNAMIC_VOLUME, 6);
	assert_int_equal(t->eraseblock, 2 * 3 * PAGE);
	assert_int_equal(volumes[3].alignment, 3 * PAGE);
}

static void volume_of_nothing(void **state)
{
	p.size = 0;
	open_it(TARGET_WRITE);
	assert_int_equal(t->blocks, 1);
	assert_int_equal(t->ops->update(t, 0, &f), 0);
	check_contents(1, UBI_DYNAMIC_VOLUME, 1);
	assert_int_equal(t->ops->program(t, 0, 0, data, 1, &f), -1);
	assert_int_equal(f.err, EINVAL);
	add_volume(2, "empty", UBI_STATIC_VOLUME, 3, 3 * LEB);
	memcpy(p.volume, "empty", sizeof("empty"));
	p.volume_type = VOLUME_STATIC;
	open_it(TARGET_WRITE);
	assert_int_equal(t->ops->update(t, 0, &f), 0);
	assert_int_equal(volumes[2].data_bytes, 0);
	assert_false(volumes[2].marker);
}

static void no_room(void **state)
{
	p.volume_size = 15 * LEB;
	open_it(TARGET_LOOK);
	target_close(t);
	t = NULL;
	p.volume_size++;
	for (int mode = TARGET_LOOK; mode <= TARGET_WRITE; mode++)
		refused(mode, FAULT_UNFIT,
			"ubi2:root needs 16 of 20 logical eraseblocks, 15 are free");
	/* What is there counts as free, whether it is resized or made anew. */
	add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 0);
	p.volume_type = VOLUME_STATIC;
	refused(TARGET_WRITE, FAULT_UNFIT, "needs 16 of 20 logical eraseblocks, 15 are free");
	bad_reserve = 2;
	refused(TARGET_WRITE, FAULT_UNFIT, "needs 16 of 20 logical eraseblocks, 13 are free");
	p.volume_size = 0;
	p.size = 13 * LEB + 1;
	refused(TARGET_WRITE, FAULT_UNFIT, "needs 14 of 20 logical eraseblocks, 13 are free");
	p.size = UINT64_MAX;
	refused(TARGET_WRITE, FAULT_UNFIT, "needs 4503599627370496 of 20");
}

static void no_number(void **state)
{
	add_volume(1, "b", UBI_DYNAMIC_VOLUME, 1, 0);
	add_volume(2, "c", UBI_DYNAMIC_VOLUME, 1, 0);
	add_volume(3, "d", UBI_DYNAMIC_VOLUME, 1, 0);
	refused(TARGET_LOOK, FAULT_UNFIT, "ubi2:root: all 4 volumes that ubi2 can have exist");
	memcpy(volumes[3].name, "root", 5);
	open_it(TARGET_WRITE);
}

static void no_ubi(void **state)
{
	static const char wanted[] =
		"rootfs: no UBI is attached; to attach it: ubiattach -p /dev/mtd1";

	attached = false;
	refused(TARGET_LOOK, FAULT_UNFIT, wanted);
	attached = true;
	memcpy(p.part, "boot", 5);
	refused(TARGET_WRITE, FAULT_UNFIT, "boot: no UBI is attached");
}

static void write_protected(void **state)
{
	add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 0);
	ubi_read_only = true;
	refused(TARGET_WRITE, FAULT_UNFIT, "ubi2:root cannot be written: Read-only");
	volumes[1].name[0] = '\0';
	mtd_writable = false;
	refused(TARGET_WRITE, FAULT_UNFIT, "mtd1 (rootfs) is write-protected");
	open_it(TARGET_LOOK);
}

static void in_use(void **state)
{
	struct volume *v = add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 0);

	v->users = 1; /* for reading, as ubiblock has it: opening it for writing works */
	refused(TARGET_WRITE, FAULT_BUSY, "ubi2:root is in use (mounted");
	assert_int_equal(f.err, EBUSY);
	open_it(TARGET_LOOK);
	target_close(t);
	t = NULL;
	v->writable = true;
	refused(TARGET_WRITE, FAULT_BUSY, "ubi2:root is in use (mounted");
	v->users = 0; /* opened by somebody in between */
	refused(TARGET_WRITE, FAULT_BUSY, "ubi2:root is in use (mounted");
	v->writable = false;
	open_it(TARGET_WRITE);
	v->users = 1;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(t->ops->update(t, p.size, &f), -1);
		assert_int_equal(f.kind, FAULT_FLASH);
		assert_int_equal(f.err, EBUSY);
		v->type = UBI_STATIC_VOLUME;
	}
	v->users = 0;
	assert_int_equal(fill(LEB), 0);
	check_contents(1, UBI_DYNAMIC_VOLUME, 4);
}

/* Identical bytes are not enough where the volume is not the one that is wanted. */
static void does_not_hold(void **state)
{
	struct volume *v = add_volume(1, "root", UBI_STATIC_VOLUME, 4, 2 * LEB + 701);

	p.volume_type = VOLUME_STATIC;
	open_it(TARGET_WRITE);
	assert_int_equal(read_first(), -1);
	assert_fault(&f, FAULT_FLASH, "eraseblock 0: the volume holds another number of bytes");
	assert_int_equal(f.err, 0);
	v->data_bytes = (long long)p.size;
	open_it(TARGET_WRITE);
	assert_int_equal(read_first(), 0);
	assert_int_equal(t->ops->read(t, 2, 0, back, 700, &f), 0);
	assert_int_equal(t->ops->read(t, 2, 0, back, 701, &f), -1); /* it has no more */
	assert_fault(&f, FAULT_FLASH, "ubi2:root: cannot read eraseblock 2 at byte 0: No data");
	assert_int_equal(f.err, 0);
	v->corrupted = true;
	open_it(TARGET_WRITE);
	assert_int_equal(read_first(), -1);
	assert_fault(&f, FAULT_FLASH, "the volume is corrupted");
	v->corrupted = false;
	v->marker = true;
	open_it(TARGET_WRITE);
	assert_int_equal(read_first(), -1);
	assert_fault(&f, FAULT_FLASH, "the volume was left by an update that was cut off");
	assert_int_equal(f.err, 0);
	v->name[0] = '\0';
	open_it(TARGET_LOOK);
	assert_int_equal(read_first(), -1);
	assert_fault(&f, FAULT_FLASH, "the volume does not exist");
}

static void in_order_only(void **state)
{
	open_it(TARGET_WRITE);
	assert_int_equal(t->ops->program(t, 0, 0, data, PAGE, &f), -1); /* no update yet */
	assert_fault(&f, FAULT_FLASH,
		     "ubi2:root: eraseblock 0 at byte 0 is not what the update is");
	assert_int_equal(f.err, EINVAL);
	assert_int_equal(t->ops->update(t, p.size, &f), 0);
	assert_int_equal(read_first(), -1);
	assert_int_equal(f.err, EBUSY);
	assert_int_equal(t->ops->program(t, 0, PAGE, data, PAGE, &f), -1);
	assert_int_equal(t->ops->program(t, 1, 0, data, PAGE, &f), -1);
	assert_int_equal(t->ops->program(t, 0, 0, data, LEB, &f), 0);
	assert_int_equal(t->ops->program(t, 0, 0, data, LEB, &f), -1);
	assert_int_equal(t->ops->program(t, 0, LEB - PAGE, data, PAGE, &f), -1);
	assert_int_equal(f.err, EINVAL);
	assert_int_equal(t->ops->program(t, 1, 0, data + LEB, LEB, &f), 0);
	assert_int_equal(t->ops->program(t, 2, 0, data + 2 * LEB, 700 + PAGE, &f), -1);
	assert_int_equal(f.err, EINVAL);
	assert_true(volumes[1].marker);
	/* To the end of the last page is fine; what is beyond the data is not written. */
	assert_int_equal(t->ops->program(t, 2, 0, data + 2 * LEB, 2 * PAGE, &f), 0);
	check_contents(1, UBI_DYNAMIC_VOLUME, 3);
	assert_int_equal(t->ops->program(t, 2, 700, data, 1, &f), -1);
	assert_int_equal(f.err, EINVAL);
	check_contents(1, UBI_DYNAMIC_VOLUME, 3);
}

static void too_much(void **state)
{
	add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 4 * LEB);
	open_it(TARGET_WRITE);
	assert_int_equal(t->ops->update(t, 4 * LEB + 1, &f), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: 16385 bytes do not fit into its 16384");
	assert_memory_equal(volumes[1].contents, old, 4 * LEB);
	assert_int_equal(t->ops->update(t, 4 * LEB, &f), 0);
}

static void in_small_pieces(void **state)
{
	add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 4 * LEB);
	open_it(TARGET_WRITE);
	most = 100;
	interrupted = true;
	assert_int_equal(fill(3 * PAGE), 0);
	check_contents(1, UBI_DYNAMIC_VOLUME, 4);
	assert_int_equal(t->ops->read(t, 1, 11, back, 3000, &f), 0);
	assert_memory_equal(back, data + LEB + 11, 3000);
}

static void volume_takes_nothing(void **state)
{
	open_it(TARGET_WRITE);
	takes_nothing = true;
	assert_int_equal(fill(LEB), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: cannot program eraseblock 0 at byte 0: No space");
	takes_nothing = false;
	/* Nobody knows what has arrived: only a new update helps. */
	assert_int_equal(t->ops->program(t, 0, 0, data, LEB, &f), -1);
	assert_int_equal(f.err, EINVAL);
	assert_int_equal(fill(LEB), 0);
	check_contents(1, UBI_DYNAMIC_VOLUME, 3);
}

static void found_corrupted(void **state)
{
	p.volume_type = VOLUME_STATIC;
	open_it(TARGET_WRITE);
	corrupts = true;
	assert_int_equal(fill(LEB), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: the kernel finds it corrupted after the update");
	assert_int_equal(f.err, 0);
	corrupts = false;
	loses = true;
	assert_int_equal(fill(LEB), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: the kernel finds it corrupted after the update");
	loses = false;
	stays = true;
	assert_int_equal(fill(LEB), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: the kernel finds it corrupted after the update");
	stays = false;
	assert_int_equal(fill(LEB), 0);
	check_contents(1, UBI_STATIC_VOLUME, 3);
}

static void changed_by_somebody(void **state)
{
	struct volume *v = add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 4 * LEB);

	open_it(TARGET_WRITE);
	v->alignment = PAGE * 3;
	assert_int_equal(t->ops->update(t, p.size, &f), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: somebody else has changed the volume");
	v->alignment = 1;
	for (int change = 0; change < 3; change++) {
		assert_int_equal(t->ops->update(t, p.size, &f), 0);
		assert_int_equal(t->ops->program(t, 0, 0, data, LEB, &f), 0);
		assert_int_equal(t->ops->program(t, 1, 0, data + LEB, LEB, &f), 0);
		v->lebs -= change == 0;
		v->type = change == 1 ? UBI_STATIC_VOLUME : UBI_DYNAMIC_VOLUME;
		goes = change == 2;
		assert_int_equal(t->ops->program(t, 2, 0, data + 2 * LEB, 700, &f), -1);
		assert_fault(&f, FAULT_FLASH, "somebody else has changed the volume");
		v->lebs += change == 0;
	}
}

static void larger_eraseblocks(void **state)
{
	struct volume *v = add_volume(1, "root", UBI_DYNAMIC_VOLUME, 1, 0);

	v->alignment = 3 * PAGE;
	p.size = 700;
	open_it(TARGET_WRITE);
	v->alignment = 1;
	assert_int_equal(t->ops->update(t, p.size, &f), -1);
	assert_fault(&f, FAULT_FLASH, "somebody else has changed the volume");
}

/* An update that cannot begin again does not go on with the old one, either. */
static void second_update_fails(void **state)
{
	open_it(TARGET_WRITE);
	assert_int_equal(t->ops->update(t, p.size, &f), 0);
	assert_int_equal(t->ops->program(t, 0, 0, data, LEB, &f), 0);
	fail_call = "ubi_volume_find";
	assert_int_equal(t->ops->update(t, p.size, &f), -1);
	assert_fault(&f, FAULT_FLASH, "Input/output");
	assert_int_equal(f.err, EIO);
	fail_call = NULL;
	assert_int_equal(t->ops->program(t, 1, 0, data + LEB, LEB, &f), -1);
	assert_int_equal(f.err, EINVAL);
	assert_int_equal(fill(LEB), 0);
}

/* What grows keeps its contents until the update begins, and for good if that fails. */
static void cannot_grow(void **state)
{
	struct volume *v = add_volume(1, "root", UBI_DYNAMIC_VOLUME, 2, 2 * LEB);

	open_it(TARGET_WRITE);
	fail_call = "RSVOL";
	assert_int_equal(t->ops->update(t, p.size, &f), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: cannot resize it to 3 eraseblocks: Input/output");
	assert_memory_equal(v->contents, old, 2 * LEB);
	assert_false(v->marker);
	fail_call = "VOLUP";
	assert_int_equal(t->ops->update(t, p.size, &f), -1);
	assert_fault(&f, FAULT_FLASH, "ubi2:root: cannot begin the update: Input/output");
	assert_memory_equal(v->contents, old, 2 * LEB);
	assert_false(v->marker);
}

/* What goes to stderr must not become part of the volume. */
static void standard_descriptors_closed(void **state)
{
	int saved = __real_fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);

	add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 0);
	assert_true(saved >= 0);
	assert_int_equal(__real_close(STDERR_FILENO), 0);
	for (int mode = TARGET_LOOK; mode <= TARGET_WRITE; mode++) {
		open_it(mode);
		assert_true(our_fd > STDERR_FILENO);
	}
	assert_int_equal(fill(LEB), 0);
	assert_true(our_fd > STDERR_FILENO);
	check_contents(1, UBI_DYNAMIC_VOLUME, 4);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)__real_close(saved);
}

static void no_devtmpfs(void **state)
{
	devtmpfs = false;
	node_count = 0;
	written(1, UBI_DYNAMIC_VOLUME, 3);
	assert_int_equal(node_count, 2);
	/* The next volume of that number gets the node that is left. */
	p.volume_type = VOLUME_STATIC;
	written(1, UBI_STATIC_VOLUME, 3);
	assert_int_equal(node_count, 2);
}

static void stale_nodes(void **state)
{
	target_close(t);
	t = NULL;
	add_volume(1, "root", UBI_DYNAMIC_VOLUME, 4, 4 * LEB);
	nodes[node_index("/dev/ubi2_1")].number = makedev(MAJOR, 1);
	refused(TARGET_LOOK, FAULT_UNFIT, "/dev/ubi2_1 is not device 250:2");
	nodes[node_index("/dev/ubi2")].number = makedev(MAJOR - 1, 0);
	refused(TARGET_WRITE, FAULT_UNFIT, "/dev/ubi2 is not device 250:0");
}

/* The states that a volume may be in before the update, and what is wanted of it. */
static void prepare(unsigned int state)
{
	start_anew();
	switch (state) {
	case 0: /* made */
		break;
	case 1: /* shrunk */
		add_volume(1, "root", UBI_DYNAMIC_VOLUME, 6, 6 * LEB);
		p.volume_size = 4 * LEB;
		break;
	case 2: /* grown */
		add_volume(1, "root", UBI_DYNAMIC_VOLUME, 2, 2 * LEB);
		break;
	case 3: /* as it is wanted */
		add_volume(1, "root", UBI_DYNAMIC_VOLUME, 6, 6 * LEB);
		break;
	case 4: /* made anew, with nodes missing */
		add_volume(1, "root", UBI_STATIC_VOLUME, 2, 2 * LEB);
		devtmpfs = false;
		node_count = 0;
		break;
	default:
		add_volume(1, "root", UBI_STATIC_VOLUME, 6, 6 * LEB);
		p.volume_type = VOLUME_STATIC;
		p.volume_size = 3 * LEB;
		break;
	}
}

enum { STATES = 6 };

/*
 * What everybody may see at any time: no volume, a broken one, an empty one, the old contents or
 * the new; but never a part of either that looks whole.
 */
static void check_never_half(const struct volume *before)
{
	const struct volume *now = volume_at(1);
	size_t blank = 0;

	assert_memory_equal(volumes[0].contents, old, 100);
	if (!now || now->marker)
		return;
	while (blank < sizeof(now->contents) && now->contents[blank] == 0xff)
		blank++;
	if (blank == sizeof(now->contents)) {
		assert_true(now->type == UBI_DYNAMIC_VOLUME || now->data_bytes == 0);
		return;
	}
	if (memcmp(now->contents, data, p.size) == 0 && used_bytes(now) >= (long long)p.size)
		return;
	assert_memory_equal(now->contents, before->contents, sizeof(now->contents));
	assert_int_equal(now->data_bytes, before->data_bytes);
}

/* Every call of a whole update fails once, or it and all after it; then the update is done anew. */
static void every_call_fails(void **state)
{
	unsigned int failures = 0;

	for (unsigned int s = 0; s < 2 * STATES; s++) {
		for (unsigned int n = 0;; n++) {
			static struct volume before;
			int result;

			prepare(s / 2);
			before = volumes[1];
			fail_at = n;
			fail_to = s % 2 ? UINT32_MAX - 1 : n;
			result = target_open_volume(&t, &p, TARGET_WRITE, NULL, &f);
			if (result < 0) {
				t = NULL;
				assert_fault(&f, FAULT_UNFIT, strerror(f.err));
				assert_memory_equal(&before, &volumes[1], sizeof(before));
			} else if ((result = fill(LEB)) < 0) {
				assert_fault(&f, FAULT_FLASH, strerror(f.err));
			}
			if (result == 0 && !failed)
				break;
			check_never_half(&before);
			assert_true(result < 0);
			failures++;
			assert_int_not_equal(f.err, 0);
			fail_at = fail_to = UINT32_MAX;
			if (t && fill(LEB) < 0)
				fail_msg("state %u, call %u: %s", s / 2, n, f.text);
			target_close(t);
			t = NULL;
			assert_int_equal(count_fds(), fds);
			check_never_half(&before);
			open_it(TARGET_WRITE);
			assert_int_equal(fill(LEB), 0);
			check_contents(1,
				       p.volume_type == VOLUME_STATIC ? UBI_STATIC_VOLUME
								      : UBI_DYNAMIC_VOLUME,
				       (int)t->blocks);
			target_close(t);
			t = NULL;
		}
		target_close(t);
		t = NULL;
	}
	assert_true(failures > 200);
}

#define volume_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		volume_test(made),
		volume_test(made_static),
		volume_test(described),
		volume_test(longest_name),
		volume_test(present),
		volume_test(present_and_larger),
		volume_test(present_and_smaller),
		volume_test(static_shrinks),
		volume_test(of_another_type),
		volume_test(aligned),
		volume_test(volume_of_nothing),
		volume_test(no_room),
		volume_test(no_number),
		volume_test(no_ubi),
		volume_test(write_protected),
		volume_test(in_use),
		volume_test(does_not_hold),
		volume_test(in_order_only),
		volume_test(too_much),
		volume_test(in_small_pieces),
		volume_test(volume_takes_nothing),
		volume_test(found_corrupted),
		volume_test(changed_by_somebody),
		volume_test(larger_eraseblocks),
		volume_test(second_update_fails),
		volume_test(cannot_grow),
		volume_test(standard_descriptors_closed),
		volume_test(no_devtmpfs),
		volume_test(stale_nodes),
		volume_test(every_call_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
