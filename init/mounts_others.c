// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "mounts.h"
#include "procs.h"

enum { VIEWS_MAX = 32 }; /* with more than that some tables are read more than once */

/* What a mountinfo shows depends on the namespace and on the root in it. */
struct view {
	char namespace[32];
	dev_t dev;
	ino_t ino;
};

struct collection {
	const char *proc;
	struct view view[VIEWS_MAX];
	unsigned int views;
	char *text; /* the tables, one behind the other */
	size_t size;
	bool init; /* the table of PID 1 is among them */
	int err;   /* of what could not be read */
};

static bool has_gone(void)
{
	/* EINVAL: mountinfo of a process that has no namespace any more */
	return errno == ENOENT || errno == ESRCH || errno == EINVAL;
}

/* Finds out what view of the mounts a process has. Returns 0, or -1 with errno. */
static int find_view(struct view *v, const char *process)
{
	char path[128];
	struct stat root;
	ssize_t len;

	memset(v, 0, sizeof(*v));
	(void)snprintf(path, sizeof(path), "%s/ns/mnt", process);
	len = readlink(path, v->namespace, sizeof(v->namespace) - 1);
	if (len < 0 && !has_gone()) /* a kernel without namespaces has but one */
		return -1;
	(void)snprintf(path, sizeof(path), "%s/root", process);
	if (stat_cached(path, &root) < 0)
		return -1;
	v->dev = root.st_dev;
	v->ino = root.st_ino;
	return 0;
}

/* Whether a view is new; then it is kept. */
static bool is_new(struct collection *c, const struct view *v)
{
	for (unsigned int i = 0; i < c->views; i++)
		if (memcmp(&c->view[i], v, sizeof(*v)) == 0)
			return false;
	if (c->views < VIEWS_MAX)
		c->view[c->views++] = *v;
	return true;
}

/* Appends a table. Returns 0, or -1 with errno. */
static int append(struct collection *c, const char *process)
{
	char path[128], *table, *grown;
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/mountinfo", process);
	table = file_read_bytes(path, &size);
	grown = table ? realloc(c->text, c->size + size + 1) : NULL;
	if (grown) {
		memcpy(grown + c->size, table, size + 1);
		c->text = grown;
		c->size += size;
	}
	free(table);
	return grown ? 0 : -1;
}

static void collect_thread(void *ctx, const struct process *p)
{
	struct collection *c = ctx;
	char process[80];
	struct view v;
	int result;

	(void)snprintf(process, sizeof(process), "%.64s/%d", c->proc, (int)p->pid);
	result = find_view(&v, process);
	if (result == 0 && is_new(c, &v))
		result = append(c, process);
	if (result == 0 && p->pid == 1)
		c->init = true;
	if (result < 0 && !has_gone())
		c->err = errno;
}

static void collect(void *ctx, const struct process *p)
{
	struct collection *c = ctx;

	/* Kernel threads are in the first namespace, or have one without flash. */
	if (!p->kernel_thread && threads_each(c->proc, p, collect_thread, c) < 0)
		c->err = errno;
}

static int read_tables(struct collection *c, struct fault *f)
{
	int result = processes_each(c->proc, collect, c);

	if (result == 0 && c->err == 0 && c->init)
		return 0;
	if (result == 0)
		errno = c->err ? c->err : ENOENT;
	return fault_errno(f, FAULT_UNFIT, "%s: cannot see what is mounted for all processes",
			   c->proc);
}

/* Takes over the text. */
static int add(struct mount_table *t, char *text, struct fault *f)
{
	struct mount_table others;
	struct mount *grown = NULL;

	if (mounts_parse(&others, text, f) == 0) {
		grown = realloc(t->mount, (t->count + others.count + 1) * sizeof(*grown));
		if (!grown)
			(void)fault_errno(f, FAULT_FAILED, "no memory for the mount table");
	}
	if (!grown) {
		mounts_free(&others);
		return -1;
	}
	memcpy(grown + t->count, others.mount, others.count * sizeof(*grown));
	t->mount = grown;
	t->count += others.count;
	t->others = others.text;
	free(others.mount);
	return 0;
}

int mounts_add_others(struct mount_table *t, const char *proc, struct fault *f)
{
	struct collection c = { .proc = proc };

	if (read_tables(&c, f) == 0)
		return add(t, c.text, f);
	free(c.text);
	return -1;
}

int mounts_read_own(struct mount_table *t, struct fault *f)
{
	const struct mount *root;

	if (mounts_read(t, "/proc/self/mountinfo", f) < 0)
		return -1;
	root = mounts_root(t);
	if (root && strcmp(root->type, "rootfs") == 0)
		return 0;
	mounts_free(t);
	return mounts_read_all(t, f);
}
