/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for an image, by PID 1: in partitions and on media that are there, or come.
 */
#ifndef INIT_SEARCH_H
#define INIT_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "image.h"
#include "plan.h"

enum { SEARCH_PASSED_MAX = 32, SEARCH_SAID_MAX = 64 };

/* What one search leaves to the next. */
struct search {
	char wanted[IMAGE_ID_SIZE];       /* this image, or a newer one; or empty: any */
	char version[IMAGE_TEXT_MAX + 1]; /* of it */
	char not_image[IMAGE_ID_SIZE];    /* the one that must not be taken; or empty */
	uint32_t found;                   /* mark of the one that was found last */
	unsigned int passed_count, refused_count, said_count;
	uint32_t passed[SEARCH_PASSED_MAX];  /* marks of images that would not do, ... */
	uint32_t refused[SEARCH_PASSED_MAX]; /* ... and of those among them that never will */
	uint32_t said[SEARCH_SAID_MAX];      /* checksums of lines: each is said once */
};

/* Starts with what the plan says is wanted. */
void search_init(struct search *s, const struct plan *plan);

/* From now on the plan's image is the one that is wanted: it was begun. */
void search_want(struct search *s, const struct plan *plan);

/*
 * The image that was found last is not to be taken again, as long as there are others; or, if it is
 * refused, before it changes.
 */
void search_pass_over(struct search *s, bool refused);

/*
 * Searches for as long as it takes, and puts the image that was found into the plan; its targets are
 * those of another image then, and emptied. Where patience_ms is not 0, an image that was passed over, and not refused, is taken
 * all the same if no other has come by then.
 */
void search_for_image(struct search *s, struct plan *plan, unsigned int patience_ms);

/* Whether the fault's text starts with the path, so that it need not be said before it. */
bool search_is_named(const char *path, const struct fault *f);

#endif
