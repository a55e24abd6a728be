// SPDX-License-Identifier: GPL-2.0-or-later
#include "holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <unistd.h>

#include "files.h"
#include "mounts.h"
#include "procs.h"
#include "say.h"

/* Calls each for every path in /proc/swaps, which has a heading line. Returns the sum. */
static unsigned int each_swap(unsigned int (*each)(const char *path))
{
	char *text = file_read_text("/proc/swaps"), *rest = text, *line;
	unsigned int sum = 0;

	(void)strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, " \t")] = '\0';
		if (*line)
			sum += each(line);
	}
	free(text); /* a kernel without swap has no such file, and nothing to turn off */
	return sum;
}

static unsigned int one_swap_off(const char *path)
{
	return swapoff(path) == 0;
}

unsigned int holders_swap_off(void)
{
	return each_swap(one_swap_off);
}

/* Calls each with the number and the backing file of every attached loop device. */
static unsigned int each_loop(unsigned int (*each)(const char *name, const char *file))
{
	DIR *block = opendir("/sys/block");
	unsigned int sum = 0;
	struct dirent *e;

	if (!block)
		return 0; /* no block devices, no loops */
	while ((e = readdir(block))) {
		char path[128], file[512];

		if (strncmp(e->d_name, "loop", 4) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "/sys/block/%.32s/loop/backing_file", e->d_name);
		if (file_read_line(path, file, sizeof(file)) == 0)
			sum += each(e->d_name, file);
	}
	(void)closedir(block);
	return sum;
}

static unsigned int detach_one(const char *name, const char *file)
{
	char node[64];
	int fd;

	(void)snprintf(node, sizeof(node), "/dev/%.32s", name);
	fd = open(node, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say("%s: cannot open, to detach it from %s: %s", node, file, strerror(errno));
		return 0;
	}
	(void)ioctl(fd, LOOP_CLR_FD);
	(void)close(fd);
	/* It succeeds on a device in use, too, and then detaches it some time later, or never. */
	(void)snprintf(node, sizeof(node), "/sys/block/%.32s/loop/backing_file", name);
	return access(node, F_OK) < 0;
}

unsigned int holders_detach_loops(void)
{
	return each_loop(detach_one);
}

void holders_drop_in_flight(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) /* a kernel without such sockets has no files in them */
		(void)close(fd);
}

static unsigned int name_swap(const char *path)
{
	say("swap on %s is still in use", path);
	return 1;
}

static unsigned int name_loop(const char *name, const char *file)
{
	say("loop device %s still holds %s", name, file);
	return 1;
}

struct link_search {
	const char *dir;
	char last[256]; /* a program is mapped in several pieces */
	unsigned int found;
};

static void name_link(void *ctx, const struct process *p, const char *what, const char *to)
{
	struct link_search *s = ctx;

	if (!path_below(to, s->dir) || strcmp(to, s->last) == 0)
		return;
	(void)snprintf(s->last, sizeof(s->last), "%s", to);
	say("process %d (%s) holds %s as its %s", (int)p->pid, p->name, to, what);
	s->found++;
}

static void name_links(void *ctx, const struct process *p)
{
	struct link_search *s = ctx;

	s->last[0] = '\0';
	if (!p->kernel_thread && process_links_each("/proc", p, name_link, s) < 0)
		say("process %d (%s): cannot see what it holds: %s", (int)p->pid, p->name,
		    strerror(errno));
}

unsigned int holders_name(const char *dir)
{
	struct link_search s = { .dir = dir };

	if (processes_each("/proc", name_links, &s) < 0)
		say("cannot look for open files: no /proc");
	return s.found + each_swap(name_swap) + each_loop(name_loop);
}
