// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "image_file.h"
#include "report.h"
#include "target_mtd.h"

/* If PID 1 cannot be told that the point of no return comes, it is not passed. */
static int on_begin(void *ctx, struct fault *f)
{
	if (report_text(*(int *)ctx, REPORT_BEGIN, "erasing") < 0)
		return fault_errno(f, FAULT_FAILED, "cannot report to PID 1");
	return 0;
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct report r;

	memset(&r, 0, sizeof(r));
	r.kind = REPORT_PROGRESS;
	r.done = done;
	r.total = total;
	(void)report_send(*(int *)ctx, &r); /* the flash matters, not who hears of it */
}

static void on_note(void *ctx, const char *text)
{
	(void)report_text(*(int *)ctx, REPORT_SAY, "%s", text);
}

static void report_counts(int reports, const struct image *img, const struct engine_counts *counts)
{
	for (unsigned int i = 0; i < img->payload_count; i++) {
		const struct engine_counts *c = &counts[i];

		(void)report_text(reports, REPORT_SAY,
				  "%s: %u eraseblocks written, %u identical, %u cleared behind the "
				  "image, %u bad skipped, %u newly bad, %u retried, %u bit flips "
				  "corrected",
				  img->payload[i].part, c->written, c->identical, c->cleared,
				  c->bad, c->newly_bad, c->retried, c->flips);
	}
}

static int flash_targets(const struct image *img, struct source *src, int reports, struct fault *f)
{
	const struct engine_events events = { &reports, on_begin, on_progress, on_note };
	struct target *targets[IMAGE_PAYLOADS_MAX] = { NULL };
	struct engine_counts counts[IMAGE_PAYLOADS_MAX];
	int result = 0;
	bool begun;

	for (unsigned int i = 0; result == 0 && i < img->payload_count; i++)
		result = target_open_mtd(&targets[i], img->payload[i].part, TARGET_WRITE, NULL, f);
	if (result == 0)
		result = engine_run(img, src, targets, &events, counts, &begun, f);
	if (result == 0)
		report_counts(reports, img, counts);
	for (unsigned int i = 0; i < img->payload_count; i++)
		target_close(targets[i]);
	return result;
}

/* libmtd tells stderr what we tell better; and its errno must survive (it must be open). */
static void silence_libmtd(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		(void)dup2(null, STDERR_FILENO); /* otherwise its lines go to the console, too */
}

int worker_flash(const char *image, int reports, struct fault *f)
{
	struct image_file file;
	int result;

	silence_libmtd();
	result = image_file_open(&file, image, NULL, f);
	if (result == 0)
		result = flash_targets(&file.image, &file.source, reports, f);
	image_file_close(&file);
	return result;
}
