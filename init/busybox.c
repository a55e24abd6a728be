// SPDX-License-Identifier: GPL-2.0-or-later
#include "busybox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "procs.h"

/* The banner's first words, in every BusyBox since 2001; a digit follows. */
static const char banner[] = "BusyBox v";

/*
 * What it reads, with the NUL behind it: the linker may have merged it with the end of "reloading
 * /etc/inittab"; in the usage, which tells that it is not read, other characters follow.
 */
static const char inittab[] = "/etc/inittab";

/* A program in memory. */
struct program {
	const char *start, *end;
};

/* Returns where the bytes are next, or NULL. Not memmem(): a C library's is 1 KB, for other things. */
static const char *find(const char *at, const char *end, const char *what, size_t len)
{
	while ((at = memchr(at, what[0], (size_t)(end - at)))) {
		if ((size_t)(end - at) >= len && memcmp(at, what, len) == 0)
			return at;
		at++;
	}
	return NULL;
}

/* Returns the banner's version in the program's bytes, or NULL. */
static const char *find_version(const struct program *p)
{
	enum { LEN = sizeof(banner) - 1, VERSION_MAX = 16 };
	const char *at = p->start;

	for (; (at = find(at, p->end, banner, LEN)); at++)
		if (p->end - at > LEN + VERSION_MAX && at[LEN] >= '0' && at[LEN] <= '9')
			return at + LEN - 1;
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

static bool map(struct program *p, const char *exe, struct fault *f)
{
	int fd = open(exe, O_RDONLY | O_CLOEXEC);
	void *program = MAP_FAILED;
	struct stat st;

	if (fd < 0) {
		(void)fault_errno(f, FAULT_UNFIT, "cannot see what PID 1 is: %s", exe);
		return false;
	}
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		program = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (program == MAP_FAILED) {
		(void)fault_errno(f, FAULT_UNFIT, "cannot read the program of PID 1: %s", exe);
		return false;
	}
	p->start = program;
	p->end = p->start + st.st_size;
	return true;
}

static void unmap(const struct program *p)
{
	(void)munmap((void *)(uintptr_t)p->start, (size_t)(p->end - p->start));
}

int busybox_recognize(const char *exe, char *version, size_t size, struct fault *f)
{
	struct program p;
	const char *found;
	char name[256];
	ssize_t len;

	if (!map(&p, exe, f))
		return -1;
	found = find_version(&p);
	if (found)
		copy_version(version, size, found, p.end);
	unmap(&p);
	if (found)
		return 0;
	len = readlink(exe, name, sizeof(name) - 1);
	name[len > 0 ? len : 0] = '\0';
	return fault_set(
		f, FAULT_UNFIT,
		"PID 1 is %s, not BusyBox init; if no other method fits it, there is --via ptrace",
		name);
}

int program_has(const char *exe, const char *what, size_t size, bool *has, struct fault *f)
{
	struct program p;

	if (!map(&p, exe, f))
		return -1;
	*has = find(p.start, p.end, what, size);
	unmap(&p);
	return 0;
}

int busybox_reads_inittab(const char *exe, bool *reads, struct fault *f)
{
	return program_has(exe, inittab, sizeof(inittab), reads, f);
}

/* Whether a signal is not in a set, "SigCgt:\t0000000000014007". False if nothing is known. */
static bool not_in(const char *proc_pid, const char *set, int signal)
{
	return !(process_status(proc_pid, set, UINT64_MAX) >> (signal - 1) & 1);
}

bool busybox_waits_for_signals(const char *proc_pid)
{
	return not_in(proc_pid, "SigCgt:", SIGQUIT);
}

bool busybox_took_signal(const char *proc_pid)
{
	return not_in(proc_pid, "ShdPnd:", SIGCHLD);
}

/*
 * Without an inittab its defaults have an entry to restart as "init", in every version since 1.00,
 * and the RAM root's is us. But whether it will take a QUIT must be known, too.
 */
static int check_handover(const char *proc_pid, const char *version, struct fault *f)
{
	char path[64];
	bool reads;

	(void)snprintf(path, sizeof(path), "%s/exe", proc_pid);
	if (busybox_reads_inittab(path, &reads, f) < 0)
		return -1;
	if (reads || busybox_waits_for_signals(proc_pid))
		return 0;
	return fault_set(f, FAULT_UNFIT,
			 "PID 1 is BusyBox %s, built without support for an inittab, and too old "
			 "(before 1.32) to be asked whether it is ready",
			 version);
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
		return check_handover(proc_pid, version, f);
	return fault_set(f, FAULT_UNFIT, "PID 1 is BusyBox %s as \"%s\", not as init", version,
			 name);
}
