// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block devices here are files in the test's folder. The wrapped calls make them behave: nodes
 * in /dev, lines in sysfs, O_EXCL, O_DIRECT with its wish for whole sectors, a page cache where
 * O_DIRECT is refused, and failures.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helpers.h"
#include "target_block.h"

enum { KIB = 1024, EB = 64 * KIB, DEVICES = 4 };
#define TIB (1ull << 40)

struct device {
	char name[32];
	unsigned int major, minor;
	bool node; /* there is one in /dev */
};

static struct device devices[DEVICES];
static unsigned int device_count;

/* Holds for all devices. */
static int sector, read_only;
static uint64_t device_size;
static bool busy;
static int open_errno; /* what opening for writing meets */
static bool refuses_direct;
static size_t most;      /* bytes that one call moves */
static bool interrupted; /* every other call */
static bool ends;        /* the device takes and gives nothing any more */
static uint64_t defect;  /* this byte of the medium cannot be changed; 0: all can */

/* One device is open at a time. */
static int device_fd, flags_of_open;
static unsigned int reads, writes, syncs, flushes;
static bool cache_valid;

/* Calls that can fail, counted; the one of number fail_at does. */
static unsigned int calls, fail_at;
static const char *failed;

static bool fails(const char *what, int error)
{
	if (calls++ != fail_at)
		return false;
	failed = what;
	errno = error;
	return true;
}

static const char *medium(void)
{
	return temp_path("medium");
}

/* Where the code's paths lie in the test's folder; NULL: it is none of them. */
static const char *moved(const char *path)
{
	return strncmp(path, "/sys/", 5) == 0 ? temp_path("%s", path + 1) : NULL;
}

static struct device *device_at(const char *path)
{
	for (unsigned int i = 0; i < device_count; i++)
		if (strncmp(path, "/dev/", 5) == 0 && strcmp(path + 5, devices[i].name) == 0)
			return &devices[i];
	return NULL;
}

static int open_device(const struct device *d, int flags)
{
	if (!d->node)
		errno = ENOENT;
	else if (busy && (flags & O_EXCL))
		errno = EBUSY;
	else if (open_errno && (flags & O_ACCMODE) == O_RDWR)
		errno = open_errno;
	else if (refuses_direct && (flags & O_DIRECT))
		errno = EINVAL;
	else {
		flags_of_open = flags;
		cache_valid = false;
		return device_fd = open(medium(), O_RDWR | O_CLOEXEC);
	}
	return -1;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	const char *elsewhere = moved(path);
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (strncmp(path, "/dev/", 5) != 0 && !elsewhere)
		return __real_open(path, flags, mode);
	if (fails("open", EIO))
		return -1;
	if (elsewhere)
		return __real_open(elsewhere, flags, mode);
	if (device_at(path))
		return open_device(device_at(path), flags);
	errno = ENOENT;
	return -1;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, int argument)
{
	int other = __real_fcntl(fd, command, argument);

	if (command == F_DUPFD_CLOEXEC && fd == device_fd)
		device_fd = other;
	return other;
}

int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st)
{
	const struct device *d = device_at(path);

	if (fails("stat", EIO))
		return -1;
	if (!d)
		return __real_stat(path, st);
	if (!d->node) {
		errno = ENOENT;
		return -1;
	}
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFBLK | 0600;
	st->st_rdev = makedev(d->major, d->minor);
	return 0;
}

int __wrap_mknod(const char *path, mode_t mode, dev_t number)
{
	struct device *d = device_at(path);

	if (fails("mknod", EROFS))
		return -1;
	assert_non_null(d);
	assert_int_equal(mode, S_IFBLK | 0600);
	d->major = major(number);
	d->minor = minor(number);
	d->node = true;
	return 0;
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
	return fails("opendir", EIO) ? NULL : __real_opendir(moved(path));
}

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir)
{
	return fails("readdir", EIO) ? NULL : __real_readdir(dir);
}

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	return fails("read", EIO) ? -1 : __real_read(fd, buf, len);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return fails("calloc", ENOMEM) ? NULL : __real_calloc(n, size);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	assert_int_equal(fd, device_fd);
	if (fails("ioctl", EIO))
		return -1;
	switch (request) {
	case BLKROGET:
		*(int *)arg = read_only;
		return 0;
	case BLKSSZGET:
		*(int *)arg = sector;
		return 0;
	case BLKGETSIZE64:
		*(uint64_t *)arg = device_size;
		return 0;
	case BLKFLSBUF:
		flushes++;
		cache_valid = false;
		return 0;
	default:
		fail();
		return -1;
	}
}

