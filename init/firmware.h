/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware that is asked for: an image, or plain partition images that are made into one.
 */
#ifndef INIT_FIRMWARE_H
#define INIT_FIRMWARE_H

#include <stdbool.h>

#include "admission.h"
#include "config.h"
#include "fault.h"
#include "feeder.h"
#include "finding.h"
#include "image_file.h"
#include "include.h"
#include "raw.h"

struct firmware_request {
	const char *image; /* or else: */
	struct raw_input raw[IMAGE_PAYLOADS_MAX];
	unsigned int raw_count;
	struct admission except;
	const char *exec; /* a command line that is to do the writing; then there may be no image */
	const char *include[INCLUDE_WORDS_MAX]; /* what the RAM root is to have for it */
	unsigned int include_count;
};

struct firmware {
	bool is_raw;
	struct image_file file;
	struct raw_image raw;
	struct feeder feeder;
};

/* Makes firmware_close() safe, whatever follows. */
void firmware_init(struct firmware *fw);

/*
 * The firmware as far as it can be seen without reading all of it: opens it, and reads the index of
 * an image, which must be signed if keys are installed. The request must outlive fw. Plain images
 * have no index, and are verified at once.
 */
int firmware_look(struct firmware *fw, struct firmware_request *r, struct fault *f);

/*
 * Verifies every byte of it, showing progress, and finds what it is. Of a stream only the index was
 * read, and vouched for.
 */
int firmware_verify(struct firmware *fw, const struct firmware_request *r, struct finding *found,
		    struct fault *f);

/* Does both, checks in between that this device takes it, and tells what it is. */
int firmware_open(struct firmware *fw, struct firmware_request *r, const struct config *config,
		  struct fault *f);
void firmware_close(struct firmware *fw);

/* Whether an image or plain images are asked for, and not only a program. */
bool firmware_is_wanted(const struct firmware_request *r);

/* What is in it; of a raw one as if it had been an image. */
const struct image *firmware_image(const struct firmware *fw);

/* What is known of its signature, in words; the image's signed_by goes behind them. */
const char *firmware_trust(const struct firmware *fw);

/* Whether it comes from a pipe or the like, and can be read but once. */
bool firmware_is_stream(const struct firmware *fw);

/*
 * Makes *src, which fw keeps, give the chunks of all payloads from the first one on: again with
 * each call, unless it is a stream. The chunks of plain images come from a child.
 */
int firmware_chunks(struct firmware *fw, struct source **src, struct fault *f);

/*
 * Writes it, as an image, to the new file path: the very files that were verified, even if
 * something is mounted over their paths by now; of a stream, what comes, to its end and unverified.
 * keep_going, asked now and then, ends the work with a 0.
 */
int firmware_copy(struct firmware *fw, const char *path, int (*keep_going)(void), struct fault *f);

#endif
