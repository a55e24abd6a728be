/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 0: everything that can be found out before anything is changed.
 */
#ifndef INIT_PREFLIGHT_H
#define INIT_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "admission.h"
#include "config.h"
#include "fault.h"
#include "image_file.h"
#include "raw.h"

/* The firmware that is asked for: an image, or else plain partition images. */
struct firmware {
	const char *image;
	struct raw_input raw[IMAGE_PAYLOADS_MAX];
	unsigned int raw_count;
	struct admission except;
};

struct preflight {
	struct config config;
	struct image_file file;
	struct raw_image raw;
	bool is_raw;
	uint64_t staged; /* bytes that the RAM root will hold */
	int lock;
	char busybox[32]; /* version of the init that hands over */
};

/*
 * Opens and verifies the firmware in full, and checks that this device takes it, that this system
 * can be taken over and that the firmware fits its flash, telling each finding. Keeps the firmware
 * (which must outlive p) open and the lock; release with preflight_end(), also after a failure.
 */
int preflight_run(struct preflight *p, struct firmware *fw, struct fault *f);
void preflight_end(struct preflight *p);

/*
 * Writes the firmware, as an image, to the new file path. keep_going, asked now and then, ends the
 * work with a 0.
 */
int preflight_copy_image(struct preflight *p, const char *path, int (*keep_going)(void),
			 struct fault *f);

#endif