/* The page cache, if it is in use and holds something, is another file. */
static int through_cache(void)
{
	return __real_open(temp_path("cache"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void copy(int from, int to)
{
	static uint8_t all[EB * 4];
	ssize_t n = __real_read(from, all, sizeof(all));

	assert_true(n >= 0 && lseek(to, 0, SEEK_SET) == 0);
	assert_int_equal(write(to, all, (size_t)n), n);
}

int __wrap_fsync(int fd)
{
	uint8_t was;

	assert_int_equal(fd, device_fd);
	if (interrupted && syncs++ % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	if (fails("fsync", EIO))
		return -1;
	syncs++;
	if (cache_valid) {
		int from = through_cache(), to = __real_open(medium(), O_RDWR | O_CLOEXEC);

		assert_int_equal(pread(to, &was, 1, (off_t)defect), 1);
		copy(from, to);
		if (defect)
			assert_int_equal(pwrite(to, &was, 1, (off_t)defect), 1);
		(void)close(from);
		(void)close(to);
	}
	return 0;
}

/* What the kernel has against a transfer; true: nothing. */
static bool may_move(const char *what, const void *buf, size_t len, off_t at)
{
	uint64_t crooked = ((uintptr_t)buf | len | (uint64_t)at) & (uint64_t)(sector - 1);
	static unsigned int turn;

	if (interrupted && turn++ % 2 == 0)
		errno = EINTR;
	else if (fails(what, EIO))
		;
	else if ((flags_of_open & O_DIRECT) && crooked)
		errno = EINVAL;
	else
		return true;
	return false;
}

static size_t moved_at_once(size_t len)
{
	return ends ? 0 : len < most ? len : most;
}

ssize_t __real_pread(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at)
{
	ssize_t n;

	if (fd != device_fd)
		return __real_pread(fd, buf, len, at);
	reads++;
	if (!may_move("pread", buf, len, at))
		return -1;
	if (!cache_valid)
		return __real_pread(fd, buf, moved_at_once(len), at);
	fd = through_cache();
	n = __real_pread(fd, buf, moved_at_once(len), at);
	(void)close(fd);
	return n;
}

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	ssize_t n;

	if (fd != device_fd)
		return __real_pwrite(fd, buf, len, at);
	writes++;
	assert_int_equal(flags_of_open & O_ACCMODE, O_RDWR);
	if (!may_move("pwrite", buf, len, at))
		return -1;
	if (flags_of_open & O_DIRECT)
		return __real_pwrite(fd, buf, moved_at_once(len), at);
	fd = through_cache();
	if (!cache_valid) {
		int from = __real_open(medium(), O_RDONLY | O_CLOEXEC);

		copy(from, fd);
		(void)close(from);
	}
	cache_valid = true;
	n = __real_pwrite(fd, buf, moved_at_once(len), at);
	(void)close(fd);
	return n;
}

static struct fault f;
static struct target *t;
static unsigned int fds;
/* Room for data at any alignment. */
static _Alignas(EB) uint8_t data[2 * EB], back[2 * EB];

static void add_device(const char *name, unsigned int minor_number, const char *label, bool node)
{
	struct device *d = &devices[device_count++];
	char text[512];

	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	d->major = 179;
	d->minor = minor_number;
	d->node = node;
	(void)snprintf(text, sizeof(text),
		       "MAJOR=179\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=partition\nPARTN=1\n%s%s%s",
		       minor_number, name, label ? "PARTNAME=" : "", label ? label : "",
		       label ? "\n" : "");
	for (char *c = d->name; (c = strchr(c, '/'));)
		*c = '!'; /* as sysfs does */
	write_text(temp_path("sys/class/block/%s/uevent", d->name), text);
	write_text(temp_path("sys/dev/block/179:%u/uevent", minor_number), text);
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
}

static void resize_device(uint64_t size)
{
	device_size = size;
	write_text(medium(), "");
	assert_int_equal(truncate(medium(), (off_t)size), 0);
}

static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	t = NULL;
	device_count = 0;
	sector = 512;
	read_only = open_errno = 0;
	busy = refuses_direct = interrupted = ends = cache_valid = false;
	most = SIZE_MAX;
	defect = 0;
	device_fd = -1;
	reads = writes = syncs = flushes = 0;
	fail_at = UINT32_MAX;
	add_device("mmcblk0", 0, NULL, true);
	add_device("mmcblk0p2", 2, "rootfs", true);
	resize_device(3 * EB + 5 * 512);
	fill_random(data, sizeof(data), 1);
	fds = count_fds();
	return 0;
}

static int teardown(void **state)
{
	target_close(t);
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static void open_it(const char *name, enum target_mode mode)
{
	if (target_open_block(&t, name, mode, &f) < 0)
		fail_msg("%s: %s", name, f.text);
}

static void reopen(enum target_mode mode)
{
	target_close(t);
	t = NULL;
	open_it("mmcblk0p2", mode);
}

static void refused(const char *name, enum fault_kind kind, const char *what)
{
	struct target *none = NULL;

	assert_int_equal(target_open_block(&none, name, TARGET_WRITE, &f), -1);
	assert_fault(&f, kind, what);
	assert_null(none);
	assert_int_equal(count_fds(), fds);
}

static void check_medium(uint64_t at, const uint8_t *wanted, size_t len)
{
	int fd = __real_open(medium(), O_RDONLY | O_CLOEXEC);

	assert_true(len <= sizeof(back));
	assert_int_equal(__real_pread(fd, back, len, (off_t)at), len);
	assert_memory_equal(back, wanted, len);
	(void)close(fd);
}

static void found_by(const char *name)
{
	open_it(name, TARGET_WRITE);
	assert_string_equal(t->name, "mmcblk0p2");
	assert_string_equal(t->device, "mmcblk0p2");
	assert_int_equal(fcntl(device_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	target_close(t);
	t = NULL;
}

static void found(void **state)
{
	found_by("mmcblk0p2");
	found_by("/dev/mmcblk0p2");
	found_by("rootfs");
}

static void named_before_labelled(void **state)
{
	add_device("sda", 8, "mmcblk0p2", true);
	found_by("mmcblk0p2");
}

static void not_found(void **state)
{
	refused("root", FAULT_UNFIT, "no block device and no partition label is root");
	refused("rootfs2", FAULT_UNFIT, "rootfs2");
	refused("", FAULT_UNFIT, "no block device");
	errno = EIO; /* from whatever was before */
	refused("../block/mmcblk0p2", FAULT_UNFIT, "partition label is ../block/mmcblk0p2;");
	refused("/dev/mmcblk0p3", FAULT_UNFIT, "/dev/mmcblk0p3: No such file");
	assert_int_equal(f.err, ENOENT);
}

static void two_of_a_label(void **state)
{
	add_device("mmcblk1p7", 17, "rootfs", true);
	refused("rootfs", FAULT_UNFIT, "/dev/mmcblk1p7");
	assert_fault(&f, FAULT_UNFIT, "/dev/mmcblk0p2");
	found_by("mmcblk0p2");
}

static void node_in_a_folder(void **state)
{
	add_device("cciss/c0d0p1", 9, "raid", true);
	open_it("cciss!c0d0p1", TARGET_LOOK);
	assert_string_equal(t->device, "cciss!c0d0p1");
	target_close(t);
	t = NULL;
	open_it("raid", TARGET_LOOK);
	assert_string_equal(t->device, "cciss!c0d0p1");
	target_close(t);
	t = NULL;
	open_it("/dev/cciss/c0d0p1", TARGET_LOOK);
	assert_string_equal(t->device, "cciss!c0d0p1");
}

/* Another name for it, as udev makes many of, is not the kernel's. */
static void node_of_another_name(void **state)
{
	struct device *d = &devices[device_count++];

	(void)snprintf(d->name, sizeof(d->name), "disk/by-partlabel/rootfs");
	d->major = 179;
	d->minor = 2;
	d->node = true;
	found_by("/dev/disk/by-partlabel/rootfs");
	d->minor = 77;
	refused("/dev/disk/by-partlabel/rootfs", FAULT_UNFIT,
		"/dev/disk/by-partlabel/rootfs (179:77): cannot read its uevent in sysfs: No such");
}

static void node_missing(void **state)
{
	devices[1].node = false;
	devices[1].major = devices[1].minor = 0;
	found_by("rootfs");
	assert_int_equal(devices[1].major, 179);
	assert_int_equal(devices[1].minor, 2);
	devices[1].node = false;
	fail_at = calls + 3; /* open, read, stat, mknod */
	refused("mmcblk0p2", FAULT_UNFIT, "/dev/mmcblk0p2: cannot make the device node: Read-only");
	assert_string_equal(failed, "mknod");
}

static void node_of_another_device(void **state)
{
	devices[1].minor = 3;
	refused("rootfs", FAULT_UNFIT, "/dev/mmcblk0p2 is not device 179:2");
}

static void no_block_device(void **state)
{
	refused(medium(), FAULT_UNFIT, "is not a block device");
	refused(temp_path("."), FAULT_UNFIT, "is not a block device");
}

static void raw_flash(void **state)
{
	devices[1].major = 31;
	write_text(temp_path("sys/dev/block/31:2/uevent"),
		   "MAJOR=31\nMINOR=2\nDEVNAME=mmcblk0p2\n");
	refused("/dev/mmcblk0p2", FAULT_UNFIT, "is raw flash: kind mtd");
}

static void sysfs_not_mounted(void **state)
{
	assert_int_equal(rename(temp_path("sys"), temp_path("sys.away")), 0);
	refused("rootfs", FAULT_UNFIT, "is /sys mounted?");
	refused("/dev/mmcblk0p2", FAULT_UNFIT, "/dev/mmcblk0p2 (179:2): cannot read its uevent");
}

static void opened_how(void **state)
{
	open_it("mmcblk0p2", TARGET_WRITE);
	assert_int_equal(flags_of_open, O_RDWR | O_EXCL | O_DIRECT | O_CLOEXEC);
	reopen(TARGET_LOOK);
	assert_int_equal(flags_of_open, O_RDONLY | O_DIRECT | O_CLOEXEC);
	assert_int_equal(t->medium, MEDIUM_BLOCK);
	assert_null(t->ops->erase);
	assert_null(t->ops->mark_bad);
	assert_null(t->ops->ecc);
	assert_null(t->ops->update);
	assert_int_equal(t->ops->is_bad(t, 0, &f), 0);
}

/* What goes to stderr must not become part of the device. */
static void standard_descriptor_closed(void **state)
{
	int saved = __real_fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);

	assert_true(saved >= 0);
	(void)close(STDERR_FILENO);
	for (int direct = 0; direct < 2; direct++) {
		refuses_direct = !direct;
		reopen(TARGET_WRITE);
		assert_true(device_fd > STDERR_FILENO);
	}
	assert_int_equal(t->ops->program(t, 0, 0, data, 512, &f), 0);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
}

static void in_use(void **state)
{
	busy = true;
	refused("mmcblk0p2", FAULT_BUSY, "/dev/mmcblk0p2 is in use (mounted");
	assert_int_equal(f.err, EBUSY);
	open_it("mmcblk0p2", TARGET_LOOK);
}

static void write_protected(void **state)
{
	open_errno = EROFS;
	refused("mmcblk0p2", FAULT_UNFIT, "mmcblk0p2 is read-only; see blockdev --setrw");
	open_errno = EACCES;
	refused("mmcblk0p2", FAULT_UNFIT, "Permission denied");
	open_errno = 0;
	read_only = 1;
	refused("mmcblk0p2", FAULT_UNFIT, "mmcblk0p2 is read-only");
	assert_int_equal(target_open_block(&t, "mmcblk0p2", TARGET_LOOK, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "mmcblk0p2 is read-only");
}

static void check_geometry(uint64_t size, int of_sector, const char *wanted)
{
	char text[256] = "";
	uint64_t sum = 0;

	resize_device(size);
	sector = of_sector;
	reopen(TARGET_WRITE);
	assert_int_equal(t->page, of_sector);
	assert_int_equal(t->subpage, of_sector);
	for (unsigned int i = 0; i < t->regions; i++) {
		size_t used = strlen(text);

		assert_int_equal(t->region[i].offset, sum);
		sum += (uint64_t)t->region[i].blocks * t->region[i].eraseblock;
		(void)snprintf(text + used, sizeof(text) - used, "%ux%u ", t->region[i].blocks,
			       t->region[i].eraseblock);
	}
	assert_string_equal(text, wanted);
	assert_int_equal(sum, size / (uint64_t)of_sector * (uint64_t)of_sector);
	assert_int_equal(t->size, sum);
}

static void geometry(void **state)
{
	check_geometry(512, 512, "1x512 ");
	check_geometry(1024, 512, "1x512 1x512 ");
	check_geometry(5 * 512, 512, "1x512 1x2048 ");
	check_geometry(EB - 512, 512, "1x512 1x64512 ");
	check_geometry(EB, 512, "1x512 1x65024 ");
	check_geometry(EB + 512, 512, "1x512 1x65024 1x512 ");
	check_geometry(2 * EB - 512, 512, "1x512 1x65024 1x65024 ");
	check_geometry(2 * EB, 512, "1x512 1x65024 1x65536 ");
	check_geometry(3 * EB + 5 * 512, 512, "1x512 1x65024 2x65536 1x2560 ");
	check_geometry(3 * EB + 4096, 4096, "1x4096 1x61440 2x65536 1x4096 ");
	check_geometry(3 * EB, EB, "1x65536 2x65536 ");
	/* The kernel counts in units of 512 bytes: a part of a sector cannot be had. */
	check_geometry(3 * EB + 4096 + 512, 4096, "1x4096 1x61440 2x65536 1x4096 ");
	check_geometry(3 * EB + 512, 4096, "1x4096 1x61440 2x65536 ");
	check_geometry(4096 + 1536, 4096, "1x4096 ");
	check_geometry(2 * TIB, 512, "1x512 1x65024 33554431x65536 ");
}

static void odd_devices(void **state)
{
	resize_device(0);
	refused("mmcblk0p2", FAULT_UNFIT, "no medium?");
	resize_device(3584);
	sector = 4096;
	refused("mmcblk0p2", FAULT_UNFIT, "mmcblk0p2: has no room for a sector");
	resize_device(EB);
	for (int odd[] = { -512, 0, 1, 256, 520, 2 * EB }, i = 0; i < 6; i++) {
		sector = odd[i];
		refused("mmcblk0p2", FAULT_UNFIT, "are not supported");
	}
	sector = 512;
	device_size = (uint64_t)EB << 32;
	refused("mmcblk0p2", FAULT_UNFIT, "281474976710656 bytes: too large");
	device_size += 9 * EB;
	refused("mmcblk0p2", FAULT_UNFIT, "281474977300480 bytes: too large");
}

static void programmed(void **state)
{
	open_it("mmcblk0p2", TARGET_WRITE);
	for (uint32_t eb = 0; eb < t->blocks; eb++) {
		uint32_t size = target_block_size(t, eb);

		assert_int_equal(t->ops->program(t, eb, 0, data, size, &f), 0);
		check_medium(target_block_offset(t, eb), data, size);
		memset(back, 0, sizeof(back));
		assert_int_equal(t->ops->read(t, eb, 0, back, size, &f), 0);
		assert_memory_equal(back, data, size);
	}
	assert_int_equal(writes, t->blocks);
	assert_int_equal(t->ops->program(t, 2, 1024, data + 4096, 512, &f), 0);
	check_medium(EB + 1024, data + 4096, 512);
	check_medium(EB, data, 1024);
	check_medium(EB + 1536, data + 1536, EB - 1536);
	/* The page cache has no part in it. */
	assert_int_equal(syncs + flushes, 0);
	assert_int_equal(t->ops->sync(t, &f), 0);
	assert_int_equal(syncs, 1);
}

/* Whatever the sector, and wherever the caller has its data. */
static void crooked(void **state)
{
	for (int s = 512; s <= EB; s *= 2) {
		sector = s;
		resize_device(3 * EB);
		reopen(TARGET_WRITE);
		assert_int_equal(t->ops->program(t, t->blocks - 1, 0, data + 13, EB, &f), 0);
		check_medium(2 * EB, data + 13, EB);
		assert_int_equal(t->ops->read(t, t->blocks - 1, 0, back + 1, EB, &f), 0);
		assert_memory_equal(back + 1, data + 13, EB);
		/* Memory for half a sector, or another place than it is for. */
		assert_int_equal(t->ops->program(t, t->blocks - 1, 0, data + s / 2, EB, &f), 0);
		check_medium(2 * EB, data + s / 2, EB);
		assert_int_equal(t->ops->program(t, t->blocks - 1, 0, data + 13, EB, &f), 0);
		assert_int_equal(t->ops->read(t, t->blocks - 1, 100, back, EB / 2, &f), 0);
		assert_memory_equal(back, data + 113, EB / 2);
		/* What is read may start and end anywhere. */
		for (uint32_t from = 0; from < 2000; from += 333) {
			uint32_t len = EB - 2 * from - 1;

			assert_int_equal(t->ops->read(t, t->blocks - 1, from, back, len, &f), 0);
			assert_memory_equal(back, data + 13 + from, len);
		}
	}
}

static void beyond_two_gib(void **state)
{
	uint32_t last;

	resize_device(3 * TIB);
	open_it("mmcblk0p2", TARGET_WRITE);
	most = 4096;
	last = t->blocks - 1;
	assert_int_equal(t->ops->program(t, last, 512, data, EB - 512, &f), 0);
	assert_int_equal(t->ops->program(t, last / 2, 0, data + 7, 512, &f), 0);
	check_medium(3 * TIB - EB + 512, data, EB - 512);
	check_medium((uint64_t)(last / 2 - 1) * EB, data + 7, 512);
	assert_int_equal(t->ops->read(t, last, 512, back, EB - 512, &f), 0);
	assert_memory_equal(back, data, EB - 512);
}

static void in_small_pieces(void **state)
{
	open_it("mmcblk0p2", TARGET_WRITE);
	most = 1024;
	interrupted = true;
	for (uint32_t shift = 0; shift < 2; shift++) {
		assert_int_equal(t->ops->program(t, 2, 0, data + shift, EB, &f), 0);
		check_medium(EB, data + shift, EB);
		memset(back, 0, sizeof(back));
		assert_int_equal(t->ops->read(t, 2, 0, back + shift, EB, &f), 0);
		assert_memory_equal(back + shift, data + shift, EB);
	}
	assert_int_equal(t->ops->sync(t, &f), 0);
}

static void device_ends(void **state)
{
	open_it("mmcblk0p2", TARGET_WRITE);
	ends = true;
	for (uint32_t shift = 0; shift < 2; shift++) {
		assert_int_equal(t->ops->program(t, 3, 512, data + shift, 512, &f), -1);
		assert_fault(&f, FAULT_FLASH,
			     "mmcblk0p2: cannot program eraseblock 3 at byte 512: No space");
		assert_int_equal(f.err, ENOSPC);
		assert_int_equal(t->ops->read(t, 2, 0, back + shift, EB, &f), -1);
		assert_fault(&f, FAULT_FLASH, "cannot read eraseblock 2 at byte 0: No data");
		assert_int_equal(f.err, ENODATA);
	}
}

static void operations_fail(void **state)
{
	open_it("mmcblk0p2", TARGET_WRITE);
	for (uint32_t shift = 0; shift < 2; shift++) {
		fail_at = calls;
		assert_int_equal(t->ops->program(t, 2, 512, data + shift, 512, &f), -1);
		assert_fault(&f, FAULT_FLASH,
			     "mmcblk0p2: cannot program eraseblock 2 at byte 512: Input/output");
		assert_int_equal(f.err, EIO);
		fail_at = calls;
		assert_int_equal(t->ops->read(t, 1, 512, back + shift, 512, &f), -1);
		assert_fault(&f, FAULT_FLASH,
			     "mmcblk0p2: cannot read eraseblock 1 at byte 512: Input/output");
		assert_int_equal(f.err, EIO);
	}
	fail_at = calls;
	assert_int_equal(t->ops->sync(t, &f), -1);
	assert_fault(&f, FAULT_FLASH, "mmcblk0p2: what was programmed may be lost: Input/output");
	assert_int_equal(f.err, EIO);
}

static void direct_refused(void **state)
{
	refuses_direct = true;
	open_it("mmcblk0p2", TARGET_WRITE);
	assert_int_equal(flags_of_open, O_RDWR | O_EXCL | O_CLOEXEC);
	assert_int_equal(t->ops->program(t, 2, 0, data, EB, &f), 0);
	assert_int_equal(t->ops->read(t, 2, 0, back, EB, &f), 0);
	assert_memory_equal(back, data, EB);
	check_medium(EB, data, EB);
	/* The cache is emptied once after each write, not for each read. */
	syncs = flushes = 0;
	assert_int_equal(t->ops->read(t, 2, 0, back, EB, &f), 0);
	assert_int_equal(t->ops->program(t, 0, 0, data, 512, &f), 0);
	assert_int_equal(t->ops->read(t, 0, 0, back, 512, &f), 0);
	assert_int_equal(t->ops->read(t, 2, 0, back, EB, &f), 0);
	assert_int_equal(syncs, 1);
	assert_int_equal(flushes, 1);
	assert_int_equal(t->ops->program(t, 0, 0, data + 7, 512, &f), 0);
	assert_int_equal(t->ops->sync(t, &f), 0);
	check_medium(0, data + 7, 512);
	reopen(TARGET_LOOK);
	assert_int_equal(flags_of_open, O_RDONLY | O_CLOEXEC);
}

/* A cache would hide what the medium has made of the data. */
static void reads_the_medium(void **state)
{
	refuses_direct = true;
	open_it("mmcblk0p2", TARGET_WRITE);
	defect = EB + 1000;
	assert_int_not_equal(data[1000], 0);
	assert_int_equal(t->ops->program(t, 2, 0, data, EB, &f), 0);
	assert_int_equal(t->ops->read(t, 2, 0, back, EB, &f), 0);
	assert_memory_equal(back, data, 1000);
	assert_int_equal(back[1000], 0);
	assert_memory_equal(back + 1001, data + 1001, EB - 1001);
}

/* What somebody else has left in the cache is not what the medium holds, either. */
static void first_read_empties_the_cache(void **state)
{
	refuses_direct = true;
	open_it("mmcblk0p2", TARGET_LOOK);
	assert_int_equal(t->ops->read(t, 0, 0, back, 512, &f), 0);
	assert_int_equal(flushes, 1);
}

static void cache_cannot_be_emptied(void **state)
{
	refuses_direct = true;
	open_it("mmcblk0p2", TARGET_WRITE);
	for (unsigned int n = 0; n < 2; n++) {
		assert_int_equal(t->ops->program(t, 2, 0, data, EB, &f), 0);
		fail_at = calls + n;
		reads = 0;
		assert_int_equal(t->ops->read(t, 2, 0, back, EB, &f), -1);
		assert_int_equal(f.kind, FAULT_FLASH);
		assert_int_equal(f.err, EIO);
		assert_string_equal(failed, n == 0 ? "fsync" : "ioctl");
		assert_int_equal(reads, 0);
	}
	assert_int_equal(t->ops->read(t, 2, 0, back, EB, &f), 0);
	assert_memory_equal(back, data, EB);
}

/* Opening makes many calls: whichever fails, it is told, and nothing is left open. */
static void every_call_fails(void **state)
{
	static const char *const names[] = { "mmcblk0p2", "rootfs", "/dev/mmcblk0p2" };
	unsigned int n, failures = 0;

	for (unsigned int i = 0; i < 6; i++) {
		refuses_direct = i >= 3;
		for (n = 0;; n++) {
			calls = 0;
			fail_at = n;
			failed = NULL;
			if (target_open_block(&t, names[i % 3], TARGET_WRITE, &f) == 0)
				break;
			failures++;
			assert_non_null(failed);
			assert_fault(&f, FAULT_UNFIT, strerror(f.err));
			assert_true(f.err == EIO || f.err == ENOMEM);
			assert_int_equal(count_fds(), fds);
		}
		assert_null(failed);
		target_close(t);
		t = NULL;
	}
	assert_true(failures > 60);
}

#define block_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		block_test(found),
		block_test(named_before_labelled),
		block_test(not_found),
		block_test(two_of_a_label),
		block_test(node_in_a_folder),
		block_test(node_of_another_name),
		block_test(node_missing),
		block_test(node_of_another_device),
		block_test(no_block_device),
		block_test(raw_flash),
		block_test(sysfs_not_mounted),
		block_test(opened_how),
		block_test(standard_descriptor_closed),
		block_test(in_use),
		block_test(write_protected),
		block_test(geometry),
		block_test(odd_devices),
		block_test(programmed),
		block_test(crooked),
		block_test(beyond_two_gib),
		block_test(in_small_pieces),
		block_test(device_ends),
		block_test(operations_fail),
		block_test(direct_refused),
		block_test(reads_the_medium),
		block_test(first_read_empties_the_cache),
		block_test(cache_cannot_be_emptied),
		block_test(every_call_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
