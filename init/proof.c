// SPDX-License-Identifier: GPL-2.0-or-later
#include "proof.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "mounts.h"

enum { MTD_BLOCK_MAJOR = 31 };

const struct proof_view proof_live = {
	.mountinfo = "/proc/self/mountinfo",
	.swaps = "/proc/swaps",
	.sys = "/sys",
};

struct piece { /* of flash, and the names it goes by */
	int number;
	const char *name;
	char mtd[16];      /* mtd3 */
	char mtdblock[24]; /* mtdblock3 */
	char by_name[80];  /* mtd:rootfs */
};

static struct piece name_piece(int number, const char *name)
{
	struct piece p = { .number = number, .name = name };

	(void)snprintf(p.mtd, sizeof(p.mtd), "mtd%d", number);
	(void)snprintf(p.mtdblock, sizeof(p.mtdblock), "mtdblock%d", number);
	(void)snprintf(p.by_name, sizeof(p.by_name), "mtd:%s", name);
	return p;
}

/* A mount's source, a swap area or a loop's backing file: a path or one of MTD's own words. */
static bool names_piece(const struct piece *p, const char *source)
{
	const char *base = strrchr(source, '/');

	base = base ? base + 1 : source;
	return strcmp(base, p->mtd) == 0 || strcmp(base, p->mtdblock) == 0 ||
	       strcmp(source, p->by_name) == 0;
}

static int no_mount(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	struct mount_table t;
	int result = mounts_read(&t, view->mountinfo, f);

	for (size_t i = 0; result == 0 && i < t.count; i++) {
		const struct mount *m = &t.mount[i];

		/* JFFS2 and CRAMFS on MTD take the number of the block device, too, for stat(2). */
		if ((m->major == MTD_BLOCK_MAJOR && m->minor == (unsigned int)p->number) ||
		    names_piece(p, m->source))
			result = fault_set(f, FAULT_BUSY,
					   "mtd%d (%s) is in use: mounted on %s (%s, %s)",
					   p->number, p->name, m->point, m->type, m->source);
	}
	mounts_free(&t);
	return result;
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
	while (result == 0 && dir && (e = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%s/%s/%.64s/%s", view->sys, folder, e->d_name,
			       attribute);
		if (file_read_line(path, text, sizeof(text)) == 0 && used(p, text))
			result = fault_set(f, FAULT_BUSY, "mtd%d (%s) is in use: %s holds it",
					   p->number, p->name, e->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return result;
}

static bool is_number(const struct piece *p, const char *text)
{
	return strtol(text, NULL, 10) == p->number;
}

int proof_target_free(const struct proof_view *view, int number, const char *name, struct fault *f)
{
	struct piece p = name_piece(number, name);

	if (no_mount(view, &p, f) < 0 || no_swap(view, &p, f) < 0 ||
	    no_device(view, "block", "loop/backing_file", names_piece, &p, f) < 0)
		return -1;
	return no_device(view, "class/ubi", "mtd_num", is_number, &p, f);
}

int proof_nothing_below(const struct proof_view *view, const char *dir, struct fault *f)
{
	struct mount_table t;
	int result = mounts_read(&t, view->mountinfo, f);

	for (size_t i = 0; result == 0 && i < t.count; i++)
		if (path_below(t.mount[i].point, dir))
			result = fault_set(f, FAULT_BUSY, "%s (%s) is still mounted on %s",
					   t.mount[i].source, t.mount[i].type, t.mount[i].point);
	mounts_free(&t);
	return result;
}
