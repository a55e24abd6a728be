// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	FIELDS = 13,
	HEADER_SIZE = 6 + 8 * FIELDS,
	ALIGNMENT = 4,     /* of headers and of contents */
	RECORD_SIZE = 512, /* cpio's own; the kernel wants archives to begin at multiples of 4 */
	ROOM_STEP = 65536, /* bytes that the archive grows by at least */
};

/* Room for size more bytes, which are 0. */
static int make_room(struct cpio *c, size_t size, struct fault *f)
{
	size_t room = c->room;
	uint8_t *bytes;

	if (c->room - c->used >= size)
		return 0;
	room += size > ROOM_STEP ? size : ROOM_STEP;
	bytes = realloc(c->bytes, room);
	if (!bytes)
		return fault_errno(f, FAULT_FAILED, "no memory for the archive");
	memset(bytes + c->used, 0, room - c->used);
	c->bytes = bytes;
	c->room = room;
	return 0;
}

static int add_bytes(struct cpio *c, const void *data, size_t size, struct fault *f)
{
	if (make_room(c, size + ALIGNMENT, f) < 0)
		return -1;
	if (size > 0)
		memcpy(c->bytes + c->used, data, size);
	c->used += size;
	return 0;
}

static int pad(struct cpio *c, size_t to, struct fault *f)
{
	size_t more = (to - c->used % to) % to;

	if (make_room(c, more, f) < 0)
		return -1;
	c->used += more;
	return 0;
}

static int add_entry(struct cpio *c, const char *name, mode_t mode, const void *data, size_t size,
		     const uint32_t device[2], struct fault *f)
{
	const uint32_t fields[FIELDS] = {
		c->count + 1, /* inode */
		mode,
		0,
		0,                     /* user and group */
		S_ISDIR(mode) ? 2 : 1, /* links to it */
		0,                     /* time */
		(uint32_t)size,
		0,
		0, /* the device that it was on */
		device[0],
		device[1],
		(uint32_t)strlen(name) + 1,
		0, /* a checksum has none but kind 070702 */
	};
	char header[HEADER_SIZE + 1] = "070701";

	for (int i = 0; i < FIELDS; i++)
		(void)snprintf(header + 6 + 8 * (size_t)i, 9, "%08X", fields[i]);
	if (add_bytes(c, header, HEADER_SIZE, f) < 0 ||
	    add_bytes(c, name, strlen(name) + 1, f) < 0 || pad(c, ALIGNMENT, f) < 0 ||
	    add_bytes(c, data, size, f) < 0)
		return -1;
	return pad(c, ALIGNMENT, f);
}

mode_t cpio_mode_of(const struct cpio *c, const char *name)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (strcmp(c->entry[i].name, name) == 0)
			return c->entry[i].mode;
	return 0;
}

/* The kernel would make the second of two in place of the first, and nothing in a folder that is none. */
static int check_name(const struct cpio *c, const char *name, struct fault *f)
{
	const char *slash = strrchr(name, '/');
	char folder[CPIO_NAME_MAX];

	if (strlen(name) >= CPIO_NAME_MAX)
		return fault_set(f, FAULT_USAGE, "/%s: has more than %d characters", name,
				 CPIO_NAME_MAX - 1);
	if (cpio_mode_of(c, name))
		return fault_set(f, FAULT_USAGE, "/%s: is there already", name);
	if (!slash)
		return 0;
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name), name);
	if (!S_ISDIR(cpio_mode_of(c, folder)))
		return fault_set(f, FAULT_USAGE, "/%s: /%s is no folder", name, folder);
	return 0;
}

static int add(struct cpio *c, const char *name, mode_t mode, const void *data, size_t size,
	       const uint32_t device[2], struct fault *f)
{
	if (check_name(c, name, f) < 0)
		return -1;
	if (c->count == CPIO_ENTRIES_MAX)
		return fault_set(f, FAULT_USAGE, "/%s: more than %d files", name, CPIO_ENTRIES_MAX);
	if (add_entry(c, name, mode, data, size, device, f) < 0)
		return -1;
	memcpy(c->entry[c->count].name, name, strlen(name) + 1);
	c->entry[c->count++].mode = mode;
	return 0;
}

int cpio_add(struct cpio *c, const char *name, mode_t mode, const void *data, size_t size,
	     struct fault *f)
{
	static const uint32_t none[2];

	if (size > UINT32_MAX)
		return fault_set(f, FAULT_USAGE, "/%s: is too large for a cpio archive", name);
	return add(c, name, mode, data, size, none, f);
}

int cpio_add_device(struct cpio *c, const char *name, mode_t mode, uint32_t major_number,
		    uint32_t minor_number, struct fault *f)
{
	const uint32_t device[2] = { major_number, minor_number };

	if (major_number > CPIO_MAJOR_MAX || minor_number > CPIO_MINOR_MAX)
		return fault_set(f, FAULT_USAGE, "/%s: there is no device %u:%u in Linux", name,
				 major_number, minor_number);
	return add(c, name, mode, NULL, 0, device, f);
}

int cpio_end(struct cpio *c, struct fault *f)
{
	static const uint32_t none[2];

	if (add_entry(c, "TRAILER!!!", 0, NULL, 0, none, f) < 0)
		return -1;
	return pad(c, RECORD_SIZE, f);
}

void cpio_free(struct cpio *c)
{
	free(c->bytes);
	memset(c, 0, sizeof(*c));
}
