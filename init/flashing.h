/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image onto its targets, by whoever it is that writes: PID 1's worker, or the verb write.
 */
#ifndef INIT_FLASHING_H
#define INIT_FLASHING_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"
#include "fault.h"
#include "firmware.h"
#include "image.h"
#include "source.h"
#include "targets.h"

/*
 * Opens all targets and has the engine write them; arguments and faults are engine_run()'s. Those
 * targets only that were looked at: a name that means another device by now is FAULT_UNFIT.
 */
int flashing_run(const struct targets *looked_at, const struct image *img, struct source *src,
		 const struct engine_events *events, struct engine_counts *counts, bool *begun,
		 struct fault *f);

/*
 * Checks, where the firmware can be read again, that its data is what its targets take, as far as that
 * can be known before anything is changed. FAULT_IMAGE or FAULT_UNFIT.
 */
int flashing_check(struct firmware *fw, struct fault *f);

/*
 * The same for an image that is open; src stands at its first chunk, and stays there if no target asks
 * for data.
 */
int flashing_check_data(const struct image *img, struct source *src, struct fault *f);

/* What became of a payload's eraseblocks, as a line for people. */
void flashing_tell(char *text, size_t size, const struct payload *p, const struct engine_counts *c);

#endif
