// SPDX-License-Identifier: GPL-2.0-or-later
#include "source_mtd.h"

#include <stdio.h>

#include "target_mtd.h"

/* Nothing of what is to be written is at fault. */
static int refuse(struct fault *f)
{
	f->kind = FAULT_IMAGE;
	return -1;
}

int source_mtd_open(struct source *src, unsigned int number, struct fault *f)
{
	char node[32];

	(void)snprintf(node, sizeof(node), "/dev/mtd%u", number);
	src->seekable = true;
	return target_open_mtd(&src->mtd, node, TARGET_READ, NULL, f) < 0 ? refuse(f) : 0;
}

/* 1: there is a byte to be read, 0: the partition ends. */
static int find_next(struct source *src, struct fault *f)
{
	return src->offset ? 1 : target_next_good(src->mtd, &src->eb, f);
}

/* Takes len bytes, or what is left of them in this eraseblock. Returns how many. */
static uint32_t move_on(struct source *src, uint64_t len)
{
	uint32_t size = target_block_size(src->mtd, src->eb);
	uint32_t n = len < size - src->offset ? (uint32_t)len : size - src->offset;

	src->offset += n;
	src->pos += n;
	if (src->offset == size) {
		src->eb++;
		src->offset = 0;
	}
	return n;
}

int source_mtd_back_to(struct source *src, uint64_t pos, struct fault *f)
{
	int found = 1;

	src->eb = 0;
	src->offset = 0;
	src->pos = 0;
	while (found > 0 && src->pos < pos) {
		found = find_next(src, f);
		if (found > 0)
			(void)move_on(src, pos - src->pos);
	}
	return found < 0 ? refuse(f) : 0;
}

int source_mtd_read(struct source *src, void *buf, size_t len, size_t *got, struct fault *f)
{
	while (*got < len) {
		int found = find_next(src, f);
		uint32_t eb = src->eb, offset = src->offset, n;

		if (found == 0)
			break;
		n = found < 0 ? 0 : move_on(src, len - *got);
		if (found < 0 ||
		    src->mtd->ops->read(src->mtd, eb, offset, (char *)buf + *got, n, f) < 0)
			return refuse(f);
		*got += n;
	}
	return 0;
}
