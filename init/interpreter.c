// SPDX-License-Identifier: GPL-2.0-or-later
#include "interpreter.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The two classes of ELF, by what stands where; a foreign byte order is not for this machine. */
static const struct layout {
	size_t phoff, phentsize, phnum; /* in the file's header */
	size_t offset, filesz;          /* in a program header */
	size_t word;                    /* bytes of an offset */
} layouts[] = {
	{ 28, 42, 44, 4, 16, 4 },
	{ 32, 54, 56, 8, 32, 8 },
};

static uint64_t number(const unsigned char *at, size_t size)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	memcpy(&two, at, sizeof(two));
	memcpy(&four, at, sizeof(four));
	memcpy(&eight, at, sizeof(eight));
	return size == 2 ? two : size == 4 ? four : eight;
}

static bool read_at(int fd, void *to, size_t size, uint64_t at)
{
	return pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

static int bad(void)
{
	errno = ENOEXEC;
	return -1;
}

static int read_path(int fd, const struct layout *l, const unsigned char *header, char *to,
		     size_t size)
{
	uint64_t len = number(header + l->filesz, l->word);

	if (len < 2 || len > size || !read_at(fd, to, len, number(header + l->offset, l->word)) ||
	    to[len - 1])
		return bad();
	return 1;
}

static int of_elf(int fd, const unsigned char *start, char *to, size_t size)
{
	const struct layout *l = &layouts[start[EI_CLASS] == ELFCLASS64];
	uint64_t at = number(start + l->phoff, l->word);
	uint64_t count = number(start + l->phnum, 2);
	unsigned char header[64];

	for (; count > 0; count--, at += number(start + l->phentsize, 2)) {
		if (!read_at(fd, header, l->filesz + 16, at))
			return bad();
		if (number(header, 4) == PT_INTERP)
			return read_path(fd, l, header, to, size);
	}
	return 0;
}

/* #! /bin/sh -x */
static int of_script(const char *line, char *to, size_t size)
{
	size_t len;

	line += 2 + strspn(line + 2, " \t");
	len = strcspn(line, " \t\n");
	if (len == 0 || len >= size)
		return bad();
	memcpy(to, line, len);
	to[len] = '\0';
	return 1;
}

int interpreter_find(const char *path, char *interpreter, size_t size)
{
	unsigned char start[257] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC), result = 0, err;
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, start, sizeof(start) - 1);
	if (len < 0)
		result = -1;
	else if (memcmp(start, "#!", 2) == 0)
		result = of_script((char *)start, interpreter, size);
	else if (len >= 64 && memcmp(start, ELFMAG, SELFMAG) == 0)
		result = of_elf(fd, start, interpreter, size);
	err = errno;
	(void)close(fd); /* nothing was written */
	errno = err;
	return result;
}
