// SPDX-License-Identifier: GPL-2.0-or-later
#include "root_wanted.h"

#include <dirent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "files.h"
#include "mtd_device.h"
#include "mtd_map.h"
#include "number.h"
#include "report.h"
#include "say.h"
#include "ubi_attach.h"
#include "ubi_device.h"

enum {
	PATIENCE_S = 5, /* with a device, where neither rootwait nor rootdelay= is said */
	AGAIN_MS = 50,
	TELL_MS = 3000,
};

/* What stands behind the prefix, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* Whether a line of the device's uevent is this one. Both write hexadecimal digits as they like. */
static bool tells(const char *device, const char *key, const char *value)
{
	char path[128], *text, *rest, *line;
	bool found = false;

	(void)snprintf(path, sizeof(path), "/sys/class/block/%.63s/uevent", device);
	rest = text = file_read_text(path);
	while (!found && rest && (line = strsep(&rest, "\n"))) {
		const char *v = behind(line, key);

		found = v && strcasecmp(v, value) == 0;
	}
	free(text);
	return found;
}

static int find_by(const char *key, const char *value, char name[64])
{
	DIR *dir = opendir("/sys/class/block");
	struct dirent *e;
	int found = 0;

	while (dir && !found && (e = readdir(dir))) {
		found = e->d_name[0] != '.' && tells(e->d_name, key, value);
		if (found)
			(void)snprintf(name, 64, "%.63s", e->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

int root_wanted_disk(char name[64], const char *root, struct fault *f)
{
	const char *value = behind(root, "/dev/");
	char path[96];

	if (value) {
		(void)snprintf(name, 64, "%.63s", value);
		for (char *c = name; *c; c++)
			if (*c == '/')
				*c = '!'; /* as in sysfs */
		(void)snprintf(path, sizeof(path), "/sys/class/block/%s", name);
		return access(path, F_OK) == 0;
	}
	if ((value = behind(root, "PARTLABEL=")))
		return find_by("PARTNAME=", value, name);
	if ((value = behind(root, "PARTUUID=")))
		return find_by("PARTUUID=", value, name);
	return fault_set(f, FAULT_UNFIT,
			 "root=%s: must be mtd:NAME, ubiN:NAME, /dev/NAME, "
			 "PARTLABEL= or PARTUUID=",
			 root);
}

/* mtd:NAME, mtdN, or what ubi.mtd= says; NULL if the root is on none. */
static const char *mtd_of(const struct cmdline *c, char name[128])
{
	const char *on = behind(c->root, "/dev/mtdblock");

	if (on)
		(void)snprintf(name, 128, "mtd%.16s", on);
	else if (behind(c->root, "mtd"))
		(void)snprintf(name, 128, "%.127s", c->root + (c->root[3] == ':' ? 4 : 0));
	else if (c->ubi_mtd && (behind(c->root, "ubi") || behind(c->root, "/dev/ubiblock")))
		(void)snprintf(name, 128, "%.*s", (int)strcspn(c->ubi_mtd, ","), c->ubi_mtd);
	else
		return NULL;
	return name;
}

/* As the kernel does by itself, if its UBI is there when it starts. */
static int need_ubi(const char *partition, struct fault *f)
{
	struct ubi_device d;
	struct fault none;
	int mtd, found;

	if (mtd_device_find(partition, &mtd, &none) < 0)
		return 0;
	found = ubi_device_find(&d, mtd, f);
	return found == 0 ? ubi_attach(mtd, f) : found;
}

/* UBI's partition, or a partition that the root is itself on; else its block device. */
static int is_there(const struct cmdline *c, bool below, struct fault *f)
{
	const char *ubi = behind(c->root, "ubi");
	bool on_ubi = ubi || behind(c->root, "/dev/ubiblock");
	struct fault none;
	char name[128];
	int number;

	if (mtd_of(c, name) && (below || !on_ubi))
		return mtd_device_find(name, &number, &none) == 0;
	if (!below && on_ubi && mtd_of(c, name) && need_ubi(name, f) < 0)
		return -1;
	if (!ubi)
		return root_wanted_disk(name, c->root, f);
	(void)snprintf(name, sizeof(name), "/sys/class/ubi/ubi%u", (unsigned int)number_at(ubi));
	return below || access(name, F_OK) == 0;
}

unsigned int root_wanted_patience(const struct cmdline *c)
{
	return (c->delay > PATIENCE_S ? c->delay : PATIENCE_S) * 1000U;
}

int root_wanted_await(const struct cmdline *c, bool below, int reports, struct fault *f)
{
	unsigned int patience = root_wanted_patience(c);
	uint64_t start = clock_ms(), told = start;
	int there;

	while ((there = is_there(c, below, f)) == 0) {
		uint64_t now = clock_ms();

		if (!c->wait && now - start >= patience)
			return fault_set(f, FAULT_UNFIT, "root=%s has not appeared within %u s",
					 c->root, patience / 1000);
		if (now - told >= TELL_MS) {
			if (told == start)
				say("waiting for root=%s", c->root);
			(void)report_text(reports, REPORT_ALIVE, "waiting");
			told = now;
		}
		(void)poll(NULL, 0, AGAIN_MS);
	}
	return there < 0 ? -1 : 0;
}

void root_wanted_target(char *text, size_t size, const struct cmdline *c)
{
	const char *ubi = behind(c->root, "ubi"), *volume = ubi ? strchr(ubi, ':') : NULL;
	struct fault none;
	char name[128];

	*text = '\0';
	if (mtd_of(c, name))
		(void)snprintf(text, size, "%s%s", name, volume ? volume : "");
	else if (!ubi && root_wanted_disk(name, c->root, &none) > 0)
		(void)snprintf(text, size, "%s", name);
}
