// SPDX-License-Identifier: GPL-2.0-or-later
#include "procs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "number.h"

#define PF_KTHREAD 0x00200000u /* of include/linux/sched.h; the ninth field of stat has it */

/* Fields of /proc/PID/stat behind the name: the state, five numbers, and the flags. */
enum {
	FIELDS_TO_FLAGS = 6,
	STAT_START = 512, /* bytes: the name has 64 at most, and each number 20 */
};

bool process_parse(struct process *p, const char *stat)
{
	/* The name may hold blanks and parentheses: it ends at the last one. */
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	const char *field = close;
	size_t len;

	if (!open || !close || close < open)
		return false;
	len = (size_t)(close - open - 1);
	if (len >= sizeof(p->name))
		len = sizeof(p->name) - 1;
	memcpy(p->name, open + 1, len);
	p->name[len] = '\0';
	p->pid = (pid_t)number_at(stat);
	for (int i = 0; i <= FIELDS_TO_FLAGS; i++) {
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
		if (i == 0)
			p->state = *field;
	}
	p->kernel_thread = number_at(field) & PF_KTHREAD;
	return p->pid > 0;
}

uint64_t process_status(const char *proc_pid, const char *name, uint64_t unknown)
{
	char path[64], *status, *at;

	(void)snprintf(path, sizeof(path), "%s/status", proc_pid);
	status = file_read_text(path);
	at = status ? strstr(status, name) : NULL;
	if (at)
		unknown = number_read(at + strlen(name), 16, NULL);
	free(status);
	return unknown;
}

struct links {
	const char *proc;
	const struct process *p;
	void (*each)(void *ctx, const struct process *p, const char *what, const char *to);
	void *ctx;
	int err; /* of what could not be read */
};

/* What was listed a moment ago may have ended since. */
static int unless_gone(void)
{
	return errno == ENOENT || errno == ESRCH ? 0 : errno;
}

/* Returns 0 or errno. */
static int one_link(const struct links *l, const char *what)
{
	char path[128], to[512];
	ssize_t len;

	(void)snprintf(path, sizeof(path), "%.64s/%d/%.48s", l->proc, (int)l->p->pid, what);
	len = readlink(path, to, sizeof(to) - 1);
	if (len < 0 && errno == ENAMETOOLONG)
		return 0; /* no node lies so deep */
	if (len < 0)
		return unless_gone();
	to[len] = '\0';
	l->each(l->ctx, l->p, what, to);
	return 0;
}

/* Returns 0 or errno. */
static int all_in(const struct links *l, const char *folder)
{
	char path[128];
	struct dirent *e;
	int err = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%.64s/%d/%s", l->proc, (int)l->p->pid, folder);
	dir = opendir(path);
	if (!dir)
		return unless_gone();
	while (err == 0 && (errno = 0, e = readdir(dir))) {
		char what[64];

		(void)snprintf(what, sizeof(what), "%s/%.40s", folder, e->d_name);
		if (e->d_name[0] != '.')
			err = one_link(l, what);
	}
	if (err == 0 && errno)
		err = unless_gone();
	(void)closedir(dir);
	return err;
}

/* Returns 0 or errno. */
static int one_process(const char *proc, const char *pid,
		       void (*each)(void *ctx, const struct process *p), void *ctx)
{
	char path[64], stat[STAT_START];
	struct process p;

	(void)snprintf(path, sizeof(path), "%s/%.16s/stat", proc, pid);
	/* The name in it may hold line ends, too. */
	if (file_read_start(path, stat, sizeof(stat)) < 0)
		return unless_gone();
	if (process_parse(&p, stat))
		each(ctx, &p);
	return 0;
}

int processes_each(const char *proc, void (*each)(void *ctx, const struct process *p), void *ctx)
{
	DIR *dir = opendir(proc);
	int err = 0, seen;
	struct dirent *e;

	if (!dir)
		return -1;
	/* Who cannot be looked at keeps nobody from looking at the others. */
	while ((errno = 0, e = readdir(dir))) {
		seen = isdigit((unsigned char)e->d_name[0])
			       ? one_process(proc, e->d_name, each, ctx)
			       : 0;
		err = seen ? seen : err;
	}
	err = errno ? errno : err;
	(void)closedir(dir);
	errno = err;
	return err ? -1 : 0;
}

int threads_each(const char *proc, const struct process *p,
		 void (*each)(void *ctx, const struct process *thread), void *ctx)
{
	char tasks[128];

	(void)snprintf(tasks, sizeof(tasks), "%.64s/%d/task", proc, (int)p->pid);
	if (processes_each(tasks, each, ctx) == 0)
		return 0;
	errno = unless_gone();
	return errno ? -1 : 0;
}

static void links_of_thread(void *ctx, const struct process *thread)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	struct links *l = ctx;
	int err = 0;

	l->p = thread;
	for (size_t i = 0; err == 0 && i < sizeof(links) / sizeof(*links); i++)
		err = one_link(l, links[i]);
	if (err == 0)
		err = all_in(l, "fd");
	if (err == 0)
		err = all_in(l, "map_files"); /* comes with Linux 3.3, sometimes with 4.3 only */
	l->err = err ? err : l->err;
}

int process_links_each(const char *proc, const struct process *p,
		       void (*each)(void *ctx, const struct process *p, const char *what,
				    const char *to),
		       void *ctx)
{
	struct links l = { .proc = proc, .each = each, .ctx = ctx };

	if (threads_each(proc, p, links_of_thread, &l) < 0)
		return -1;
	errno = l.err;
	return l.err ? -1 : 0;
}
