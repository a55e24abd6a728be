// SPDX-License-Identifier: GPL-2.0-or-later
#include "search.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zlib.h>

#include "admission.h"
#include "child.h"
#include "clock.h"
#include "files.h"
#include "look.h"
#include "media.h"
#include "report.h"
#include "say.h"
#include "uevent.h"
#include "version_order.h"
#include "watchdog.h"

enum {
	LOOK_LIMIT_MS = 60000, /* a stick that is worn out tries again and again */
	AT_ONCE = 4,           /* looks */
	LOOKS_MAX = 64,
	FOUND_MAX = 32,
	BEAT_MS = 60000, /* between two signs of life while nothing happens */
	STALL_MS = 3 * BEAT_MS,
	AFTER_FAULT_MS = 30000,
};

/* The child's. */
struct hunt {
	const struct search *search;
	const struct plan *plan;
	struct config config;
	int reports;
	int uevents;
	uint64_t choose_ms;   /* not before that: a newer one may come */
	uint64_t patience_ms; /* what was passed over will do from then on; or 0: never */
	struct look look[LOOKS_MAX];
	unsigned int found_count;
	struct {
		struct found image;
		char place[32]; /* of struct look */
	} found[FOUND_MAX + 1];
};

/* PID 1's. */
struct searching {
	struct search *search;
	struct plan *plan;
	unsigned int patience_ms;
};

void search_init(struct search *s, const struct plan *plan)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->wanted, plan->wanted, sizeof(s->wanted));
	memcpy(s->version, plan->firmware, sizeof(s->version));
	memcpy(s->not_image, plan->not_image, sizeof(s->not_image));
}

void search_want(struct search *s, const struct plan *plan)
{
	memcpy(s->wanted, plan->sha256, sizeof(s->wanted));
	memcpy(s->version, plan->firmware, sizeof(s->version));
	s->not_image[0] = '\0';
}

static bool is_among(const uint32_t *list, unsigned int count, unsigned int max, uint32_t number)
{
	for (unsigned int i = 0; i < count && i < max; i++)
		if (list[i] == number)
			return true;
	return false;
}

/* The oldest ones are forgotten. */
static void remember(uint32_t *list, unsigned int *count, unsigned int max, uint32_t number)
{
	if (!is_among(list, *count, max, number))
		list[(*count)++ % max] = number;
}

static bool is_passed(const struct search *s, uint32_t mark)
{
	return is_among(s->passed, s->passed_count, SEARCH_PASSED_MAX, mark);
}

void search_pass_over(struct search *s, bool refused)
{
	remember(s->passed, &s->passed_count, SEARCH_PASSED_MAX, s->found);
	if (refused)
		remember(s->refused, &s->refused_count, SEARCH_PASSED_MAX, s->found);
}

bool search_is_named(const char *path, const struct fault *f)
{
	return strncmp(f->text, path, strlen(path)) == 0;
}

/* Lines and words that make no sense must not keep anybody from being helped, but for limits. */
static int read_config(struct config *c, struct fault *f)
{
	char *words;

	if (config_read(c, CONFIG_FILE, f) < 0 && c->unsure)
		return -1;
	words = file_read_text("/proc/cmdline");
	if (words)
		(void)config_take_words(c, words, f);
	free(words);
	return 0;
}

/* A line for people; PID 1 is there as long as we are. */
#define tell(h, ...) ((void)report_text((h)->reports, REPORT_SAY, __VA_ARGS__))

/* Forgets what was found there. */
static void forget(struct hunt *h, const char *place)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < LOOKS_MAX; i++)
		if (strcmp(h->look[i].place, place) == 0)
			look_end(&h->look[i]);
	for (unsigned int i = 0; i < h->found_count; i++)
		if (strcmp(h->found[i].place, place) != 0)
			h->found[left++] = h->found[i];
	h->found_count = left;
}

static void look_at(struct hunt *h, const char *place, uint64_t instance)
{
	forget(h, place);
	for (unsigned int i = 0; i < LOOKS_MAX; i++) {
		if (h->look[i].place[0])
			continue;
		(void)snprintf(h->look[i].place, sizeof(h->look[i].place), "%s", place);
		h->look[i].instance = instance;
		return;
	}
	tell(h, "passed over: %s: more devices than can be looked at", place);
}

static bool wants_media(const struct hunt *h)
{
	for (unsigned int i = 0; i < h->config.source_count; i++)
		if (strncmp(h->config.source[i], "file:", 5) == 0)
			return true;
	return false;
}

static void look_at_medium(struct hunt *h, const char *device)
{
	if (wants_media(h) && media_may_hold(device))
		look_at(h, device, media_instance(device));
}

static void look_at_partitions(struct hunt *h)
{
	for (unsigned int i = 0; i < h->config.source_count; i++)
		if (strncmp(h->config.source[i], "mtd:", 4) == 0)
			look_at(h, h->config.source[i], 0);
}

