// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is the text of /proc/self/mountinfo, and then the names in a line of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mounts.h"

static void parse(char *text, size_t size)
{
	struct mount_table t;
	struct fault f = { .kind = 0 };

	if (mounts_parse(&t, text, &f) < 0) {
		require(f.kind == FAULT_FAILED && f.text[0]);
		require(t.text == text);
	}
	for (size_t i = 0; i < t.count; i++) {
		const struct mount *m = &t.mount[i];
		const char *string[] = { m->point, m->type, m->source, m->super_options };

		for (int k = 0; k < 4; k++)
			require(string[k] >= text && string[k] <= text + size);
		require(m->point < m->type && m->type < m->source);
		require(m->source < m->super_options);
	}
	mounts_free(&t);
}

/* As the kernel writes names: blanks and backslashes in octal. */
static void escape(char *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr(" \t\n\\#", from[i]))
			to += sprintf(to, "\\%03o", from[i]);
		else
			*to++ = from[i];
	}
	*to = '\0';
}

/* Three names, made of the input, must come out as they went in, whatever is in them. */
static void parse_named(const char *text, size_t len)
{
	enum { POINT, SOURCE, OPTIONS, NAMES };
	size_t part[NAMES] = { len / 3, len / 3, len - 2 * (len / 3) }, room = 4 * len + 64;
	char *line = malloc(room), *name[NAMES];
	const char *from[NAMES] = { text, text + part[0], text + part[0] + part[1] };
	struct fault f = { .kind = 0 };
	struct mount_table t;
	const struct mount *m;

	require(line);
	for (int i = 0; i < NAMES; i++) {
		name[i] = malloc(4 * part[i] + 1);
		require(name[i]);
		escape(name[i], from[i], part[i]);
	}
	(void)snprintf(line, room, "36 35 31:4 / /%s rw shared:1 - jffs2 %s %s\n", name[POINT],
		       name[SOURCE], name[OPTIONS]);
	require(mounts_parse(&t, line, &f) == 0);
	require(t.count == 1);
	m = &t.mount[0];
	require(m->major == 31 && m->minor == 4);
	require(m->point[0] == '/' && strlen(m->point) == 1 + part[POINT]);
	require(strncmp(m->point + 1, from[POINT], part[POINT]) == 0);
	require(strcmp(m->type, "jffs2") == 0);
	require(strlen(m->source) == part[SOURCE]);
	require(strncmp(m->source, from[SOURCE], part[SOURCE]) == 0);
	require(strlen(m->super_options) == part[OPTIONS]);
	require(strncmp(m->super_options, from[OPTIONS], part[OPTIONS]) == 0);
	mounts_free(&t);
	for (int i = 0; i < NAMES; i++)
		free(name[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	parse_named(text, strlen(text));
	parse(text, size); /* frees it */
	return 0;
}
