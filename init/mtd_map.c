// SPDX-License-Identifier: GPL-2.0-or-later
#include "mtd_map.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "number.h"

int mtd_number(const char *device)
{
	size_t digits = strncmp(device, "mtd", 3) == 0 ? strspn(device + 3, "0123456789") : 0;

	if (digits == 0 || device[3 + digits])
		return -1;
	return (int)number_at(device + 3);
}

/* Reads a number of mtdN; false if there is no such attribute. */
static bool read_number(const char *folder, const char *attribute, unsigned long long *number)
{
	char path[PATH_MAX], text[64];

	(void)snprintf(path, sizeof(path), "%.512s/%s", folder, attribute);
	if (file_read_line(path, text, sizeof(text)) < 0)
		return false;
	*number = number_read(text, 0, NULL);
	return true;
}

int mtd_under(const char *device, const char *sys)
{
	unsigned long long number;
	char folder[512];

	if (strncmp(device, "ubi", 3) != 0)
		return mtd_number(device);
	(void)snprintf(folder, sizeof(folder), "%.400s/class/ubi/%.*s", sys,
		       (int)strcspn(device, "_"), device);
	return read_number(folder, "mtd_num", &number) ? (int)number : -1;
}

static int read_place(struct mtd_place *p, const char *sys, const char *entry, struct fault *f)
{
	char link[PATH_MAX], name[PATH_MAX];

	(void)snprintf(link, sizeof(link), "%.512s/class/mtd/%.64s", sys, entry);
	if (file_real_path(p->path, sizeof(p->path), link) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot tell what it is", link);
	(void)snprintf(name, sizeof(name), "%.512s/name", p->path);
	if (file_read_line(name, p->name, sizeof(p->name)) < 0 ||
	    !read_number(p->path, "size", &p->size))
		return fault_errno(f, FAULT_UNFIT, "%s: has no name or no size", link);
	p->number = mtd_number(entry);
	p->partition = read_number(p->path, "offset", &p->offset);
	return 0;
}

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/*
 * The folder of a partition lies in that of what it is part of, if that is a device, too: the
 * offsets add up. The outermost one's says where the chip is: in the same folder, where the chip
 * itself is no device; else it is the chip.
 */
static void place_on_chip(const struct mtd_map *m, struct mtd_place *p)
{
	const struct mtd_place *outermost = p;

	p->start = p->offset;
	for (unsigned int i = 0; i < m->count; i++) {
		const struct mtd_place *q = &m->place[i];

		if (!lies_in(p->path, q->path))
			continue;
		p->start += q->offset;
		if (strlen(q->path) < strlen(outermost->path))
			outermost = q;
	}
	p->chip = outermost->partition ? (size_t)(strrchr(outermost->path, '/') - outermost->path)
				       : strlen(outermost->path);
}

int mtd_map_read(struct mtd_map *m, const char *sys, struct fault *f)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;
	int result = 0;

	memset(m, 0, sizeof(*m));
	(void)snprintf(path, sizeof(path), "%.512s/class/mtd", sys);
	dir = opendir(path);
	if (!dir)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot list the flash", path);
	while (result == 0 && (errno = 0, e = readdir(dir))) {
		if (mtd_number(e->d_name) < 0)
			continue;
		if (m->count == MTD_MAP_MAX)
			result = fault_set(f, FAULT_UNFIT, "more than %d MTD devices", MTD_MAP_MAX);
		else
			result = read_place(&m->place[m->count++], sys, e->d_name, f);
	}
	if (result == 0 && errno)
		result = fault_errno(f, FAULT_UNFIT, "%s: cannot list the flash", path);
	(void)closedir(dir);
	for (unsigned int i = 0; result == 0 && i < m->count; i++)
		place_on_chip(m, &m->place[i]);
	return result;
}

const struct mtd_place *mtd_map_find(const struct mtd_map *m, int number)
{
	for (unsigned int i = 0; i < m->count; i++)
		if (m->place[i].number == number)
			return &m->place[i];
	return NULL;
}

bool mtd_overlap(const struct mtd_place *a, const struct mtd_place *b)
{
	if (a->number == b->number || lies_in(a->path, b->path) || lies_in(b->path, a->path))
		return true;
	return a->chip == b->chip && strncmp(a->path, b->path, a->chip) == 0 &&
	       a->start < b->start + b->size && b->start < a->start + a->size;
}
