// SPDX-License-Identifier: GPL-2.0-or-later
#include "proof.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "mtd_map.h"

enum { MTD_BLOCK_MAJOR = 31 };

struct piece { /* of flash, and the names it goes by */
	int number;
	const char *name;
	char mtd[16];      /* mtd3 */
	char mtdblock[24]; /* mtdblock3 */
	char by_name[80];  /* mtd:rootfs */
};

static struct piece name_piece(const struct mtd_place *place)
{
	struct piece p = { .number = place->number, .name = place->name };

	(void)snprintf(p.mtd, sizeof(p.mtd), "mtd%d", p.number);
	(void)snprintf(p.mtdblock, sizeof(p.mtdblock), "mtdblock%d", p.number);
	(void)snprintf(p.by_name, sizeof(p.by_name), "mtd:%s", p.name);
	return p;
}

/* Whether the word is name, or name with what the kernel adds where the node was removed. */
static bool is_name(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 &&
	       (word[len] == '\0' || strcmp(word + len, " (deleted)") == 0);
}

/* A mount's source, a swap area or a loop's backing file: a path or one of MTD's own words. */
static bool names_piece(const struct piece *p, const char *source)
{
	const char *base = strrchr(source, '/');

	base = base ? base + 1 : source;
	return is_name(base, p->mtd) || is_name(base, p->mtdblock) ||
	       strcmp(source, p->by_name) == 0;
}

static int no_mount(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	for (size_t i = 0; i < view->mounts->count; i++) {
		const struct mount *m = &view->mounts->mount[i];

		/* JFFS2 and CRAMFS on MTD take the number of the block device, too, for stat(2). */
		if ((m->major == MTD_BLOCK_MAJOR && m->minor == (unsigned int)p->number) ||
		    names_piece(p, m->source))
			return fault_set(f, FAULT_BUSY,
					 "mtd%d (%s) is in use: mounted on %s (%s, %s)", p->number,
					 p->name, m->point, m->type, m->source);
	}
	return 0;
}

/* A kernel without mtdblock has none, and nothing can be mounted from one. */
static bool has_block_device(const struct proof_view *view, const struct piece *p)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.512s/block/%s", view->sys, p->mtdblock);
	return access(path, F_OK) == 0;
}

/*
 * A file system that was lazily unmounted is in no mount table, but whoever has mounted a block
 * device has it for himself.
 */
static int not_taken(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	char path[PATH_MAX];
	int fd;

	if (!view->dev)
		return 0;
	(void)snprintf(path, sizeof(path), "%.512s/%s", view->dev, p->mtdblock);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
	else if (errno == EBUSY)
		return fault_set(f, FAULT_BUSY,
				 "mtd%d (%s) is in use: something has taken %s for itself",
				 p->number, p->name, path);
	else if (has_block_device(view, p))
		return fault_errno(f, FAULT_UNFIT, "%s: cannot tell whether it is in use", path);
	return 0;
}

static int no_swap(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	char *text = file_read_text(view->swaps), *rest = text, *line;
	int result = 0;

	if (!text && errno != ENOENT)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", view->swaps);
	while (result == 0 && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, " \t")] = '\0';
		if (names_piece(p, line))
			result = fault_set(f, FAULT_BUSY, "mtd%d (%s) is in use: swap on %s",
					   p->number, p->name, line);
	}
	free(text);
	return result;
}

/*
 * Reads the attribute of every entry of a folder in sysfs and asks used whether it speaks of the
 * piece. A folder that is not there has no entries: the kernel lacks that driver.
 */
static int no_device(const struct proof_view *view, const char *folder, const char *attribute,
		     bool (*used)(const struct piece *p, const char *text), const struct piece *p,
		     struct fault *f)
{
	char path[512], text[512];
	struct dirent *e;
	DIR *dir;
	int result = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", view->sys, folder);
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return fault_errno(f, FAULT_FAILED, "%s: cannot list", path);
	while (result == 0 && dir && (errno = 0, e = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%s/%s/%.64s/%s", view->sys, folder, e->d_name,
			       attribute);
		if (file_read_line(path, text, sizeof(text)) < 0) {
			if (errno != ENOENT && errno != ENOTDIR)
				result = fault_errno(f, FAULT_FAILED, "%s: cannot read", path);
			continue;
		}
		if (used(p, text))
			result = fault_set(f, FAULT_BUSY, "mtd%d (%s) is in use: %s holds it",
					   p->number, p->name, e->d_name);
	}
	/* A list that broke off proves nothing. */
	if (result == 0 && dir && errno)
		result = fault_errno(f, FAULT_FAILED, "%s/%s: cannot list", view->sys, folder);
	if (dir)
		(void)closedir(dir);
	return result;
}

static bool is_number(const struct piece *p, const char *text)
{
	return strtol(text, NULL, 10) == p->number;
}

static int piece_free(const struct proof_view *view, const struct piece *p, bool mounts_too,
		      struct fault *f)
{
	if (mounts_too && (no_mount(view, p, f) < 0 || not_taken(view, p, f) < 0))
		return -1;
	if (no_swap(view, p, f) < 0 ||
	    no_device(view, "block", "loop/backing_file", names_piece, p, f) < 0)
		return -1;
	return no_device(view, "class/ubi", "mtd_num", is_number, p, f);
}

int proof_target_free(const struct proof_view *view, int number, bool mounts_too, struct fault *f)
{
	const struct mtd_place *target;
	struct mtd_map map;

	if (mtd_map_read(&map, view->sys, f) < 0)
		return -1;
	target = mtd_map_find(&map, number);
	if (!target)
		return fault_set(f, FAULT_UNFIT, "mtd%d has gone", number);
	for (unsigned int i = 0; i < map.count; i++) {
		struct piece p = name_piece(&map.place[i]);

		if (mtd_overlap(target, &map.place[i]) && piece_free(view, &p, mounts_too, f) < 0)
			return -1;
	}
	return 0;
}

int proof_nothing_below(const struct mount_table *mounts, const char *dir, struct fault *f)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (path_below(mounts->mount[i].point, dir))
			return fault_set(f, FAULT_BUSY, "%s (%s) is still mounted on %s",
					 mounts->mount[i].source, mounts->mount[i].type,
					 mounts->mount[i].point);
	return 0;
}
