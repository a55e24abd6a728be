// SPDX-License-Identifier: GPL-2.0-or-later
#include "look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "admission.h"
#include "clock.h"
#include "image_file.h"
#include "journaling.h"
#include "judge.h"
#include "media.h"
#include "mtd_device.h"
#include "pattern.h"
#include "raw.h"
#include "version_order.h"

struct looking {
	const struct look *look;
	const struct search *search;
	const struct config *config;
	int reports;
	unsigned int files; /* that were of the right name */
};

/* If nobody listens, it does not matter. */
#define tell(l, ...) ((void)report_text((l)->reports, REPORT_SAY, __VA_ARGS__))

/* Whether it is the one that was begun, or may take its place, as any may that of plain images. */
static int check_wanted(const struct looking *l, const struct image *img, const char *id,
			struct fault *f)
{
	const struct search *s = l->search;

	if (strcmp(id, s->not_image) == 0)
		return fault_set(f, FAULT_IMAGE, "firmware %s is the one that failed to boot",
				 img->fw_version);
	if (*s->wanted && strcmp(s->version, RAW_VERSION) != 0 &&
	    version_order(img->fw_version, s->version) <= 0)
		return fault_set(f, FAULT_IMAGE,
				 "firmware %s is neither the one that was begun (%s, image %.12s) "
				 "nor newer",
				 img->fw_version, s->version, s->wanted);
	return 0;
}

/* The guard would find the same after it, and have the same written again, for ever. */
static int check_mends(const struct looking *l, const struct image *img, struct fault *f)
{
	const struct config *c = l->config;

	for (unsigned int i = 0; c->mode == MODE_GUARD && i < c->target_count; i++)
		if (!journaling_is_written(c->target[i], img) && !judge_is_whole(c->target[i]))
			return fault_set(f, FAULT_IMAGE,
					 "firmware %s does not write %s, which is not whole",
					 img->fw_version, c->target[i]);
	return 0;
}

/* What was begun has been admitted before, whatever it took. */
static int admit(const struct looking *l, const struct image *img, const char *id, struct fault *f)
{
	const struct admission none = { .force_board = false };
	struct board_names names;

	if (*l->search->wanted && strcmp(id, l->search->wanted) == 0)
		return 0;
	board_names_find(&names, l->config, &board_live);
	if (admission_board(img, &names, &none, f) < 0 ||
	    admission_rollback(img, l->config, &none, f) < 0)
		return -1;
	return check_wanted(l, img, id, f) < 0 ? -1 : check_mends(l, img, f);
}

static uint32_t mark_of(const struct found *found, uint64_t instance)
{
	uint32_t sum = (uint32_t)crc32(0, (const uint8_t *)found->path, sizeof(found->path));

	sum = (uint32_t)crc32(sum, (const uint8_t *)found->id, sizeof(found->id));
	return (uint32_t)crc32(sum, (const uint8_t *)&instance, sizeof(instance));
}

static void tell_found(const struct looking *l, const struct image *img, const char *id,
		       const char *path, unsigned int source)
{
	struct found found;
	struct report r;

	memset(&r, 0, sizeof(r));
	memset(&found, 0, sizeof(found));
	r.kind = REPORT_FOUND;
	found.source = source;
	found.rollback = img->rollback;
	memcpy(found.id, id, sizeof(found.id));
	memcpy(found.version, img->fw_version, sizeof(found.version));
	memcpy(found.path, path, strlen(path) + 1);
	found.mark = mark_of(&found, l->look->instance);
	memcpy(r.text, &found, sizeof(found));
	(void)report_send(l->reports, &r); /* as there */
}

static void look_at_file(struct looking *l, const char *path, unsigned int source)
{
	struct image_file file;
	char id[IMAGE_ID_SIZE];
	struct fault f;
	int result = image_file_open(&file, path, NULL, &f);

	l->files++;
	if (result == 0) {
		image_id(&file.image, id);
		result = admit(l, &file.image, id, &f);
	}
	if (result == 0)
		tell_found(l, &file.image, id, path, source);
	else if (search_is_named(path, &f))
		tell(l, "passed over: %s", f.text);
	else
		tell(l, "passed over: %s: %s", path, f.text);
	image_file_close(&file);
}

