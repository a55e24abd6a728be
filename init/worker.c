// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "clear.h"
#include "flashing.h"
#include "image_file.h"
#include "journaling.h"
#include "media.h"
#include "outcome.h"
#include "report.h"
#include "seals_file.h"

struct worker {
	int reports;
	const struct plan *plan;
	bool begun; /* by an attempt before this one */
	const struct image *img;
	struct journaling journal;
	struct engine_counts counts[IMAGE_PAYLOADS_MAX];
	uint32_t marked; /* in each count at first, ... */
	uint32_t told;   /* ... and beyond that, by now */
};

/* Whoever comes after this, if it fails or crashes, is to know. */
static void tell_marked(struct worker *w)
{
	struct report r;
	uint32_t marked = 0;

	memset(&r, 0, sizeof(r));
	r.kind = REPORT_MARKED;
	for (unsigned int i = 0; i < w->img->payload_count; i++)
		marked += w->counts[i].newly_bad - w->marked;
	r.done = marked - w->told;
	w->told = marked;
	if (r.done)
		(void)report_send(w->reports, &r); /* the flash matters, not who hears of it */
}

/* Where an old firmware is whole, what the journal cannot note does not begin. */
static int note_begin(struct worker *w, struct fault *f)
{
	if (journaling_begin(&w->journal, w->img, f) == 0)
		return 0;
	if (!w->begun && !*w->plan->recover)
		return -1;
	(void)report_text(w->reports, REPORT_SAY, "%s", f->text);
	return 0;
}

/* If the journal or PID 1 cannot be told that the point of no return comes, it is not passed. */
static int on_begin(void *ctx, struct fault *f)
{
	struct worker *w = ctx;
	sigset_t child;

	if (note_begin(w, f) < 0)
		return -1;
	if (report_text(w->reports, REPORT_BEGIN, "erasing") < 0)
		return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
	if (w->begun)
		return 0;
	/* Blocked, it is waited for. */
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	outcome_tell(w->plan, FAULT_FLASH, "begun", "erasing and writing");
	return 0;
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct worker *w = ctx;
	struct report r;

	tell_marked(w);
	memset(&r, 0, sizeof(r));
	r.kind = REPORT_PROGRESS;
	r.done = done;
	r.total = total;
	(void)report_send(w->reports, &r); /* as there */
}

static void on_note(void *ctx, const char *text)
{
	struct worker *w = ctx;

	tell_marked(w);
	(void)report_text(w->reports, REPORT_SAY, "%s", text);
}

static void on_lengthy(void *ctx, uint64_t ms)
{
	const struct worker *w = ctx;
	struct report r = { .kind = REPORT_ALIVE, .done = ms, .text = "erasing a volume" };

	(void)report_send(w->reports, &r);
}

static void tell(struct worker *w)
{
	for (unsigned int i = 0; i < w->img->payload_count; i++) {
		char text[256];

		flashing_tell(text, sizeof(text), &w->img->payload[i], &w->counts[i]);
		on_note(w, text);
	}
}

/*
 * The journal tries all that it has before it fails: another attempt would fail, too. The next boot has
 * a whole firmware, and whoever guards it may write it once more.
 */
static int note_end(struct worker *w, bool begun, struct fault *f)
{
	if (journaling_end(&w->journal, w->img, !*w->plan->tries, begun || w->begun, f) == 0)
		return 0;
	if (*w->plan->recover) { /* which would come to the same again */
		(void)report_text(w->reports, REPORT_SAY, "%s", f->text);
		return 0;
	}
	f->err = ENOTRECOVERABLE;
	return -1;
}

static int flash(struct worker *w, const struct image *img, struct source *src, uint32_t marked,
		 struct fault *f)
{
	const struct engine_events events = { w, on_begin, on_progress, on_note, on_lengthy };
	struct targets looked_at;
	bool begun;
	int result;

	w->img = img;
	w->marked = marked;
	for (unsigned int i = 0; i < img->payload_count; i++)
		w->counts[i].newly_bad = marked;
	targets_from_names(&looked_at, w->plan->targets);
	result = flashing_run(&looked_at, img, src, &events, w->counts, &begun, f);
	tell_marked(w);
	if (result < 0)
		return -1;
	tell(w);
	return note_end(w, begun, f);
}

static void on_verified(void *ctx, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	(void)report_text(*(int *)ctx, REPORT_ALIVE, "reading the image once more");
}

/*
 * It may have been damaged or replaced, or its device have gone, while init shut down. Nobody else
 * uses its file system any more: from now on a power cut finds it in order.
 */
static int verify_at_home(const struct plan *plan, struct image_file *file, int reports,
			  struct fault *f)
{
	/* A file system that cannot be made read-only is read all the same; the outcome may go there. */
	if (!*plan->outcome)
		(void)mount(NULL, plan->image, NULL,
			    MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (image_verify(&file->image, &file->source, on_verified, &reports, f) < 0)
		return -1;
	return source_back_to(&file->source, image_file_size(&file->image) - file->image.body_size,
			      f);
}

static void on_checked(void *ctx, uint64_t done, uint64_t total)
{
	const struct report r = {
		.kind = REPORT_PROGRESS,
		.done = done,
		.total = total,
		.text = "verifying",
	};

	(void)report_send(*(int *)ctx, &r); /* as there */
}

/*
 * It was found, and nobody has looked yet at more than its index: all that an update finds out before it
 * takes over. The plan has targets only once all of that is well: from then on nobody asks again.
 */
static int prepare(struct plan *plan, struct image_file *file, int reports, struct fault *f)
{
	const uint64_t chunks = image_file_size(&file->image) - file->image.body_size;
	struct plan proven = *plan;
	struct targets targets;

	if (image_verify(&file->image, &file->source, on_checked, &reports, f) < 0 ||
	    report_text(reports, REPORT_SAY, "%s: whole", plan->image) < 0 ||
	    targets_look(&targets, &file->image, f) < 0)
		return -1;
	targets_to_names(proven.targets, &targets);
	if (journaling_apart(plan->journal, &targets, f) < 0 ||
	    clear_and_prove(&proven, reports, f) < 0 ||
	    source_back_to(&file->source, chunks, f) < 0 ||
	    flashing_check_data(&file->image, &file->source, f) < 0)
		return -1;
	*plan = proven;
	if (report_text(reports, REPORT_TARGETS, "%s", plan->targets) < 0)
		return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
	return source_back_to(&file->source, chunks, f);
}

int worker_flash(struct plan *plan, bool begun, uint32_t marked, int reports, struct fault *f)
{
	struct worker w = {
		.reports = reports, .plan = plan, .begun = begun, .journal.partition = plan->journal
	};
	struct image_file file;
	int result;

	if (media_mount_for(plan->image, f) < 0)
		return -1;
	result = image_file_open(&file, plan->image, NULL, f);
	if (result == 0 && !plan_is_for(plan, &file.image))
		result = fault_set(f, FAULT_IMAGE, "%s: it is another image now", plan->image);
	if (result == 0)
		seals_file_take(PLAN_SEALS, &file.image);
	if (result == 0 && *plan->home && !begun)
		result = verify_at_home(plan, &file, reports, f);
	if (result == 0 && !*plan->targets)
		result = prepare(plan, &file, reports, f);
	if (result == 0)
		result = flash(&w, &file.image, &file.source, marked, f);
	journaling_close(&w.journal);
	image_file_close(&file);
	return result;
}
