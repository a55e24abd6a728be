// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is a configuration file.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/* Writes what was read, and reads it again: it must be the same. */
static void check_again(const struct config *c)
{
	static const char *const after[] = { "reboot", "poweroff", "halt", "boot", "exec:" };
	struct config again;
	struct fault f;
	char text[2048];
	int len = snprintf(text, sizeof(text), "rollback-number=%u\nafter = %s%s\n", c->rollback,
			   after[c->after.what], c->after.program);

	if (*c->outcome)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "outcome = %s\n",
				c->outcome);
	for (unsigned int i = 0; i < c->board_count; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "board = %s\n",
				c->board[i]);
	require(config_read(&again, path_of((const uint8_t *)text, (size_t)len), &f) == 0);
	require(again.board_count == c->board_count);
	require(memcmp(again.board, c->board, sizeof(c->board)) == 0);
	require(strcmp(again.outcome, c->outcome) == 0);
	require(again.rollback == c->rollback && again.after.what == c->after.what &&
		strcmp(again.after.program, c->after.program) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = path_of(data, size);
	struct fault f = { .kind = 0 };
	struct config c;

	if (config_read(&c, path, &f) < 0) {
		require(f.kind == FAULT_UNFIT);
		require(strncmp(f.text, path, strlen(path)) == 0);
		require(!strchr(f.text, '\n'));
		return 0;
	}
	require(!memchr(data, 0, size)); /* what follows would be lost, and with it a limit */
	require(c.board_count <= CONFIG_BOARDS_MAX);
	for (unsigned int i = 0; i < c.board_count; i++)
		require(c.board[i][0] &&
			strnlen(c.board[i], sizeof(c.board[i])) < sizeof(c.board[i]));
	require(c.after.what <= AFTER_EXEC);
	require(strnlen(c.outcome, sizeof(c.outcome)) < sizeof(c.outcome));
	require(c.mode <= MODE_PASS && c.target_count <= CONFIG_TARGETS_MAX &&
		c.source_count <= CONFIG_SOURCES_MAX);
	require(strnlen(c.journal, sizeof(c.journal)) < sizeof(c.journal) &&
		strnlen(c.root, sizeof(c.root)) < sizeof(c.root));
	check_again(&c);
	/* What stands in a file may stand on a kernel command line. */
	(void)config_take_words(&c, "flashinit.mode=guard", &f);
	require(c.mode == MODE_GUARD);
	return 0;
}
