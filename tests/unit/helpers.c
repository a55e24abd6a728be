// SPDX-License-Identifier: GPL-2.0-or-later
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char temp_dir[64];

int temp_dir_make(void **state)
{
	(void)snprintf(temp_dir, sizeof(temp_dir), "/tmp/flashinit-test-XXXXXX");
	return mkdtemp(temp_dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

int temp_dir_remove(void **state)
{
	return nftw(temp_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *temp_path(const char *fmt, ...)
{
	static char paths[8][512];
	static unsigned int next;
	char *path = paths[next++ % 8];
	size_t used = (size_t)snprintf(path, sizeof(paths[0]), "%s/", temp_dir);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(path + used, sizeof(paths[0]) - used, fmt, args);
	va_end(args);
	return path;
}

static void make_parents(const char *path)
{
	char part[512];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			fail_msg("%s: %s", part, strerror(errno));
	}
}

void write_file(const char *path, const void *data, size_t len)
{
	FILE *file;

	make_parents(path);
	/* A file that is emptied first is brought to the disk when it is closed, on some disks. */
	file = fopen(path, "r+be");
	if (!file)
		file = fopen(path, "wbe");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(ftruncate(fileno(file), (off_t)len), 0);
	assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

uint8_t *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data;
	struct stat st;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fstat(fileno(file), &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	*len = fread(data, 1, (size_t)st.st_size, file);
	assert_int_equal(*len, st.st_size);
	data[*len] = '\0';
	(void)fclose(file);
	return data;
}

void fill_random(uint8_t *buf, size_t len, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		buf[i] = (uint8_t)(x >> 11);
	}
}

void check_fault(const struct fault *f, enum fault_kind wanted, const char *what, const char *file,
		 int line)
{
	if (f->kind == wanted && !strchr(f->text, '\n') && strstr(f->text, what))
		return;
	print_error("fault %d \"%s\", wanted is %d with \"%s\"\n", f->kind, f->text, wanted, what);
	_fail(file, line);
}

static int saved_fd = -1;

void capture_start(int fd)
{
	int to = open(temp_path("captured.%d", fd), O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)fflush(NULL); /* cmocka's own words go where they were meant to */
	saved_fd = dup(fd);
	assert_true(to >= 0 && saved_fd >= 0);
	assert_int_equal(dup2(to, fd), fd);
	(void)close(to);
}

char *capture_end(int fd)
{
	size_t len;

	(void)fflush(NULL);
	assert_int_equal(dup2(saved_fd, fd), fd);
	(void)close(saved_fd);
	return (char *)read_file(temp_path("captured.%d", fd), &len);
}

unsigned int count_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}
