// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "flashing.h"
#include "image_file.h"
#include "report.h"

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

static int flash(const struct image *img, struct source *src, int reports, struct fault *f)
{
	const struct engine_events events = { &reports, on_begin, on_progress, on_note };
	struct engine_counts counts[IMAGE_PAYLOADS_MAX];
	bool begun;

	if (flashing_run(img, src, &events, counts, &begun, f) < 0)
		return -1;
	for (unsigned int i = 0; i < img->payload_count; i++) {
		char text[256];

		flashing_tell(text, sizeof(text), &img->payload[i], &counts[i]);
		on_note(&reports, text);
	}
	return 0;
}

int worker_flash(const char *image, int reports, struct fault *f)
{
	struct image_file file;
	int result;

	result = image_file_open(&file, image, NULL, f);
	if (result == 0)
		result = flash(&file.image, &file.source, reports, f);
	image_file_close(&file);
	return result;
}
