// SPDX-License-Identifier: GPL-2.0-or-later
#include "write.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "engine.h"
#include "files.h"
#include "flashing.h"
#include "journaling.h"
#include "json.h"
#include "lock.h"
#include "memory.h"
#include "progress.h"
#include "say.h"
#include "targets.h"

enum {
	ATTEMPTS = 3,
	BETWEEN_MS = 1000,
	MEMORY_MARGIN =
		1 << 20, /* bytes: for stacks, zlib, who reads plain images, and everybody else */
};

struct writing {
	struct firmware firmware;
	struct targets targets;
	struct progress progress;
	char boost[MEMORY_SETTING]; /* as memory_hold_nothing_back() found it */
	int lock;
	struct journaling journal;
	bool good;  /* what is written is good: nobody has to try it */
	bool begun; /* flash was changed: there is no way back */
	struct engine_counts counts[IMAGE_PAYLOADS_MAX];
};

/* All buffers are there by now: what they lack is got while nothing is changed yet. */
static int keep_memory(struct fault *f)
{
	if (mlockall(MCL_CURRENT) < 0 && (errno == ENOMEM || errno == EAGAIN))
		return fault_errno(f, FAULT_UNFIT,
				   "cannot lock the memory that writing needs; stop some programs");
	memory_spare_us();
	return 0;
}

/* A target that is half written is no use to anybody: nothing stops us any more, but the end. */
static int on_begin(void *ctx, struct fault *f)
{
	struct writing *w = ctx;
	sigset_t all;

	if (targets_still_unused(&w->targets, f) < 0 || (!w->begun && keep_memory(f) < 0))
		return -1;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	if (journaling_begin(&w->journal, firmware_image(&w->firmware), f) < 0) {
		if (!w->begun)
			return -1;
		say("%s", f->text);
	}
	if (!w->begun)
		say("writing; this cannot be interrupted now");
	w->begun = true;
	return 0;
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	progress_show(&((struct writing *)ctx)->progress, done, total);
}

static void on_note(void *ctx, const char *text)
{
	progress_end(&((struct writing *)ctx)->progress);
	say("%s", text);
}

static int try_once(struct writing *w, struct fault *f)
{
	const struct engine_events events = { w, on_begin, on_progress, on_note, NULL };
	struct source *src;
	bool begun;
	int result;

	if (firmware_chunks(&w->firmware, &src, f) < 0)
		return -1;
	progress_start(&w->progress, "writing");
	result = flashing_run(&w->targets, firmware_image(&w->firmware), src, &events, w->counts,
			      &begun, f);
	progress_end(&w->progress);
	if (result < 0)
		return -1;
	return journaling_end(&w->journal, firmware_image(&w->firmware), w->good, w->begun, f);
}

/* What is right already is left alone, so that another attempt costs little. */
static int try_often(struct writing *w, struct fault *f)
{
	int result = try_once(w, f);

	for (int n = 1; result < 0 && w->begun && n < ATTEMPTS; n++) {
		if (firmware_is_stream(&w->firmware) || f->err == ENOTRECOVERABLE)
			break;
		(void)say_fault(f);
		say("trying again");
		(void)poll(NULL, 0, BETWEEN_MS);
		result = try_once(w, f);
	}
	return result;
}

static void tell_target(const struct payload *p, const struct engine_counts *c, uint64_t ms)
{
	char text[256], part[JSON_QUOTED(sizeof(p->part))], volume[JSON_QUOTED(sizeof(p->volume))];

	if (!say_is_json()) {
		flashing_tell(text, sizeof(text), p, c);
		say("%s", text);
		return;
	}
	json_event("target",
		   "\"partition\":%s,\"volume\":%s,\"written\":%" PRIu32 ",\"identical\":%" PRIu32
		   ",\"cleared\":%" PRIu32 ",\"bad\":%" PRIu32 ",\"newly_bad\":%" PRIu32
		   ",\"retried\":%" PRIu32 ",\"flips\":%" PRIu32 ",\"seconds\":%" PRIu64
		   ".%03" PRIu64,
		   json_quote(part, p->part), json_quote(volume, p->volume), c->written,
		   c->identical, c->cleared, c->bad, c->newly_bad, c->retried, c->flips, ms / 1000,
		   ms % 1000);
}

static int flash(struct writing *w, struct fault *f)
{
	const struct image *img = firmware_image(&w->firmware);
	uint64_t ms = clock_ms();

	if (try_often(w, f) < 0) {
		if (f->err == ENOTRECOVERABLE)
			lock_until_reboot();
		return -1;
	}
	ms = clock_ms() - ms;
	for (unsigned int i = 0; i < img->payload_count; i++)
		tell_target(&img->payload[i], &w->counts[i], ms);
	say("written and proven in %" PRIu64 ".%" PRIu64 " s", ms / 1000, ms / 100 % 10);
	return 0;
}

static int check_memory(const struct writing *w, struct fault *f)
{
	uint64_t need = engine_memory(firmware_image(&w->firmware), w->targets.eraseblock), have;

	return memory_check("/proc/meminfo", MEMORY_MARGIN + need, &have, f);
}

static int look_at_journal(struct writing *w, const struct config *config, struct fault *f)
{
	struct finding found = { .figures = 0 };

	w->journal.partition = journaling_of(config, firmware_image(&w->firmware));
	w->good = config->tries == 0;
	if (!*w->journal.partition)
		return 0;
	if (journaling_look(w->journal.partition, &w->targets, &found, f) < 0)
		return -1;
	say("%s", found.text);
	return 0;
}

static int run(struct writing *w, const struct config *config, const struct write_options *o,
	       struct fault *f)
{
	if (firmware_open(&w->firmware, o->firmware, config, f) < 0 ||
	    targets_look(&w->targets, firmware_image(&w->firmware), f) < 0 ||
	    look_at_journal(w, config, f) < 0 || targets_unused(&w->targets, f) < 0 ||
	    check_memory(w, f) < 0 || flashing_check(&w->firmware, f) < 0)
		return -1;
	if (!o->dry_run) {
		memory_hold_nothing_back(MEMORY_VM, w->boost);
		return flash(w, f);
	}
	say("nothing was changed");
	return 0;
}

static int fail(const struct writing *w, struct fault *f)
{
	if (w->begun)
		f->kind = FAULT_FLASH; /* whatever it was */
	(void)say_fault(f);
	if (w->begun)
		say_error("the firmware is incomplete: write it again");
	return (int)f->kind;
}

int write_firmware(const struct write_options *o)
{
	struct config config;
	struct writing w;
	struct fault f;
	int code = 0;

	memset(&w, 0, sizeof(w));
	firmware_init(&w.firmware);
	if (o->json)
		say_as_json();
	w.lock = lock_take(&f);
	if (w.lock < 0 || config_read(&config, CONFIG_FILE, &f) < 0 || run(&w, &config, o, &f) < 0)
		code = fail(&w, &f);
	if (o->json)
		(void)json_end(code ? &f : NULL); /* the code is known */
	journaling_close(&w.journal);
	memory_hold_back(MEMORY_VM, w.boost);
	firmware_close(&w.firmware);
	if (w.lock >= 0)
		(void)close(w.lock); /* nothing was written through it */
	return code;
}
