// SPDX-License-Identifier: GPL-2.0-or-later
#include "admission.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

const struct board_view board_live = {
	.compatible = "/proc/device-tree/compatible",
	.dmi = "/sys/class/dmi/id",
};

/* A name that is too long for an image cannot be in one. */
static void add_name(struct board_names *names, const char *name)
{
	size_t room = sizeof(names->name) / sizeof(*names->name);

	if (names->count < room && *name && strlen(name) <= IMAGE_TEXT_MAX)
		memcpy(names->name[names->count++], name, strlen(name) + 1);
}

static void add_compatible(struct board_names *names, const char *path)
{
	size_t size, at = 0;
	char *text = file_read_bytes(path, &size);

	while (text && at < size) {
		add_name(names, text + at);
		at += strlen(text + at) + 1;
	}
	free(text); /* most devices have either a device tree or DMI */
}

static void add_dmi(struct board_names *names, const char *folder)
{
	static const char *const files[] = { "product_name", "board_name" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char path[256], name[128];

		(void)snprintf(path, sizeof(path), "%.200s/%s", folder, files[i]);
		if (file_read_line(path, name, sizeof(name)) == 0)
			add_name(names, name);
	}
}

void board_names_find(struct board_names *names, const struct config *c,
		      const struct board_view *view)
{
	memset(names, 0, sizeof(*names));
	names->source = CONFIG_FILE;
	for (unsigned int i = 0; i < c->board_count; i++)
		add_name(names, c->board[i]);
	if (names->count)
		return;
	names->source = "its device tree";
	add_compatible(names, view->compatible);
	if (names->count)
		return;
	names->source = "DMI";
	add_dmi(names, view->dmi);
}

static bool matches(const struct image *img, const struct board_names *names)
{
	for (unsigned int i = 0; i < img->board_count; i++)
		for (unsigned int k = 0; k < names->count; k++)
			if (strcmp(img->board[i], names->name[k]) == 0)
				return true;
	return img->board_count == 0;
}

static int wrong_board(const struct image *img, const struct board_names *names, struct fault *f)
{
	const char *more = img->board_count > 1 ? " and others" : "";

	if (names->count == 0)
		return fault_set(
			f, FAULT_IMAGE,
			"the image is for board %s%s, and nothing says what board this is; "
			"set board = NAME in " CONFIG_FILE,
			img->board[0], more);
	return fault_set(f, FAULT_IMAGE, "the image is for board %s%s, this is %s, by %s",
			 img->board[0], more, names->name[0], names->source);
}

int admission_board(const struct image *img, const struct board_names *names,
		    const struct admission *except, struct fault *f)
{
	if ((except->force_board || except->allow_downgrade) && img->trust != IMAGE_UNSIGNED)
		return fault_set(
			f, FAULT_USAGE,
			"--force-board and --allow-downgrade are for unsigned images only");
	if (!except->force_board && !matches(img, names))
		return wrong_board(img, names, f);
	return 0;
}

int admission_rollback(const struct image *img, const struct config *c,
		       const struct admission *except, struct fault *f)
{
	if (!except->allow_downgrade && img->rollback < c->rollback)
		return fault_set(f, FAULT_IMAGE,
				 "the image has anti-rollback number %" PRIu32
				 ", this device takes none below %" PRIu32,
				 img->rollback, c->rollback);
	return 0;
}