static void look_everywhere(struct hunt *h)
{
	DIR *dir = opendir("/sys/class/block");
	struct dirent *e;

	look_at_partitions(h);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			look_at_medium(h, e->d_name);
	if (dir)
		(void)closedir(dir);
}

static void take_event(struct hunt *h, const struct uevent *e)
{
	bool block = strcmp(e->subsystem, "block") == 0;

	/* It may be what an image that was passed over is for. */
	if (e->action == UEVENT_ADD && (block || strcmp(e->subsystem, "mtd") == 0))
		h->patience_ms = clock_ms();
	if (e->action == UEVENT_LOST)
		look_everywhere(h);
	else if (strcmp(e->subsystem, "mtd") == 0 && e->action == UEVENT_ADD)
		look_at_partitions(h);
	else if (block && e->action != UEVENT_OTHER)
		forget(h, e->device);
	if (block && (e->action == UEVENT_ADD || e->action == UEVENT_MEDIUM))
		look_at_medium(h, e->device);
}

static void take_events(struct hunt *h)
{
	struct uevent e;

	while (h->uevents >= 0 && uevent_next(h->uevents, &e))
		take_event(h, &e);
}

static void take_look(struct hunt *h, struct look *l)
{
	unsigned int n = h->found_count;
	struct report r;

	(void)snprintf(h->found[n].place, sizeof(h->found[n].place), "%.31s", l->place);
	if (!look_take(l, &r))
		return;
	if (r.kind == REPORT_FOUND) {
		memcpy(&h->found[n].image, r.text, sizeof(h->found[n].image));
		h->found_count += n < FOUND_MAX; /* then there is enough to choose from */
	} else {
		r.done =
			l->instance; /* plugged in anew it is another one, of which it is said again */
		(void)report_send(h->reports, &r);
	}
}

/* Starts those that wait, and ends those that take too long. Returns how many are not done. */
static unsigned int mind_looks(struct hunt *h)
{
	unsigned int running = 0, left = 0;

	for (unsigned int i = 0; i < LOOKS_MAX; i++) {
		struct look *l = &h->look[i];

		if (l->pid && clock_ms() >= l->deadline_ms) {
			tell(h, "passed over: %s: gives no answer for %d s", l->place,
			     LOOK_LIMIT_MS / 1000);
			look_end(l);
		}
		running += l->pid != 0;
		left += l->place[0] != '\0';
	}
	for (unsigned int i = 0; i < LOOKS_MAX && running < AT_ONCE; i++)
		if (h->look[i].place[0] && !h->look[i].pid)
			running += look_start(&h->look[i], h->search, &h->config, LOOK_LIMIT_MS);
	return left;
}

/* Whether a is to be taken, and not b. */
static bool is_better(const struct hunt *h, const struct found *a, const struct found *b)
{
	bool passed = is_passed(h->search, a->mark);
	int order;

	if (passed != is_passed(h->search, b->mark))
		return !passed;
	if (a->rollback != b->rollback)
		return a->rollback > b->rollback;
	order = version_order(a->version, b->version);
	if (order)
		return order > 0;
	if (a->source != b->source)
		return a->source < b->source;
	return strcmp(a->path, b->path) < 0;
}

static bool may_take(const struct hunt *h, const struct found *image)
{
	const struct search *s = h->search;

	if (h->patience_ms && clock_ms() >= h->patience_ms)
		return !is_among(s->refused, s->refused_count, SEARCH_PASSED_MAX, image->mark);
	return !is_passed(s, image->mark);
}

static const struct found *choose(const struct hunt *h)
{
	const struct found *best = NULL;

	for (unsigned int i = 0; i < h->found_count; i++) {
		const struct found *image = &h->found[i].image;

		if (may_take(h, image) && (!best || is_better(h, image, best)))
			best = image;
	}
	return best;
}

static int report_found(const struct hunt *h, const struct found *image, struct fault *f)
{
	struct report r;

	memset(&r, 0, sizeof(r));
	r.kind = REPORT_FOUND;
	memcpy(r.text, image, sizeof(*image));
	if (report_send(h->reports, &r) < 0)
		return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
	return 0;
}

/* The sooner one, of which 0 is none. */
static uint64_t sooner(uint64_t a, uint64_t b)
{
	return b && b < a ? b : a;
}

static unsigned int time_left(const struct hunt *h)
{
	uint64_t now = clock_ms(), next = now + BEAT_MS;

	for (unsigned int i = 0; i < LOOKS_MAX; i++)
		next = sooner(next, h->look[i].deadline_ms);
	if (h->choose_ms > now)
		next = sooner(next, h->choose_ms);
	if (h->patience_ms > now)
		next = sooner(next, h->patience_ms);
	return next > now ? (unsigned int)(next - now) : 0;
}

static void wait_for_news(struct hunt *h)
{
	struct pollfd p[1 + LOOKS_MAX] = { { .fd = h->uevents, .events = POLLIN } };

	for (unsigned int i = 0; i < LOOKS_MAX; i++) {
		p[1 + i].fd = h->look[i].pid ? h->look[i].reports : -1;
		p[1 + i].events = POLLIN;
	}
	if (poll(p, 1 + LOOKS_MAX, (int)time_left(h)) <= 0)
		return;
	for (unsigned int i = 0; i < LOOKS_MAX; i++)
		if (p[1 + i].revents)
			take_look(h, &h->look[i]);
}

