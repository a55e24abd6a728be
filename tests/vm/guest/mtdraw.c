// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mtdraw: single raw operations on an MTD device, without any of the care that flash tools take.
 *
 *	mtdraw erase DEVICE BLOCK [COUNT]	erase eraseblocks
 *	mtdraw write DEVICE OFFSET [SIZE]	program stdin, SIZE bytes per write (default: a page, NOR 512)
 *	mtdraw unlock DEVICE			unlock the whole device
 *	mtdraw bad DEVICE BLOCK			mark an eraseblock bad
 *
 * Stops at the first error with exit code 1.
 */

#include <errno.h>
#include <fcntl.h>
#include <mtd/mtd-user.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int fail(const char *what, unsigned long long where)
{
	fprintf(stderr, "mtdraw: %s at %llu: %s\n", what, where, strerror(errno));
	return 1;
}

static int erase(int fd, const struct mtd_info_user *mtd, unsigned long block, unsigned long count)
{
	for (; count--; block++) {
		struct erase_info_user64 what = {
			.start = (unsigned long long)block * mtd->erasesize,
			.length = mtd->erasesize,
		};

		if (ioctl(fd, MEMERASE64, &what) < 0)
			return fail("erase", block);
	}
	return 0;
}

static int program(int fd, unsigned long long offset, size_t size)
{
	char *buffer = malloc(size);
	size_t got;

	if (!buffer)
		return fail("no memory", offset);
	while ((got = fread(buffer, 1, size, stdin)) > 0) {
		if (pwrite(fd, buffer, got, offset) != (ssize_t)got)
			return fail("write", offset);
		offset += got;
	}
	free(buffer);
	return 0;
}

static int unlock(int fd, const struct mtd_info_user *mtd)
{
	struct erase_info_user all = { .start = 0, .length = mtd->size };

	return ioctl(fd, MEMUNLOCK, &all) < 0 ? fail("unlock", 0) : 0;
}

static int mark_bad(int fd, const struct mtd_info_user *mtd, unsigned long block)
{
	long long offset = (long long)block * mtd->erasesize;

	return ioctl(fd, MEMSETBADBLOCK, &offset) < 0 ? fail("mark bad", block) : 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	unsigned long where = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;
	unsigned long extra = argc > 4 ? strtoul(argv[4], NULL, 0) : 0;
	struct mtd_info_user mtd;
	int fd;

	if (argc < 3)
		goto usage;
	fd = open(argv[2], O_RDWR);
	if (fd < 0 || ioctl(fd, MEMGETINFO, &mtd) < 0)
		return fail(argv[2], 0);
	if (!strcmp(verb, "unlock"))
		return unlock(fd, &mtd);
	if (argc < 4)
		goto usage;
	if (!strcmp(verb, "erase"))
		return erase(fd, &mtd, where, extra ? extra : 1);
	if (!strcmp(verb, "write"))
		return program(fd, where, extra ? extra : mtd.writesize > 1 ? mtd.writesize : 512);
	if (!strcmp(verb, "bad"))
		return mark_bad(fd, &mtd, where);
usage:
	fputs("usage: mtdraw erase|write|unlock|bad DEVICE [WHERE [COUNT|SIZE]]\n", stderr);
	return 2;
}
