// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "number.h"

bool number_parse(const char *text, uint32_t *number)
{
	const char *end;
	uint64_t n = number_read(text, 10, &end);

	*number = (uint32_t)n;
	return *text >= '0' && *text <= '9' && !*end && n <= UINT32_MAX;
}

static int take_board(struct config *c, const char *value, struct fault *f)
{
	if (c->board_count == CONFIG_BOARDS_MAX)
		return fault_set(f, FAULT_UNFIT, "more than %d boards", CONFIG_BOARDS_MAX);
	if (strlen(value) > IMAGE_TEXT_MAX)
		return fault_set(f, FAULT_UNFIT, "a board name has at most %d characters",
				 IMAGE_TEXT_MAX);
	memcpy(c->board[c->board_count++], value, strlen(value) + 1);
	return 0;
}

static int take_rollback(struct config *c, const char *value, struct fault *f)
{
	if (!number_parse(value, &c->rollback))
		return fault_set(f, FAULT_UNFIT, "\"%s\" is not a number", value);
	return 0;
}

static int take_after(struct config *c, const char *value, struct fault *f)
{
	return plan_take_after(value, &c->after, f);
}

static int take_outcome(struct config *c, const char *value, struct fault *f)
{
	if (value[0] != '/' || strlen(value) >= sizeof(c->outcome))
		return fault_set(f, FAULT_UNFIT,
				 "\"%s\" is not a path from / on that is shorter "
				 "than %zu characters",
				 value, sizeof(c->outcome));
	memcpy(c->outcome, value, strlen(value) + 1);
	return 0;
}

/* What is an option has the option's name. */
static const struct key {
	const char *name;
	int (*take)(struct config *c, const char *value, struct fault *f);
	bool often;
} keys[] = {
	{ "board", take_board, true },
	{ "rollback-number", take_rollback, false },
	{ "after", take_after, false },
	{ "outcome", take_outcome, false },
};

static int take_value(struct config *c, const char *name, const char *value, struct fault *f)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(name, keys[i].name) != 0)
			continue;
		/* The last of two would win, and it may be the wrong one. */
		if (!keys[i].often && c->seen & 1u << i)
			return fault_set(f, FAULT_UNFIT, "a second %s", name);
		c->seen |= 1u << i;
		return keys[i].take(c, value, f);
	}
	return fault_set(f, FAULT_UNFIT, "there is no key \"%s\"", name);
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return text;
}

static int take_line(struct config *c, char *line, struct fault *f)
{
	char *value = strchr(line, '=');

	if (!value)
		return fault_set(f, FAULT_UNFIT, "\"%s\" should be KEY = VALUE", line);
	*value++ = '\0';
	value = trim(value);
	if (!*value)
		return fault_set(f, FAULT_UNFIT, "\"%s\" has no value", trim(line));
	return take_value(c, trim(line), value, f);
}

int config_read(struct config *c, const char *path, struct fault *f)
{
	size_t size;
	char *text = file_read_bytes(path, &size), *rest = text, *line;
	unsigned int number = 0;
	struct fault why;
	struct stat st;
	int result = 0;

	memset(c, 0, sizeof(*c));
	if (!text && errno == ENOENT && lstat(path, &st) < 0 && errno == ENOENT)
		return 0; /* a symbolic link that leads nowhere is a file out of reach */
	if (!text)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read", path);
	if (strlen(text) != size) /* as power cuts leave files that were just written */
		result = fault_set(f, FAULT_UNFIT, "%s: holds a zero byte: it is damaged", path);
	while (result == 0 && (line = strsep(&rest, "\n"))) {
		number++;
		line = trim(line);
		if (*line && *line != '#' && take_line(c, line, &why) < 0)
			result =
				fault_set(f, FAULT_UNFIT, "%s line %u: %s", path, number, why.text);
	}
	free(text);
	return result;
}
