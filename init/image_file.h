/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_IMAGE_FILE_H
#define INIT_IMAGE_FILE_H

#include "fault.h"
#include "image.h"
#include "source.h"

/* An image that is open, read up to its chunks, and signed by a key if there are keys. */
struct image_file {
	struct source source;
	struct image image;
};

/*
 * Opens the image and reads its index. keys NULL: the public keys that are installed in
 * CONFIG_KEYS. Release with image_file_close(), also after a failure.
 */
int image_file_open(struct image_file *file, const char *path, const struct key_ring *keys,
		    struct fault *f);

/* Checks all chunks, showing progress as what, and that the file ends behind the last. */
int image_file_verify(struct image_file *file, const char *what, struct fault *f);

void image_file_close(struct image_file *file);

#endif
