/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an image's bytes come from, front to back: a file, a pipe, or an MTD partition.
 */
#ifndef FLASH_SOURCE_H
#define FLASH_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "target.h"

struct source {
	int fd;
	const char *name; /* for messages; the caller keeps it alive */
	uint64_t pos;     /* bytes taken so far */
	int64_t start;    /* byte of the file that pos 0 is: standard input may be past others */
	bool seekable;    /* not a pipe or the like: can be read a second time */
	struct target
		*mtd; /* in place of fd, or NULL: its good eraseblocks, as nandwrite fills them */
	uint32_t eb, offset; /* of the next byte there */
	/* If not NULL and true, a pipe is not waited for any longer. */
	const atomic_bool *stop;
	/* If not NULL, asked at the end: whoever gave the bytes may have failed. */
	int (*verdict)(void *ctx, struct fault *f);
	void *ctx;
};

/*
 * Opens a file for reading; "-" is standard input. A directory, or a file that cannot be opened,
 * is FAULT_IMAGE. The caller closes it with source_close().
 */
int source_open(struct source *src, const char *path, struct fault *f);

/* Goes back to the first byte, for a second reading. Only for a seekable source. */
int source_rewind(struct source *src, struct fault *f);

/* Goes back to byte pos, where it has been before. Only for a seekable source. */
int source_back_to(struct source *src, uint64_t pos, struct fault *f);

/* Reads len bytes, or fewer, in *got, where the source ends, if its verdict is that it may. */
int source_read_some(struct source *src, void *buf, size_t len, size_t *got, struct fault *f);

/* Reads exactly len bytes; a source that ends before is FAULT_IMAGE and says where it ended. */
int source_read(struct source *src, void *buf, size_t len, struct fault *f);

/* Checks that the source ends here; bytes behind it are FAULT_IMAGE. In a partition they are rubbish. */
int source_expect_end(struct source *src, struct fault *f);

void source_close(struct source *src);

#endif
