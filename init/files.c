// SPDX-License-Identifier: GPL-2.0-or-later
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "number.h"

enum { TEXT_MAX = 1 << 20, COPY_SIZE = 64 << 10 };

static ssize_t read_retry(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n;
}

/* struct statx of linux/stat.h, which contradicts musl's sys/stat.h. */
struct facts {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, unused;
	uint64_t ino, size, blocks, attributes_mask, times[8];
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t spare[14];
};

int stat_cached(const char *path, struct stat *st)
{
	enum { DONT_SYNC = 0x4000, TYPE_AND_INO = 0x101 };
	struct facts x;

	if (syscall(SYS_statx, AT_FDCWD, path, DONT_SYNC, TYPE_AND_INO, &x) < 0)
		return errno == ENOSYS ? stat(path, st) : -1;
	st->st_mode = x.mode;
	st->st_ino = x.ino;
	st->st_dev = makedev(x.dev_major, x.dev_minor);
	st->st_rdev = makedev(x.rdev_major, x.rdev_minor);
	return 0;
}

int fd_write(int fd, const void *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data = (const char *)data + n;
		len -= (size_t)n;
	}
	return 0;
}

/* Closes fd keeping errno, so that an error before it is the one that is reported. */
static void close_quietly(int fd)
{
	int err = errno;

	(void)close(fd);
	errno = err;
}

/* Reads until the end; the buffer grows, since /proc does not tell sizes. */
static char *read_to_end(int fd, size_t *size)
{
	size_t room = 4096, used = 0;
	char *text = malloc(room);

	while (text) {
		ssize_t n = read_retry(fd, text + used, room - used - 1);
		char *grown;

		if (n == 0) {
			text[used] = '\0';
			*size = used;
			return text;
		}
		if (n > 0)
			used += (size_t)n;
		if (n > 0 && used < room - 1)
			continue;
		if (n > 0 && room >= TEXT_MAX)
			errno = EFBIG;
		grown = n > 0 && room < TEXT_MAX ? realloc(text, room * 2) : NULL;
		if (!grown)
			free(text);
		text = grown;
		room *= 2;
	}
	return NULL;
}

char *file_read_bytes(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text;

	if (fd < 0)
		return NULL;
	text = read_to_end(fd, size);
	close_quietly(fd);
	return text;
}

char *file_read_fd(int fd)
{
	size_t size;

	return read_to_end(fd, &size);
}

char *file_read_text(const char *path)
{
	size_t size;

	return file_read_bytes(path, &size);
}

int file_read_start(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read_retry(fd, text, size - 1);
	close_quietly(fd);
	if (n < 0)
		return -1;
	text[n] = '\0';
	return 0;
}

int file_read_line(const char *path, char *text, size_t size)
{
	if (file_read_start(path, text, size) < 0)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int file_make_folders(char *path, size_t len)
{
	for (char *slash = path + len + 1; (slash = strchr(slash, '/')); slash++) {
		int result;

		*slash = '\0';
		result = mkdir(path, 0755);
		if (result < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

int file_real_path(char *real, size_t size, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), err;
	char link[32];
	ssize_t len;

	if (fd < 0)
		return -1;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, real, size);
	err = (size_t)len == size ? ENAMETOOLONG : errno;
	(void)close(fd); /* nothing can be written through it */
	errno = err;
	if (len < 0 || (size_t)len == size)
		return -1;
	real[len] = '\0';
	return 0;
}

bool device_number(const char *text, unsigned int *major_number, unsigned int *minor_number)
{
	const char *colon, *end;

	*major_number = (unsigned int)number_read(text, 10, &colon);
	if (colon == text || *colon != ':')
		return false;
	*minor_number = (unsigned int)number_read(colon + 1, 10, &end);
	return end != colon + 1 && *end == '\0';
}

int file_write(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0)
		return -1;
	if (fd_write(fd, data, len) < 0) {
		close_quietly(fd);
		return -1;
	}
	return close(fd);
}

static int copy_bytes(int in, int out, int (*keep_going)(void))
{
	char *buf = malloc(COPY_SIZE);
	ssize_t n = -1;

	while (buf) {
		n = read_retry(in, buf, COPY_SIZE);
		if (n <= 0)
			break;
		if (fd_write(out, buf, (size_t)n) < 0) {
			n = -1;
			break;
		}
		if (keep_going && !keep_going()) {
			errno = EINTR;
			n = -1;
			break;
		}
	}
	free(buf);
	return (int)n;
}

int file_copy_from(int in, const char *to, mode_t mode, int (*keep_going)(void))
{
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (out < 0)
		return -1;
	if (fchmod(out, mode) == 0 && copy_bytes(in, out, keep_going) == 0)
		return close(out);
	close_quietly(out);
	return -1;
}

int file_copy(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int result;

	if (in < 0)
		return -1;
	result = file_copy_from(in, to, mode, NULL);
	close_quietly(in);
	return result;
}
