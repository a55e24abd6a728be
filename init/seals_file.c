// SPDX-License-Identifier: GPL-2.0-or-later
#include "seals_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

/* The image's id goes first: another one may have as many chunks. */
int seals_file_keep(const char *path, const struct image *img, struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), result;
	char id[IMAGE_ID_SIZE];

	if (fd < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot create", path);
	image_id(img, id);
	result = fd_write(fd, id, sizeof(id));
	if (result == 0)
		result = fd_write(fd, img->seals, seals_size(img->chunk_count));
	if (close(fd) < 0 || result < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	return 0;
}

void seals_file_take(const char *path, struct image *img)
{
	size_t size, wanted = seals_size(img->chunk_count);
	char *file = file_read_bytes(path, &size), id[IMAGE_ID_SIZE];

	image_id(img, id);
	if (file && size == sizeof(id) + wanted && memcmp(file, id, sizeof(id)) == 0)
		memcpy(img->seals, file + sizeof(id), wanted);
	free(file);
}
