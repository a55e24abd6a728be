// SPDX-License-Identifier: GPL-2.0-or-later
#include "mtd_tree.h"

#include <stdio.h>
#include <unistd.h>

#include "helpers.h"

static void write_attribute(const char *device, const char *name, long long number)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%lld\n", number);
	write_text(temp_path("%s/%s", device, name), text);
}

void mtd_tree_add(const char *sys, const char *parent, int number, const char *name,
		  long long offset, long long size)
{
	char device[256], to[256], line[128];

	(void)snprintf(device, sizeof(device), "%s/devices/%s/mtd%d", sys, parent, number);
	(void)snprintf(to, sizeof(to), "../../devices/%s/mtd%d", parent, number);
	(void)snprintf(line, sizeof(line), "%s\n", name);
	write_text(temp_path("%s/name", device), line);
	write_attribute(device, "size", size);
	if (offset != NO_OFFSET)
		write_attribute(device, "offset", offset);
	write_text(temp_path("%s/class/mtd/mtd%dro/uevent", sys, number), ""); /* its other half */
	assert_int_equal(symlink(to, temp_path("%s/class/mtd/mtd%d", sys, number)), 0);
}
