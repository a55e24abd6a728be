// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "source_mtd.h"

enum { LOOK_UP_MS = 200, MTD_CHAR_MAJOR = 90 };

int source_open(struct source *src, const char *path, struct fault *f)
{
	bool standard_input = strcmp(path, "-") == 0;
	struct stat st;

	memset(src, 0, sizeof(*src));
	src->name = standard_input ? "standard input" : path;
	src->fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (src->fd < 0)
		return fault_errno(f, FAULT_IMAGE, "%s: cannot open the image", src->name);
	if (fstat(src->fd, &st) < 0) {
		(void)fault_errno(f, FAULT_IMAGE, "%s: cannot look at the image", src->name);
		source_close(src);
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		source_close(src);
		return fault_set(f, FAULT_IMAGE, "%s: is a directory, not an image", path);
	}
	if (S_ISCHR(st.st_mode) && major(st.st_rdev) == MTD_CHAR_MAJOR) {
		source_close(src);
		return source_mtd_open(src, minor(st.st_rdev) / 2, f);
	}
	src->seekable = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	src->start = src->seekable ? lseek(src->fd, 0, SEEK_CUR) : 0;
	return 0;
}

int source_back_to(struct source *src, uint64_t pos, struct fault *f)
{
	if (src->mtd)
		return source_mtd_back_to(src, pos, f);
	if (lseek(src->fd, (off_t)(src->start + (int64_t)pos), SEEK_SET) < 0)
		return fault_errno(f, FAULT_IMAGE, "%s: cannot go back to byte %" PRIu64, src->name,
				   pos);
	src->pos = pos;
	return 0;
}

int source_rewind(struct source *src, struct fault *f)
{
	return source_back_to(src, 0, f);
}

/* Waits until a pipe has something, or somebody else has no use for it any more. */
static int wait_for_data(const struct source *src, struct fault *f)
{
	struct pollfd p = { .fd = src->fd, .events = POLLIN };

	while (src->stop && !src->seekable) {
		if (*src->stop)
			return fault_set(f, FAULT_IMAGE, "%s: is not read any further", src->name);
		if (poll(&p, 1, LOOK_UP_MS) != 0)
			break; /* also if it fails: reading will tell why */
	}
	return 0;
}

int source_read_some(struct source *src, void *buf, size_t len, size_t *got, struct fault *f)
{
	*got = 0;
	if (src->mtd)
		return source_mtd_read(src, buf, len, got, f);
	while (*got < len) {
		ssize_t n;

		if (wait_for_data(src, f) < 0)
			return -1;
		n = read(src->fd, (char *)buf + *got, len - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_errno(f, FAULT_IMAGE, "%s: cannot read at byte %" PRIu64,
					   src->name, src->pos + *got);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	src->pos += *got;
	return *got < len && src->verdict ? src->verdict(src->ctx, f) : 0;
}

int source_read(struct source *src, void *buf, size_t len, struct fault *f)
{
	size_t got;

	if (source_read_some(src, buf, len, &got, f) < 0)
		return -1;
	if (got < len)
		return fault_set(f, FAULT_IMAGE,
				 "%s: cut short: ends at byte %" PRIu64 ", %zu more were expected",
				 src->name, src->pos, len - got);
	return 0;
}

int source_expect_end(struct source *src, struct fault *f)
{
	uint64_t end = src->pos;
	size_t got;
	char extra;

	if (src->mtd)
		return 0;
	if (source_read_some(src, &extra, 1, &got, f) < 0)
		return -1;
	if (got > 0)
		return fault_set(f, FAULT_IMAGE,
				 "%s: goes on after byte %" PRIu64 ", where the image ends",
				 src->name, end);
	return 0;
}

void source_close(struct source *src)
{
	if (src->fd >= 0)
		(void)close(src->fd); /* read-only: nothing can be lost here */
	src->fd = -1;
	target_close(src->mtd);
	src->mtd = NULL;
}
