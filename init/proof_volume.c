// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "piece.h"
#include "proof.h"

/* ubiblock reads the volume only while somebody reads ubiblock, but would read a changed one. */
static int no_ubiblock(const struct proof_view *view, const struct piece *p, struct fault *f)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.512s/block/%s", view->sys, p->name[1]);
	if (view->will_go || access(path, F_OK) < 0)
		return 0;
	return fault_set(f, FAULT_BUSY,
			 "%s is in use: %s is on it; \"ubiblock --remove\" ends that", p->what,
			 p->name[1]);
}

int proof_volume_free(const struct proof_view *view, const char *device, struct fault *f)
{
	const char *number = strchr(device, '_');
	char path[PATH_MAX], volume[70], number_text[32];
	struct piece p = { .node_flags = O_RDWR, .node_is_there = true };

	if (!number)
		return 0;
	(void)snprintf(path, sizeof(path), "%.512s/class/ubi/%.31s/name", view->sys, device);
	if (file_read_line(path, volume, sizeof(volume)) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read", path);
	(void)snprintf(p.what, sizeof(p.what), "%.24s (%s)", device, volume);
	(void)snprintf(p.name[0], sizeof(p.name[0]), "%s", device);
	(void)snprintf(p.name[1], sizeof(p.name[1]), "ubiblock%s", device + strlen("ubi"));
	(void)snprintf(p.name[2], sizeof(p.name[2]), "%.*s:%s", (int)(number - device), device,
		       volume);
	if (strncmp(device, "ubi0_", 5) == 0)
		(void)snprintf(p.name[3], sizeof(p.name[3]), "ubi:%s", volume);
	(void)snprintf(path, sizeof(path), "%.512s/class/ubi/%.31s/dev", view->sys, device);
	if (file_read_line(path, number_text, sizeof(number_text)) < 0 ||
	    !device_number(number_text, &p.char_major, &p.char_first))
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read", path);
	p.char_last = p.char_first;
	/* UBIFS has its volume open for writing even where it is mounted for reading. */
	p.node = p.name[0];
	if (piece_free(view, &p, f) < 0)
		return -1;
	return no_ubiblock(view, &p, f);
}
