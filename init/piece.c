// SPDX-License-Identifier: GPL-2.0-or-later
#include "piece.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files.h"
#include "procs.h"

enum { LOOKS = 20, BETWEEN_MS = 100 };

/* Whether the word is name, or name with what the kernel adds where the node was removed. */
static bool is_name(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 &&
	       (word[len] == '\0' || strcmp(word + len, " (deleted)") == 0);
}

/* A mount's source, a swap area or a loop's backing file: a path, or a word of MTD's or UBI's. */
static bool names_piece(const struct piece *p, const char *source)
{
	const char *base = strrchr(source, '/');

	base = base ? base + 1 : source;
	for (int i = 0; i < PIECE_NAMES_MAX; i++)
		if (*p->name[i] && is_name(strchr(p->name[i], ':') ? source : base, p->name[i]))
			return true;
	return false;
}

static int not_mounted(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	for (size_t i = 0; i < view->mounts->count; i++) {
		const struct mount *m = &view->mounts->mount[i];

		if (view->will_go && mounts_contain(view->will_go, m))
			continue;
		/* JFFS2 and CRAMFS on MTD take the number of the block device, too, for stat(2). */
		if ((p->major && m->major == p->major && m->minor == p->minor) ||
		    names_piece(p, m->source))
			return fault_set(f, FAULT_BUSY, "%s is in use: mounted on %s (%s, %s)%s",
					 p->what, m->point, m->type, m->source,
					 strcmp(m->point, "/") == 0 ? ""
								    : "; \"umount\" ends that");
	}
	return 0;
}

/*
 * A file system that was lazily unmounted is in no mount table, but whoever has mounted a block
 * device has it for himself.
 */
static int not_taken(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	char path[PATH_MAX];
	int fd;

	if (!view->dev || !p->node)
		return 0;
	(void)snprintf(path, sizeof(path), "%.512s/%s", view->dev, p->node);
	fd = open(path, p->node_flags | O_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
	else if (errno == EBUSY)
		return fault_set(f, FAULT_BUSY, "%s is in use: something has taken %s for itself",
				 p->what, path);
	else if (p->node_is_there)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot tell whether it is in use", path);
	return 0;
}

static int not_swapped_to(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	char *text = file_read_text(view->swaps), *rest = text, *line;
	int result = 0;

	if (!text && errno != ENOENT)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", view->swaps);
	while (result == 0 && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, " \t")] = '\0';
		if (names_piece(p, line))
			result = fault_set(f, FAULT_BUSY,
					   "%s is in use: swap on %s; \"swapoff\" ends that",
					   p->what, line);
	}
	free(text);
	return result;
}

/* Whether an entry of a folder in sysfs holds the piece: 1, or 0, or -1 with the fault. */
static int holds(const char *entry, const char *attribute,
		 bool (*used)(const struct piece *p, const char *text), const struct piece *p,
		 struct fault *f)
{
	char path[512], text[512];

	(void)snprintf(path, sizeof(path), "%.400s/%.64s", entry, attribute);
	if (file_read_line(path, text, sizeof(text)) == 0)
		return used(p, text);
	if (errno != ENOENT && errno != ENOTDIR)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", path);
	return 0;
}

int piece_not_held(const struct proof_view *view, const char *folder, const char *attribute,
		   bool (*used)(const struct piece *p, const char *text), const struct piece *p,
		   const char *remedy, struct fault *f)
{
	char path[512], entry[512];
	struct dirent *e;
	DIR *dir;
	int held = 0;

	(void)snprintf(path, sizeof(path), "%.256s/%.128s", view->sys, folder);
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return fault_errno(f, FAULT_FAILED, "%s: cannot list", path);
	while (held == 0 && dir && (errno = 0, e = readdir(dir))) {
		(void)snprintf(entry, sizeof(entry), "%.400s/%.64s", path, e->d_name);
		if (attribute)
			held = holds(entry, attribute, used, p, f);
		else
			held = e->d_name[0] != '.';
		if (held > 0)
			(void)fault_set(f, FAULT_BUSY, "%s is in use: %s holds it%s%s%s", p->what,
					e->d_name, remedy ? "; \"" : "", remedy ? remedy : "",
					remedy ? "\" ends that" : "");
	}
	/* A list that broke off proves nothing. */
	if (held == 0 && dir && errno)
		held = fault_errno(f, FAULT_FAILED, "%s: cannot list", path);
	if (dir)
		(void)closedir(dir);
	return held ? -1 : 0;
}

struct search {
	const char *proc;
	const struct piece *piece;
	bool found; /* a use, or a process that does not show whether it is one */
	struct fault *f;
};

/* A node may have any name, and lie anywhere, or have been removed. */
static bool is_node(const struct search *s, const struct process *p, const char *what)
{
	const struct piece *piece = s->piece;
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%.64s/%d/%.48s", s->proc, (int)p->pid, what);
	if (stat_cached(path, &st) < 0)
		return false; /* it has been closed */
	if (S_ISBLK(st.st_mode))
		return piece->major && major(st.st_rdev) == piece->major &&
		       minor(st.st_rdev) == piece->minor;
	return S_ISCHR(st.st_mode) && piece->char_major && major(st.st_rdev) == piece->char_major &&
	       minor(st.st_rdev) >= piece->char_first && minor(st.st_rdev) <= piece->char_last;
}

static void look_at_link(void *ctx, const struct process *p, const char *what, const char *to)
{
	struct search *s = ctx;

	if (s->found || *to != '/') /* a pipe, a socket */
		return;
	/* A copy of the flash in a file may have the name of the node. */
	if (!(strstr(to, "/dev/") && names_piece(s->piece, to)) && !is_node(s, p, what))
		return;
	s->found = true;
	(void)fault_set(s->f, FAULT_BUSY, "%s is in use: process %d (%s) has %s open (%s)",
			s->piece->what, (int)p->pid, p->name, to, what);
}

static void look_at_process(void *ctx, const struct process *p)
{
	struct search *s = ctx;

	if (s->found || p->kernel_thread || process_links_each(s->proc, p, look_at_link, ctx) == 0)
		return;
	if (s->found)
		return;
	s->found = true;
	(void)fault_errno(s->f, FAULT_UNFIT, "cannot see what process %d (%s) has open",
			  (int)p->pid, p->name);
}

static int not_open_now(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	struct search s = { .proc = view->proc, .piece = p, .f = f };

	if (processes_each(view->proc, look_at_process, &s) < 0 && !s.found)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot list the processes", view->proc);
	return s.found ? -1 : 0;
}

/* udev looks at a block device for a moment whenever somebody has written to it. */
static int not_open(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	int result = view->proc ? not_open_now(view, p, f) : 0;

	for (int n = 1; result < 0 && f->kind == FAULT_BUSY && n < LOOKS; n++) {
		(void)poll(NULL, 0, BETWEEN_MS);
		result = not_open_now(view, p, f);
	}
	return result;
}

int piece_free(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	if (not_mounted(view, p, f) < 0)
		return -1;
	if (view->will_go)
		return 0;
	if (not_swapped_to(view, p, f) < 0 ||
	    piece_not_held(view, "block", "loop/backing_file", names_piece, p, "losetup -d", f) <
		    0 ||
	    not_open(view, p, f) < 0)
		return -1;
	/* The least telling answer comes last. */
	return not_taken(view, p, f);
}
