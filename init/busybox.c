// SPDX-License-Identifier: GPL-2.0-or-later
#include "busybox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

/* The banner's first words, in every BusyBox since 2001; a digit follows. */
static const char banner[] = "BusyBox v";

/* Returns the banner's version in the program's bytes, or NULL. */
static const char *find_version(const char *program, size_t size)
{
	enum { LEN = sizeof(banner) - 1, VERSION_MAX = 16 };
	const char *at = program, *end = program + size;

	/* Not memmem(): a C library's is made for other things, and 1 KB. */
	while ((at = memchr(at, banner[0], (size_t)(end - at)))) {
		if (end - at > LEN + VERSION_MAX && memcmp(at, banner, LEN) == 0 &&
		    at[LEN] >= '0' && at[LEN] <= '9')
			return at + LEN - 1;
		at++;
	}
	return NULL;
}

static void copy_version(char *to, size_t size, const char *from, const char *end)
{
	size_t len = 0;

	while (len < size - 1 && from + len < end && from[len] && strchr("v0123456789.", from[len]))
		len++;
	memcpy(to, from, len);
	to[len] = '\0';
}

int busybox_recognize(const char *exe, char *version, size_t size, struct fault *f)
{
	int fd = open(exe, O_RDONLY | O_CLOEXEC);
	const char *program = MAP_FAILED, *found = NULL;
	char name[256];
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot see what PID 1 is: %s", exe);
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		program = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (program == MAP_FAILED)
		return fault_errno(f, FAULT_UNFIT, "cannot read the program of PID 1: %s", exe);
	found = find_version(program, (size_t)st.st_size);
	if (found)
		copy_version(version, size, found, program + st.st_size);
	(void)munmap((void *)(uintptr_t)program, (size_t)st.st_size);
	if (found)
		return 0;
	len = readlink(exe, name, sizeof(name) - 1);
	name[len > 0 ? len : 0] = '\0';
	return fault_set(f, FAULT_UNFIT, "PID 1 is %s, not BusyBox init: cannot take over from it",
			 name);
}

int busybox_is_init(const char *proc_pid, char *version, size_t size, struct fault *f)
{
	char path[64], name[64];
	const char *base;

	(void)snprintf(path, sizeof(path), "%s/exe", proc_pid);
	if (busybox_recognize(path, version, size, f) < 0)
		return -1;
	/* Its init cuts its own command line down to "init"; the kernel may have said linuxrc. */
	(void)snprintf(path, sizeof(path), "%s/cmdline", proc_pid);
	if (file_read_line(path, name, sizeof(name)) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot see what PID 1 is: %s", path);
	base = strrchr(name, '/');
	base = base ? base + 1 : name;
	if (strcmp(base, "init") == 0 || strcmp(base, "linuxrc") == 0)
		return 0;
	return fault_set(f, FAULT_UNFIT, "PID 1 is BusyBox %s as \"%s\", not as init", version,
			 name);
}
