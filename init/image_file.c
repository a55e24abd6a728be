// SPDX-License-Identifier: GPL-2.0-or-later
#include "image_file.h"

#include <string.h>

#include "config.h"
#include "progress.h"

int image_file_open(struct image_file *file, const char *path, const struct key_ring *keys,
		    struct fault *f)
{
	struct key_ring installed = { .count = 0 };

	memset(file, 0, sizeof(*file));
	file->source.fd = -1;
	if (!keys && key_ring_add_folder(&installed, CONFIG_KEYS, f) < 0)
		return -1;
	if (source_open(&file->source, path, f) < 0)
		return -1;
	return image_read(&file->image, &file->source, keys ? keys : &installed, f);
}

int image_file_verify(struct image_file *file, const char *what, struct fault *f)
{
	struct progress progress;
	int result;

	progress_start(&progress, what);
	result = image_verify(&file->image, &file->source, progress_callback, &progress, f);
	progress_end(&progress);
	return result;
}

void image_file_close(struct image_file *file)
{
	image_free(&file->image);
	source_close(&file->source);
}
