// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static const char *const after_words[] = {
	[AFTER_REBOOT] = "reboot", [AFTER_POWEROFF] = "poweroff", [AFTER_HALT] = "halt",
	[AFTER_BOOT] = "boot",     [AFTER_EXEC] = "exec:",
};

int plan_take_after(const char *word, struct after *after, struct fault *f)
{
	size_t exec = strlen(after_words[AFTER_EXEC]);

	for (int i = 0; i < AFTER_EXEC; i++) {
		if (strcmp(word, after_words[i]) == 0) {
			after->what = (enum after_what)i;
			after->program[0] = '\0';
			return 0;
		}
	}
	if (strncmp(word, after_words[AFTER_EXEC], exec) == 0 && word[exec] == '/' &&
	    !strchr(word, ' ') && strlen(word + exec) < sizeof(after->program)) {
		after->what = AFTER_EXEC;
		memcpy(after->program, word + exec, strlen(word + exec) + 1);
		return 0;
	}
	return fault_set(f, FAULT_USAGE,
			 "--after %s: must be reboot, poweroff, halt, boot or exec:/PROGRAM", word);
}

bool plan_is_for(const struct plan *p, const struct image *img)
{
	char id[IMAGE_ID_SIZE];

	image_id(img, id);
	return strcmp(id, p->sha256) == 0;
}

void plan_take_journal(struct plan *p, const char *journal, uint32_t tries)
{
	(void)snprintf(p->journal, sizeof(p->journal), "%s", journal);
	if (*journal && tries)
		(void)snprintf(p->tries, sizeof(p->tries), "%" PRIu32, tries);
}

/* The texts by their keys. */
static const struct text_key {
	const char *key;
	size_t offset, size; /* in struct plan, bytes */
} text_keys[] = {
#define TEXT_KEY(field)                                                                 \
	{                                                                               \
#field, offsetof(struct plan, field), sizeof(((struct plan *)0)->field) \
	}
	TEXT_KEY(image),    TEXT_KEY(sha256),    TEXT_KEY(home),      TEXT_KEY(exec),
	TEXT_KEY(root),     TEXT_KEY(targets),   TEXT_KEY(watchdogs), TEXT_KEY(outcome),
	TEXT_KEY(firmware), TEXT_KEY(journal),   TEXT_KEY(tries),     TEXT_KEY(recover),
	TEXT_KEY(wanted),   TEXT_KEY(not_image), TEXT_KEY(boost),
};

enum { TEXT_KEYS = sizeof(text_keys) / sizeof(*text_keys) };

static int write_line(int fd, const char *key, const char *value)
{
	char line[sizeof(struct plan) + 64];
	int len = snprintf(line, sizeof(line), "%s = %s\n", key, value);

	return fd_write(fd, line, (size_t)len);
}

static int write_lines(int fd, const struct plan *p)
{
	char after[sizeof(p->after.program) + 8];

	for (int i = 0; i < TEXT_KEYS; i++) {
		const char *value = (const char *)p + text_keys[i].offset;

		if (*value && write_line(fd, text_keys[i].key, value) < 0)
			return -1;
	}
	(void)snprintf(after, sizeof(after), "%s%s", after_words[p->after.what], p->after.program);
	return write_line(fd, "after", after);
}

static int check_lines(const struct plan *p, struct fault *f)
{
	for (int i = 0; i < TEXT_KEYS; i++) {
		const char *value = (const char *)p + text_keys[i].offset;

		if (strchr(value, '\n'))
			return fault_set(f, FAULT_UNFIT, "%s has a line end in it",
					 text_keys[i].key);
	}
	if (strchr(p->after.program, '\n'))
		return fault_set(f, FAULT_UNFIT, "after has a line end in it");
	return 0;
}

int plan_write(const struct plan *p, const char *path, struct fault *f)
{
	int fd, result;

	if (check_lines(p, f) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot create", path);
	result = write_lines(fd, p);
	if (result < 0)
		(void)fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	if (close(fd) < 0 && result == 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	return result;
}

/* Takes a text; false if there is no such key, or if it is too long. */
static bool take_text(struct plan *p, const char *key, const char *value)
{
	for (int i = 0; i < TEXT_KEYS; i++) {
		if (strcmp(key, text_keys[i].key) != 0)
			continue;
		if (strlen(value) >= text_keys[i].size)
			return false;
		memcpy((char *)p + text_keys[i].offset, value, strlen(value) + 1);
		return true;
	}
	return false;
}

/* One "key = value" line. */
static int take_line(struct plan *p, const char *path, char *line, struct fault *f)
{
	char *value = strstr(line, " = ");

	if (value) {
		*value = '\0';
		value += 3;
		if (strcmp(line, "after") == 0)
			return plan_take_after(value, &p->after, f);
		if (take_text(p, line, value))
			return 0;
	}
	return fault_set(f, FAULT_FAILED, "%s: cannot make sense of \"%s\"", path, line);
}

int plan_read(struct plan *p, const char *path, struct fault *f)
{
	char *text = file_read_text(path), *rest = text, *line;
	int result = 0;

	memset(p, 0, sizeof(*p));
	if (!text)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", path);
	while (result == 0 && (line = strsep(&rest, "\n")))
		if (*line)
			result = take_line(p, path, line, f);
	free(text);
	if (result == 0 && !p->image[0] && !p->exec[0] && !p->recover[0])
		result = fault_set(f, FAULT_FAILED, "%s: names no image", path);
	return result;
}
