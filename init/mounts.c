// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "files.h"

enum { SERVER_MS = 3000 }; /* for one that lives to answer when it is unmounted */

/* Decodes the \040 and the like that stand for blanks in mountinfo. In place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/*
 * 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 * id parent maj:min root point options optional... - type source super-options
 */
static bool parse_line(struct mount *m, char *line)
{
	char *field[6], *rest = strstr(line, " - ");
	char *type, *source;

	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	for (int i = 0; i < 6; i++)
		if (!(field[i] = strsep(&line, " ")))
			return false;
	type = strsep(&rest, " ");
	source = strsep(&rest, " ");
	if (!source || !rest || !device_number(field[2], &m->major, &m->minor))
		return false;
	unescape(field[4]);
	unescape(source);
	unescape(rest);
	m->point = field[4];
	m->type = type;
	m->source = source;
	m->super_options = rest;
	return true;
}

int mounts_parse(struct mount_table *t, char *text, struct fault *f)
{
	size_t lines = 1;
	char *rest = text, *line, whole[160];

	memset(t, 0, sizeof(*t));
	t->text = text;
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	t->mount = calloc(lines, sizeof(*t->mount));
	if (!t->mount)
		return fault_errno(f, FAULT_FAILED, "no memory for the mount table");
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		(void)snprintf(whole, sizeof(whole), "%s", line); /* parsing takes it apart */
		if (!parse_line(&t->mount[t->count], line))
			return fault_set(f, FAULT_FAILED,
					 "the mount table has a line that makes no "
					 "sense: \"%s\"",
					 whole);
		t->count++;
	}
	return 0;
}

int mounts_read(struct mount_table *t, const char *path, struct fault *f)
{
	char *text = file_read_text(path);

	memset(t, 0, sizeof(*t));
	if (!text)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read the mount table", path);
	return mounts_parse(t, text, f);
}

/* Appends a file's text to an open one. */
static int append(int to, int from)
{
	char *text = from < 0 ? NULL : file_read_fd(from);
	int result = text ? fd_write(to, text, strlen(text)) : -1;

	free(text);
	return result;
}

/*
 * Takes the root off, enters the namespace anew, which puts us on what was below, and appends what
 * can be reached from there. 1: done, 0: there is nothing below, -1: it cannot be seen.
 */
static int show_below(int to, int proc, int ns)
{
	if (umount2("/", MNT_DETACH) < 0)
		return errno == EINVAL ? 0 : -1; /* the initial ramfs stays */
	if (setns(ns, CLONE_NEWNS) < 0 ||
	    append(to, openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	return 1;
}

/*
 * mountinfo shows what can be reached from the root. So after it comes that of a mount namespace of
 * our own, in which the root is taken off, root by root. The copies of the mounts die with this
 * process, and nobody else sees any of it.
 */
static int show_all(int to)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ns, more;

	if (proc < 0 || append(to, openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC)) < 0 ||
	    unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (ns < 0 || show_below(to, proc, ns) <= 0)
		return 1;
	do {
		more = show_below(to, proc, ns);
	} while (more > 0);
	return more < 0;
}

/* The child has copies of the mounts: they must be gone before anything is to come free. */
static bool ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return status == 0;
}

int mounts_read_all(struct mount_table *t, struct fault *f)
{
	char *text;
	int ends[2];
	pid_t pid;

	memset(t, 0, sizeof(*t));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, FAULT_FAILED, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		_exit(show_all(ends[1]));
	(void)close(ends[1]);
	text = pid < 0 ? NULL : file_read_fd(ends[0]);
	(void)close(ends[0]);
	if (pid < 0 || !ended_well(pid) || !text) {
		free(text);
		return fault_set(
			f, FAULT_UNFIT,
			"cannot see the mounts that / is mounted over, which takes a kernel with "
			"mount namespaces");
	}
	return mounts_parse(t, text, f);
}

const struct mount *mounts_root(const struct mount_table *t)
{
	for (size_t i = t->count; i > 0; i--)
		if (strcmp(t->mount[i - 1].point, "/") == 0)
			return &t->mount[i - 1];
	return NULL;
}

bool mounts_contain(const struct mount_table *t, const struct mount *m)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->mount[i].major == m->major && t->mount[i].minor == m->minor)
			return true;
	return false;
}

void mounts_free(struct mount_table *t)
{
	free(t->mount);
	free(t->text);
	free(t->others);
	memset(t, 0, sizeof(*t));
}

bool path_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* A file system whose server, a process or a machine, may have gone. None of these holds flash. */
static bool has_server(const char *type)
{
	static const char *const types[] = { "fuse", "nfs", "cifs",   "smb",     "9p",
					     "ceph", "afs", "autofs", "virtiofs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strncmp(type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

/* Whether it has a server, or the way to it leads over one that has. */
static bool may_hang(const struct mount_table *t, const struct mount *m)
{
	for (size_t i = 0; i < t->count; i++)
		if (has_server(t->mount[i].type) && path_below(m->point, t->mount[i].point))
			return true;
	return false;
}

/* Never MNT_DETACH: a lazy unmount hides a file system that still uses the flash. */
static int unmount(const struct mount *m, int flags, struct fault *f)
{
	if (umount2(m->point, UMOUNT_NOFOLLOW | flags) == 0)
		return 0;
	return fault_errno(f, FAULT_BUSY, "cannot unmount %s (%s, %s)", m->point, m->type,
			   m->source);
}

static int run_unmount(void *ctx, int reports, struct fault *f)
{
	(void)reports;
	return unmount(ctx, 0, f);
}

static int run_force(void *ctx, int reports, struct fault *f)
{
	(void)reports;
	return unmount(ctx, MNT_FORCE, f);
}

/*
 * What waits for a server waits for ever: with a time limit, and then by force, which ends all
 * requests that wait, those of the first attempt, too.
 */
static int unmount_within_limits(struct mount *m, struct fault *f)
{
	struct child_work work = {
		.name = m->point,
		.run = run_unmount,
		.ctx = m,
		.stall_ms = SERVER_MS,
	};
	struct fault without_force;

	if (child_run(&work, &without_force) == CHILD_SUCCEEDED)
		return 0;
	work.run = run_force;
	return child_run(&work, f) == CHILD_SUCCEEDED ? 0 : -1;
}

int mounts_unmount_pass(const char *dir, unsigned int *gone, unsigned int *left, struct fault *f)
{
	struct mount_table t;
	int result = mounts_read(&t, "/proc/self/mountinfo", f);

	*gone = 0;
	*left = 0;
	for (size_t i = t.count; result == 0 && i > 0; i--) {
		struct mount *m = &t.mount[i - 1];
		struct fault why = { 0 };

		if (!path_below(m->point, dir))
			continue;
		if ((may_hang(&t, m) ? unmount_within_limits(m, &why) : unmount(m, 0, &why)) == 0)
			(*gone)++;
		else if ((*left)++ == 0)
			*f = why; /* those after it may be busy because of it */
	}
	mounts_free(&t);
	return result;
}
