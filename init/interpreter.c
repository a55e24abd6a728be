// SPDX-License-Identifier: GPL-2.0-or-later
#include "interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static bool read_at(int fd, void *to, size_t size, uint64_t at)
{
	return pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

static int bad(void)
{
	errno = ENOEXEC;
	return -1;
}

static int read_path(int fd, const ElfW(Phdr) * segment, char *to, size_t size)
{
	size_t len = segment->p_filesz;

	if (len < 2 || len > size || !read_at(fd, to, len, segment->p_offset) || to[len - 1])
		return bad();
	return 1;
}

/* One of another class is refused: better than to be taken along without what it needs. */
static int of_elf(int fd, const ElfW(Ehdr) * header, char *to, size_t size)
{
	uint64_t at = header->e_phoff;
	ElfW(Phdr) segment;

	if (header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return bad();
	for (int i = 0; i < header->e_phnum; i++, at += header->e_phentsize) {
		if (!read_at(fd, &segment, sizeof(segment), at))
			return bad();
		if (segment.p_type == PT_INTERP)
			return read_path(fd, &segment, to, size);
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
	union {
		ElfW(Ehdr) elf;
		char text[257];
	} start;
	int fd = open(path, O_RDONLY | O_CLOEXEC), result = 0, err;
	ssize_t len;

	if (fd < 0)
		return -1;
	memset(&start, 0, sizeof(start));
	len = read(fd, start.text, sizeof(start.text) - 1);
	if (len < 0)
		result = -1;
	else if (memcmp(start.text, "#!", 2) == 0)
		result = of_script(start.text, interpreter, size);
	else if (len >= (ssize_t)sizeof(start.elf) && memcmp(start.text, ELFMAG, SELFMAG) == 0)
		result = of_elf(fd, &start.elf, interpreter, size);
	err = errno;
	(void)close(fd); /* nothing was written */
	errno = err;
	return result;
}
