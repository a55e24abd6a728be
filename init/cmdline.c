// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmdline.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "number.h"

/* What stands behind the key, or NULL. */
static char *value_of(char *word, const char *key)
{
	size_t len = strlen(key);

	return strncmp(word, key, len) == 0 ? word + len : NULL;
}

/* As in the kernel the last one of a kind counts. */
static void take_word(struct cmdline *c, char *word)
{
	char *value;

	if ((value = value_of(word, "root=")))
		c->root = value;
	else if (value_of(word, "rootwait"))
		c->wait = true;
	else if ((value = value_of(word, "rootdelay=")))
		c->delay = (uint32_t)number_at(value);
	else if ((value = value_of(word, "rootfstype=")))
		c->rootfstype = value;
	else if ((value = value_of(word, "ubi.mtd=")))
		c->ubi_mtd = c->ubi_mtd ? c->ubi_mtd : value;
	else if ((value = value_of(word, "devtmpfs.mount=")))
		c->no_devtmpfs = *value == '0';
	else if (strcmp(word, "rw") == 0 || strcmp(word, "ro") == 0)
		c->rw = word[1] == 'w';
	else if ((value = value_of(word, "rootflags=")))
		c->rootflags = value;
	else if ((value = value_of(word, "init=")))
		c->init = value;
}

int cmdline_read(struct cmdline *c, const char *path, struct fault *f)
{
	char *rest, *word;
	int args = 0;

	memset(c, 0, sizeof(*c));
	rest = c->text = file_read_text(path);
	if (!c->text)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", path);
	while ((word = strsep(&rest, " \n"))) {
		if (!*word)
			continue;
		if (args > 0 && args <= CMDLINE_ARGS_MAX)
			c->argv[args++] = word;
		else if (args == 0 && strcmp(word, "--") == 0)
			args = 1;
		else if (args == 0)
			take_word(c, word);
	}
	return 0;
}

void cmdline_free(struct cmdline *c)
{
	free(c->text);
	c->text = NULL;
}