static void tell_what_is_looked_for(const struct hunt *h)
{
	const struct search *s = h->search;
	struct board_names names;

	for (unsigned int i = 0; i < h->config.source_count; i++)
		tell(h, "looking for an image: %s", h->config.source[i]);
	board_names_find(&names, &h->config, &board_live);
	if (names.count)
		tell(h, "it must be for this board: %s", names.name[0]);
	if (*s->wanted)
		tell(h, "it must be the one that was begun, firmware %s (%.12s), or a newer one",
		     s->version, s->wanted);
}

static int start(struct hunt *h, struct fault *f)
{
	h->uevents = uevent_open(f); /* before the first look: nothing is missed between them */
	if (h->uevents < 0)
		tell(h, "%s", f->text);
	if (read_config(&h->config, f) < 0)
		return -1;
	if (h->config.source_count == 0) {
		memcpy(h->config.source[0], LOOK_DEFAULT, sizeof(LOOK_DEFAULT));
		h->config.source_count = 1;
	}
	h->choose_ms = clock_ms() + (uint64_t)h->config.wait * 1000;
	tell_what_is_looked_for(h);
	/* That of an ordinary update, which may only have been out of reach for a moment. */
	if (*h->plan->image && strncmp(h->plan->image, MEDIA_FOLDER, strlen(MEDIA_FOLDER)) != 0 &&
	    strncmp(h->plan->image, "/dev/", 5) != 0)
		look_at(h, h->plan->image, 0);
	look_everywhere(h);
	return 0;
}

static int hunt(struct hunt *h, struct fault *f)
{
	if (start(h, f) < 0)
		return -1;
	for (;;) {
		struct report alive = { .kind = REPORT_ALIVE, .text = "waiting for an image" };
		unsigned int left = mind_looks(h);

		if (left == 0 && clock_ms() >= h->choose_ms) {
			const struct found *image = choose(h);

			if (image)
				return report_found(h, image, f);
			tell(h, "there is no image that will do: waiting for a medium with one");
			if (h->uevents < 0)
				return fault_set(f, FAULT_UNFIT, "looking again");
		}
		if (report_send(h->reports, &alive) < 0)
			return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
		wait_for_news(h);
		take_events(h);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			; /* what they had to say, they said */
	}
}

static int run_search(void *ctx, int reports, struct fault *f)
{
	const struct searching *s = ctx;
	struct hunt *h = calloc(1, sizeof(*h));

	if (!h)
		return fault_errno(f, FAULT_FAILED, "no memory for a search");
	h->search = s->search;
	h->plan = s->plan;
	h->reports = reports;
	h->patience_ms = s->patience_ms ? clock_ms() + s->patience_ms : 0;
	return hunt(h, f); /* with the process all of it goes */
}

/* What a child says may be anything. */
static void take_image(const struct searching *s, const struct report *r)
{
	struct plan *plan = s->plan;
	struct found found;

	memcpy(&found, r->text, sizeof(found));
	found.id[sizeof(found.id) - 1] = '\0';
	found.version[sizeof(found.version) - 1] = '\0';
	found.path[sizeof(found.path) - 1] = '\0';
	if (strcmp(found.id, plan->sha256) != 0)
		plan->targets[0] = '\0';
	memcpy(plan->sha256, found.id, sizeof(plan->sha256));
	memcpy(plan->firmware, found.version, sizeof(plan->firmware));
	memcpy(plan->image, found.path, sizeof(plan->image));
	s->search->found = found.mark;
}

static void on_report(void *ctx, const struct report *r)
{
	struct searching *s = ctx;
	uint32_t sum;

	if (r->kind == REPORT_FOUND)
		take_image(s, r);
	if (r->kind != REPORT_SAY)
		return;
	sum = (uint32_t)crc32(0, (const uint8_t *)r->text, (unsigned int)strlen(r->text));
	sum ^= (uint32_t)r->done;
	if (!is_among(s->search->said, s->search->said_count, SEARCH_SAID_MAX, sum))
		say("%s", r->text);
	remember(s->search->said, &s->search->said_count, SEARCH_SAID_MAX, sum);
}

void search_for_image(struct search *s, struct plan *plan, unsigned int patience_ms)
{
	struct searching searching = { .search = s, .plan = plan, .patience_ms = patience_ms };
	const struct child_work work = {
		.name = "the search for an image",
		.run = run_search,
		.ctx = &searching,
		.stall_ms = STALL_MS,
		.on_report = on_report,
		.report_ctx = &searching,
	};
	struct fault f;

	while (child_run(&work, &f) != CHILD_SUCCEEDED) {
		(void)say_fault(&f);
		(void)watchdog_poll(NULL, 0, AFTER_FAULT_MS);
	}
}
