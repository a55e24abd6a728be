// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is an inittab. What BusyBox init makes of the new one must be all that it makes of the
 * old one but for the restart entries, and then one restart entry, which is ours.
 */
#include "inittab.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define COMMAND "/sbin/flashinit"

struct inittab {
	const char *text; /* what has not been read yet */
	char *line;       /* holds the strings of the latest entry */
	const char *tty, *action, *command;
};

static void start(struct inittab *t, const char *text)
{
	memset(t, 0, sizeof(*t));
	t->text = text;
	t->line = malloc(strlen(text) + 1);
	require(t->line);
}

/* As BusyBox: a line that ends in a backslash is joined with the next, and # starts a comment. */
static void join_lines(struct inittab *t)
{
	char *to = t->line;
	bool more = true;

	while (more && *t->text) {
		size_t len = strcspn(t->text, "\n");

		memcpy(to, t->text, len);
		to += len;
		t->text += len + (t->text[len] == '\n');
		more = to > t->line && to[-1] == '\\';
		if (more)
			to--;
	}
	*to = '\0';
	t->line[strcspn(t->line, "#")] = '\0';
}

/* As BusyBox: the action must be known, and there must be a command. */
static bool take_entry(struct inittab *t)
{
	static const char *const actions[] = { "sysinit",  "wait",       "once",     "respawn",
					       "askfirst", "ctrlaltdel", "shutdown", "restart" };
	char *rest = t->line;

	t->tty = strsep(&rest, ":");
	(void)strsep(&rest, ":"); /* the run levels */
	t->action = strsep(&rest, ":");
	t->command = rest;
	if (!rest || !*rest)
		return false;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (strcmp(t->action, actions[i]) == 0)
			return true;
	return false;
}

static bool next_entry(struct inittab *t)
{
	while (*t->text) {
		join_lines(t);
		if (take_entry(t))
			return true;
	}
	return false;
}

static bool is_restart(const struct inittab *t)
{
	return strcmp(t->action, "restart") == 0;
}

static void compare(const char *old_text, const char *new_text)
{
	struct inittab old, new;

	start(&old, old_text);
	start(&new, new_text);
	while (next_entry(&old)) {
		if (is_restart(&old))
			continue;
		require(next_entry(&new));
		require(strcmp(old.tty, new.tty) == 0);
		require(strcmp(old.action, new.action) == 0);
		require(strcmp(old.command, new.command) == 0);
	}
	require(next_entry(&new));
	require(is_restart(&new));
	require(!*new.tty);
	require(strcmp(new.command, COMMAND) == 0);
	require(!next_entry(&new));
	free(old.line);
	free(new.line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *old = text_of(data, size), *new = inittab_rewrite(old, COMMAND), *again;

	require(new);
	compare(old, new);
	again = inittab_rewrite(new, COMMAND);
	require(again && strcmp(again, new) == 0);
	free(again);
	free(new);
	free(old);
	return 0;
}
