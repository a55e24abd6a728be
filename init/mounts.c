// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "files.h"

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
	char *rest = text, *line;

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
		if (!parse_line(&t->mount[t->count], line))
			return fault_set(f, FAULT_FAILED,
					 "the mount table has a line that makes no "
					 "sense: \"%s\"",
					 line);
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

void mounts_free(struct mount_table *t)
{
	free(t->mount);
	free(t->text);
	memset(t, 0, sizeof(*t));
}

bool path_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

int mounts_unmount_pass(const char *dir, unsigned int *gone, unsigned int *left, char *busy,
			size_t size, struct fault *f)
{
	struct mount_table t;
	int result = mounts_read(&t, "/proc/self/mountinfo", f);

	*gone = 0;
	*left = 0;
	for (size_t i = t.count; result == 0 && i > 0; i--) {
		const char *point = t.mount[i - 1].point;

		if (!path_below(point, dir))
			continue;
		/* Never MNT_DETACH: a lazy unmount hides a file system that still uses the flash. */
		if (umount2(point, 0) == 0) {
			(*gone)++;
			continue;
		}
		(*left)++;
		if (busy)
			(void)snprintf(busy, size, "%s (%s, %s): %s", point, t.mount[i - 1].type,
				       t.mount[i - 1].source, strerror(errno));
	}
	mounts_free(&t);
	return result;
}
