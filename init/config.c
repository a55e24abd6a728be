// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stddef.h>
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

/* One more of what there may be several of: texts of size bytes each, of which count are there. */
static int take_one_more(char *texts, size_t size, unsigned int *count, unsigned int max,
			 const char *value, struct fault *f)
{
	if (*count == max)
		return fault_set(f, FAULT_UNFIT, "more than %u of these", max);
	if (strlen(value) >= size)
		return fault_set(f, FAULT_UNFIT, "\"%s\" has more than %zu characters", value,
				 size - 1);
	memcpy(texts + size * (*count)++, value, strlen(value) + 1);
	return 0;
}

static int take_board(struct config *c, const char *value, struct fault *f)
{
	return take_one_more(c->board[0], sizeof(c->board[0]), &c->board_count, CONFIG_BOARDS_MAX,
			     value, f);
}

static int take_target(struct config *c, const char *value, struct fault *f)
{
	return take_one_more(c->target[0], sizeof(c->target[0]), &c->target_count,
			     CONFIG_TARGETS_MAX, value, f);
}

static int take_source(struct config *c, const char *value, struct fault *f)
{
	if (strncmp(value, "mtd:", 4) != 0 && strncmp(value, "file:", 5) != 0)
		return fault_set(f, FAULT_UNFIT, "\"%s\" is neither mtd:PARTITION nor file:PATTERN",
				 value);
	return take_one_more(c->source[0], sizeof(c->source[0]), &c->source_count,
			     CONFIG_SOURCES_MAX, value, f);
}

static int take_mode(struct config *c, const char *value, struct fault *f)
{
	static const char *const modes[] = { "guard", "recover", "pass" };

	for (int i = 0; i <= MODE_PASS; i++) {
		if (strcmp(value, modes[i]) == 0) {
			c->mode = (enum config_mode)i;
			return 0;
		}
	}
	return fault_set(f, FAULT_UNFIT, "mode is guard, recover or pass, not \"%s\"", value);
}

static int take_after(struct config *c, const char *value, struct fault *f)
{
	return plan_take_after(value, &c->after, f);
}

static int take_via(struct config *c, const char *value, struct fault *f)
{
	return handover_take(value, &c->via, f);
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
	int (*take)(struct config *c, const char *value, struct fault *f); /* or else: */
	size_t offset, size; /* of a text in struct config, bytes; of a number the size is 0 */
	bool several;        /* then offset is that of how many there are */
} keys[] = {
#define TEXT(field) NULL, offsetof(struct config, field), sizeof(((struct config *)0)->field), false
#define NUMBER(field) NULL, offsetof(struct config, field), 0, false
#define SEVERAL(take, field) take, offsetof(struct config, field), 0, true
	{ "board", SEVERAL(take_board, board_count) },
	{ "target", SEVERAL(take_target, target_count) },
	{ "source", SEVERAL(take_source, source_count) },
	{ "rollback-number", NUMBER(rollback) },
	{ "tries", NUMBER(tries) },
	{ "wait", NUMBER(wait) },
	{ "after", take_after, 0, 0, false },
	{ "via", take_via, 0, 0, false },
	{ "outcome", take_outcome, 0, 0, false },
	{ "mode", take_mode, 0, 0, false },
	{ "journal", TEXT(journal) },
	{ "init", TEXT(init) },
	{ "root", TEXT(root) },
	{ "rootfstype", TEXT(rootfstype) },
	{ "rootflags", TEXT(rootflags) },
};

/* The casts by way of void say that the offset is that of a field of the type. */
static int take_plain(struct config *c, const struct key *k, const char *value, struct fault *f)
{
	if (k->size == 0) {
		if (number_parse(value, (uint32_t *)(void *)((char *)c + k->offset)))
			return 0;
		return fault_set(f, FAULT_UNFIT, "\"%s\" is not a number", value);
	}
	if (strlen(value) >= k->size)
		return fault_set(f, FAULT_UNFIT, "\"%s\" has more than %zu characters", value,
				 k->size - 1);
	memcpy((char *)c + k->offset, value, strlen(value) + 1);
	return 0;
}

static int take_value(struct config *c, const char *name, const char *value, struct fault *f)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct key *k = &keys[i];

		if (strcmp(name, k->name) != 0)
			continue;
		/* The last of two would win, and it may be the wrong one. */
		if (!k->several && c->seen & 1u << i)
			return fault_set(f, FAULT_UNFIT, "a second %s", name);
		if (k->several && !(c->seen & 1u << i))
			*(unsigned int *)(void *)((char *)c + k->offset) = 0;
		c->seen |= 1u << i;
		return k->take ? k->take(c, value, f) : take_plain(c, k, value, f);
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

/* What a line that makes no sense was meant to be is told by how it starts. */
static bool is_limit(const char *line)
{
	return strncmp(line, "board", 5) == 0 || strncmp(line, "rollback", 8) == 0;
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
	c->unsure = !text || strlen(text) != size;
	if (!text)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read", path);
	if (c->unsure) /* as power cuts leave files that were just written */
		result = fault_set(f, FAULT_UNFIT, "%s: holds a zero byte: it is damaged", path);
	while ((line = strsep(&rest, "\n"))) {
		number++;
		line = trim(line);
		if (!*line || *line == '#' || take_line(c, line, &why) == 0)
			continue;
		c->unsure |= is_limit(line);
		if (result == 0)
			result =
				fault_set(f, FAULT_UNFIT, "%s line %u: %s", path, number, why.text);
	}
	free(text);
	return result;
}

int config_take_words(struct config *c, const char *cmdline, struct fault *f)
{
	static const char prefix[] = "flashinit.";
	char *text = strdup(cmdline), *rest = text, *word;
	struct fault why;
	int result = 0;

	if (!text)
		return fault_errno(f, FAULT_UNFIT, "no memory for the kernel command line");
	c->seen = 0;
	while ((word = strsep(&rest, " \n"))) {
		if (strncmp(word, prefix, sizeof(prefix) - 1) != 0 ||
		    take_line(c, word + sizeof(prefix) - 1, &why) == 0 || result < 0)
			continue;
		result = fault_set(f, FAULT_UNFIT, "kernel command line: %s: %s", word, why.text);
	}
	free(text);
	return result;
}