/* Folders in the pattern are literal; only its last part is one. */
static void look_in_folder(struct looking *l, const char *pattern, unsigned int source)
{
	char folder[256], path[sizeof(((struct found *)0)->path)];
	const char *last = strrchr(pattern, '/');
	struct dirent *e;
	struct stat st;
	DIR *dir;

	(void)snprintf(folder, sizeof(folder), MEDIA_FOLDER "/%s%s%.*s", l->look->place,
		       *pattern == '/' ? "" : "/", last ? (int)(last + 1 - pattern) : 0, pattern);
	pattern = last ? last + 1 : pattern;
	dir = opendir(folder);
	while (dir && (errno = 0, e = readdir(dir))) {
		int len = snprintf(path, sizeof(path), "%s%s", folder, e->d_name);

		if (pattern_fits(pattern, e->d_name) && !strchr(path, '\n') &&
		    len < (int)sizeof(path) && lstat(path, &st) == 0 && S_ISREG(st.st_mode))
			look_at_file(l, path, source);
	}
	if (dir ? errno != 0 : errno != ENOENT && errno != ENOTDIR)
		tell(l, "passed over: %s: cannot be read: %s", folder, strerror(errno));
	if (dir)
		(void)closedir(dir);
}

static void look_at_medium(struct looking *l)
{
	struct fault f;
	bool any = false;

	if (media_mount(l->look->place, &f) < 0) {
		tell(l, "passed over: %s", f.text);
		return;
	}
	for (unsigned int i = 0; i < l->config->source_count; i++) {
		if (strncmp(l->config->source[i], "file:", 5) != 0)
			continue;
		any = true;
		look_in_folder(l, l->config->source[i] + 5, i);
	}
	if (any && l->files == 0)
		tell(l, "passed over: %s: has no file that is looked for", l->look->place);
}

static void look_at_partition(struct looking *l, const char *name)
{
	unsigned int source = 0;
	char path[32];
	struct fault f;
	int number;

	while (source < l->config->source_count &&
	       strcmp(l->config->source[source], l->look->place) != 0)
		source++;
	if (mtd_device_find(name, &number, &f) < 0) {
		tell(l, "passed over: %s: %s", l->look->place, f.text);
		return;
	}
	(void)snprintf(path, sizeof(path), "/dev/mtd%d", number);
	look_at_file(l, path, source);
}

static void look_main(struct looking *l)
{
	const char *place = l->look->place;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (place[0] == '/')
		look_at_file(l, place, 0);
	else if (strncmp(place, "mtd:", 4) == 0)
		look_at_partition(l, place + 4);
	else
		look_at_medium(l);
	_exit(0);
}

bool look_start(struct look *l, const struct search *s, const struct config *c,
		unsigned int limit_ms)
{
	struct looking looking = { .look = l, .search = s, .config = c };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	l->pid = fork();
	if (l->pid == 0) {
		(void)close(ends[0]);
		looking.reports = ends[1];
		look_main(&looking);
	}
	(void)close(ends[1]);
	l->reports = ends[0];
	l->deadline_ms = clock_ms() + limit_ms;
	if (l->pid > 0)
		return true;
	(void)close(ends[0]);
	l->pid = 0;
	return false;
}

void look_end(struct look *l)
{
	if (l->pid > 0) {
		(void)kill(l->pid, SIGKILL);
		(void)close(l->reports);
	}
	memset(l, 0, sizeof(*l));
}

bool look_take(struct look *l, struct report *r)
{
	if (read(l->reports, r, sizeof(*r)) == (ssize_t)sizeof(*r))
		return true;
	look_end(l);
	return false;
}
