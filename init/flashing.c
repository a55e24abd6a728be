// SPDX-License-Identifier: GPL-2.0-or-later
#include "flashing.h"

#include <stdio.h>

#include "target_open.h"

int flashing_run(const struct image *img, struct source *src, const struct engine_events *events,
		 struct engine_counts *counts, bool *begun, struct fault *f)
{
	struct target *targets[IMAGE_PAYLOADS_MAX] = { NULL };
	int result = 0;

	*begun = false;
	for (unsigned int i = 0; result == 0 && i < img->payload_count; i++)
		result = target_open(&targets[i], &img->payload[i], TARGET_WRITE, f);
	if (result == 0)
		result = engine_run(img, src, targets, events, counts, begun, f);
	for (unsigned int i = 0; i < img->payload_count; i++)
		target_close(targets[i]);
	return result;
}

void flashing_tell(char *text, size_t size, const struct payload *p, const struct engine_counts *c)
{
	(void)snprintf(text, size,
		       "%s%s%s: %u eraseblocks written, %u identical, %u cleared behind the image, "
		       "%u bad skipped, %u newly bad, %u retried, %u bit flips corrected",
		       p->part, p->volume[0] ? ":" : "", p->volume, c->written, c->identical,
		       c->cleared, c->bad, c->newly_bad, c->retried, c->flips);
}
