/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cpio archive of the kind "newc", as Linux unpacks it into its initial RAM file system: grown in
 * memory, entry by entry. Everything in it belongs to root, and nothing has a time: the same entries
 * give the same bytes. The format: Documentation/driver-api/early-userspace/buffer-format.rst.
 */
#ifndef FLASH_CPIO_H
#define FLASH_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault.h"

enum {
	CPIO_ENTRIES_MAX = 256,
	CPIO_NAME_MAX = 120, /* its NUL included */
	/* What the kernel makes of device numbers, MKDEV(). */
	CPIO_MAJOR_MAX = 4095,
	CPIO_MINOR_MAX = 1048575,
};

struct cpio {
	uint8_t *bytes; /* the archive */
	size_t used, room;
	unsigned int count;
	struct {
		char name[CPIO_NAME_MAX];
		mode_t mode;
	} entry[CPIO_ENTRIES_MAX];
};

/*
 * Adds a file, or, by the type in its mode, a folder or a symbolic link, of which data is where it leads to. The
 * name starts with no slash; the folder that it lies in must be there already, and the name must not: else
 * FAULT_USAGE. Returns 0, or -1; then the archive is of no use, but to be freed.
 */
int cpio_add(struct cpio *c, const char *name, mode_t mode, const void *data, size_t size,
	     struct fault *f);

/* The same for a device node. */
int cpio_add_device(struct cpio *c, const char *name, mode_t mode, uint32_t major_number,
		    uint32_t minor_number, struct fault *f);

/* The mode of an entry; 0: there is none of that name. */
mode_t cpio_mode_of(const struct cpio *c, const char *name);

/* Ends the archive, so that it and another one may stand behind each other. */
int cpio_end(struct cpio *c, struct fault *f);

void cpio_free(struct cpio *c);

#endif
