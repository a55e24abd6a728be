// SPDX-License-Identifier: GPL-2.0-or-later
#include "flashing.h"

#include <stdio.h>
#include <string.h>

#include "target_open.h"

/*
 * Whether two devices are one. A volume has the device of its UBI as long as it does not exist, and
 * an attempt before this one may have made it, or have failed half-way through making it anew.
 */
static bool is_same(const char *a, const char *b)
{
	size_t ubi = strcspn(a, "_");

	if (strcmp(a, b) == 0)
		return true;
	return strncmp(a, "ubi", 3) == 0 && strncmp(a, b, ubi) == 0 && ubi == strcspn(b, "_") &&
	       (!a[ubi] || !b[ubi]);
}

static int open_target(struct target **t, const struct payload *p, const char *looked_at,
		       struct fault *f)
{
	if (target_open(t, p, TARGET_WRITE, f) < 0)
		return -1;
	if (is_same((*t)->device, looked_at))
		return 0;
	return fault_set(f, FAULT_UNFIT,
			 "%s is %s now, and was %s when it was looked at; try again", p->part,
			 (*t)->device, looked_at);
}

int flashing_run(const struct targets *looked_at, const struct image *img, struct source *src,
		 const struct engine_events *events, struct engine_counts *counts, bool *begun,
		 struct fault *f)
{
	struct target *targets[IMAGE_PAYLOADS_MAX] = { NULL };
	int result = 0;

	*begun = false;
	for (unsigned int i = 0; result == 0 && i < img->payload_count; i++)
		result = open_target(&targets[i], &img->payload[i], looked_at->device[i], f);
	if (result == 0)
		result = engine_run(img, src, targets, events, counts, begun, f);
	for (unsigned int i = 0; i < img->payload_count; i++)
		target_close(targets[i]);
	return result;
}

int flashing_check_data(const struct image *img, struct source *src, struct fault *f)
{
	struct target *targets[IMAGE_PAYLOADS_MAX] = { NULL };
	int result = 0;

	if (!engine_asks_for_data(img))
		return 0;
	for (unsigned int i = 0; result == 0 && i < img->payload_count; i++)
		result = target_open(&targets[i], &img->payload[i], TARGET_LOOK, f);
	if (result == 0)
		result = engine_check_data(img, src, targets, f);
	for (unsigned int i = 0; i < img->payload_count; i++)
		target_close(targets[i]);
	return result;
}

int flashing_check(struct firmware *fw, struct fault *f)
{
	struct source *src;

	if (firmware_is_stream(fw) || !engine_asks_for_data(firmware_image(fw)))
		return 0;
	if (firmware_chunks(fw, &src, f) < 0)
		return -1;
	return flashing_check_data(firmware_image(fw), src, f);
}

void flashing_tell(char *text, size_t size, const struct payload *p, const struct engine_counts *c)
{
	(void)snprintf(text, size,
		       "%s%s%s: %u eraseblocks written, %u identical, %u cleared behind the image, "
		       "%u bad skipped, %u newly bad, %u retried, %u bit flips corrected",
		       p->part, p->volume[0] ? ":" : "", p->volume, c->written, c->identical,
		       c->cleared, c->bad, c->newly_bad, c->retried, c->flips);
}
