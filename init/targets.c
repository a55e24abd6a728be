// SPDX-License-Identifier: GPL-2.0-or-later
#include "targets.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "mounts.h"
#include "mtd_map.h"
#include "obstacles.h"
#include "pid1.h"
#include "proof.h"
#include "say.h"
#include "target_open.h"

static int fit(const struct payload *p, struct target *t, struct finding *found, struct fault *f)
{
	uint32_t good, spare;
	uint64_t bytes;

	if (target_good_blocks(t, &good, &bytes, f) < 0)
		return -1;
	finding_figure(found, "needed", p->size);
	finding_figure(found, "available", bytes);
	if (engine_check_fit(p, t, &spare, f) < 0)
		return -1;
	if (t->medium == MEDIUM_NAND) {
		finding_figure(found, "bad", t->blocks - good);
		finding_figure(found, "spare", spare);
		finding_say(found,
			    "%s is %s: %u of its %u eraseblocks of %u bytes are good, %u needed, "
			    "%u to spare",
			    p->part, t->device, good, t->blocks, t->eraseblock, good - spare,
			    spare);
	} else {
		finding_say(found,
			    "%s%s%s is %s: %" PRIu64 " bytes go into the %" PRIu64
			    " bytes that it %s",
			    p->part, p->volume[0] ? ":" : "", p->volume, t->device, p->size, bytes,
			    t->medium == MEDIUM_VOLUME ? "will have" : "has");
	}
	return 0;
}

static void note(struct targets *all, const struct target *t)
{
	memcpy(all->device[all->count++], t->device, sizeof(t->device));
	if (t->eraseblock > all->eraseblock)
		all->eraseblock = t->eraseblock;
}

void targets_to_names(char names[TARGETS_NAMES], const struct targets *t)
{
	size_t len = 0;

	names[0] = '\0';
	for (unsigned int i = 0; i < t->count; i++)
		len += (size_t)snprintf(names + len, TARGETS_NAMES - len, "%s%s", i ? " " : "",
					t->device[i]);
}

void targets_from_names(struct targets *t, const char *names)
{
	memset(t, 0, sizeof(*t));
	while (*names && t->count < TARGETS_MAX) {
		size_t len = strcspn(names, " ");

		(void)snprintf(t->device[t->count++], sizeof(t->device[0]), "%.*s", (int)len,
			       names);
		names += len;
		names += *names == ' ';
	}
}

int targets_look_at(struct targets *all, const struct payload *p, struct finding *found,
		    struct fault *f)
{
	struct target *t;
	int result;

	found->part = p->part;
	if (target_open(&t, p, TARGET_LOOK, f) < 0)
		return -1;
	note(all, t);
	result = fit(p, t, found, f);
	target_close(t);
	if (result < 0 && f->kind == FAULT_FLASH)
		f->kind = FAULT_UNFIT; /* nothing was changed: it can only not be read */
	return result;
}

/* Whether sysfs shows one block device as a partition of the other: an eMMC's boot area is none. */
static bool is_part_of(const char *device, const char *disk)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/sys/class/block/%.31s/%.31s/partition", disk, device);
	return access(path, F_OK) == 0;
}

static bool is_ubi(const char *device)
{
	return strncmp(device, "ubi", 3) == 0;
}

/* A partition may be named by its number, too. A volume yet to be made has its UBI's device. */
static bool is_same_volume(const struct targets *t, const struct image *img, unsigned int i,
			   unsigned int k)
{
	return strcmp(t->device[i], t->device[k]) == 0 &&
	       (strchr(t->device[i], '_') ||
		strcmp(img->payload[i].volume, img->payload[k].volume) == 0);
}

/* A volume shares flash with the partition that its UBI is on. */
static bool share(const struct mtd_map *map, const char *a, const char *b)
{
	const struct mtd_place *one = mtd_map_find(map, mtd_under(a, "/sys"));
	const struct mtd_place *two = mtd_map_find(map, mtd_under(b, "/sys"));

	if (one && two)
		return mtd_overlap(one, two);
	return strcmp(a, b) == 0 || is_part_of(a, b) || is_part_of(b, a);
}

/* Two payloads for the same flash under two names would overwrite each other. */
int targets_apart(const struct targets *t, const struct image *img, struct fault *f)
{
	struct mtd_map map = { .count = 0 };

	for (unsigned int i = 0; i < t->count; i++)
		if (mtd_number(t->device[i]) >= 0 && !map.count &&
		    mtd_map_read(&map, "/sys", f) < 0)
			return -1;
	for (unsigned int i = 0; i < t->count; i++)
		for (unsigned int k = 0; k < i; k++)
			if (is_ubi(t->device[i]) && is_ubi(t->device[k])
				    ? is_same_volume(t, img, i, k)
				    : share(&map, t->device[i], t->device[k]))
				return fault_set(
					f, FAULT_UNFIT,
					"the image writes %s and %s, which share some flash",
					img->payload[k].part, img->payload[i].part);
	return 0;
}

int targets_look(struct targets *t, const struct image *img, struct fault *f)
{
	memset(t, 0, sizeof(*t));
	for (unsigned int i = 0; i < img->payload_count; i++) {
		struct finding found = { .figures = 0 };

		if (targets_look_at(t, &img->payload[i], &found, f) < 0)
			return -1;
		say("%s", found.text);
	}
	return targets_apart(t, img, f);
}

/* We may have a root or a mount namespace of our own: what everybody else sees counts, too. */
static int read_mounts(struct mount_table *t, struct fault *f)
{
	if (mounts_read_own(t, f) < 0)
		return -1;
	return mounts_add_others(t, "/proc", f);
}

static int mtd_unused(const struct proof_view *view, int number, struct fault *f)
{
	if (obstacles_lazy(view->mounts, number, view->sys, "/proc", f) == 0)
		return proof_target_free(view, number, f);
	if (f->err == 0)
		f->kind = FAULT_BUSY;
	return -1;
}

int target_unused(const struct proof_view *view, const char *device, struct fault *f)
{
	if (mtd_number(device) >= 0)
		return mtd_unused(view, mtd_number(device), f);
	if (!view->dev && !view->will_go)
		return 0;
	if (is_ubi(device))
		return proof_volume_free(view, device, f);
	return proof_disk_free(view, device, f);
}

/* Ours are those who have opened the targets by now: what is known only by trying is not asked. */
static int all_unused(const struct targets *t, bool opened, struct fault *f)
{
	struct mount_table mounts = { .count = 0 };
	const struct proof_view view = {
		.mounts = &mounts,
		.swaps = "/proc/swaps",
		.sys = "/sys",
		.dev = opened ? NULL : "/dev",
		.proc = opened ? NULL : "/proc",
	};
	int result = read_mounts(&mounts, f);

	for (unsigned int i = 0; result == 0 && i < t->count; i++)
		result = target_unused(&view, t->device[i], f);
	mounts_free(&mounts);
	return result;
}

static int check_eyes(struct fault *f)
{
	if (geteuid() != 0)
		return fault_set(f, FAULT_UNFIT,
				 "must be run as root: nobody else sees who uses the flash");
	if (!pid_namespace_is_first())
		return fault_set(
			f, FAULT_UNFIT,
			"runs in a container (a PID namespace of its own), where it is not "
			"seen who uses the flash");
	return 0;
}

int targets_unused(const struct targets *t, struct fault *f)
{
	return check_eyes(f) < 0 ? -1 : all_unused(t, false, f);
}

int targets_still_unused(const struct targets *t, struct fault *f)
{
	return check_eyes(f) < 0 ? -1 : all_unused(t, true, f);
}
