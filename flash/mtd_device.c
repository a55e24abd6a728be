// SPDX-License-Identifier: GPL-2.0-or-later
#include "mtd_device.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <mtd/mtd-user.h>

#include "number.h"
#include "sysfs.h"

#define SYSFS_MTD "/sys/class/mtd"

enum { NUMBER_MAX = 1 << 19 }; /* a device has two of the 20-bit minors */

/* Moves *text behind a prefix, if it is there. */
static bool take_prefix(const char **text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*text, prefix, len) != 0)
		return false;
	*text += len;
	return true;
}

/* Moves *text behind a decimal number as the kernel writes it. -1: there is none. */
static int take_number(const char **text)
{
	bool padded = **text == '0' && isdigit((unsigned char)(*text)[1]);
	const char *end;
	uint64_t number;

	if (!isdigit((unsigned char)**text) || padded)
		return -1;
	number = number_read(*text, 10, &end);
	if (number >= NUMBER_MAX)
		return -1;
	*text = end;
	return (int)number;
}

/* The N of mtdN; -1 for anything else, such as mtd3ro, which is mtd3 once more. */
static int entry_number(const char *entry)
{
	int number = take_prefix(&entry, "mtd") ? take_number(&entry) : -1;

	return *entry ? -1 : number;
}

static int read_attribute(int number, const char *attribute, char *buf, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), SYSFS_MTD "/mtd%d/%s", number, attribute);
	return sysfs_read(path, buf, size);
}

static bool has_gone(void)
{
	return errno == ENOENT || errno == ENODEV; /* the latter: while its attribute was open */
}

/* Finds the one device of this name. Returns 1 with its number, or 0: there is none. */
static int find_named(const char *wanted, DIR *dir, int *number, struct fault *f)
{
	const struct dirent *entry;

	*number = -1;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		int n = entry_number(entry->d_name);
		char name[MTD_DEVICE_NAME];

		if (n < 0)
			continue;
		if (read_attribute(n, "name", name, sizeof(name)) < 0) {
			if (has_gone())
				continue;
			return fault_errno(f, FAULT_UNFIT, "mtd%d: cannot read its name", n);
		}
		if (strcmp(name, wanted) != 0)
			continue;
		if (*number >= 0)
			return fault_set(f, FAULT_UNFIT,
					 "mtd%d and mtd%d are both named %s: give the number",
					 *number < n ? *number : n, *number < n ? n : *number,
					 wanted);
		*number = n;
	}
	if (errno)
		return fault_errno(f, FAULT_UNFIT, "cannot list " SYSFS_MTD);
	return *number >= 0;
}

/* Takes the number out of 3, mtd3 or /dev/mtd3. */
static int find_numbered(const char *wanted, int *number, struct fault *f)
{
	const char *rest = wanted;
	bool node = take_prefix(&rest, "/dev/"), mtd = take_prefix(&rest, "mtd");
	bool block = mtd && take_prefix(&rest, "block"), ro;
	char name[MTD_DEVICE_NAME];

	*number = mtd || !node ? take_number(&rest) : -1;
	ro = mtd && take_prefix(&rest, "ro");
	if (*number < 0 || *rest)
		return fault_set(f, FAULT_UNFIT,
				 "no MTD partition is named %s; /proc/mtd lists what there is",
				 wanted);
	if (block)
		return fault_set(f, FAULT_UNFIT,
				 "%s goes through a cache and knows no bad eraseblocks: "
				 "give mtd%d",
				 wanted, *number);
	if (ro)
		return fault_set(f, FAULT_UNFIT, "%s is for reading only: give mtd%d", wanted,
				 *number);
	if (read_attribute(*number, "name", name, sizeof(name)) == 0)
		return 0;
	if (has_gone())
		return fault_errno(f, FAULT_UNFIT,
				   "there is no mtd%d (/proc/mtd lists what there is)", *number);
	return fault_errno(f, FAULT_UNFIT, "mtd%d: cannot read its name", *number);
}

int mtd_device_find(const char *wanted, int *number, struct fault *f)
{
	DIR *dir = opendir(SYSFS_MTD);
	int found;

	if (!dir)
		return fault_errno(f, FAULT_UNFIT,
				   "no flash here: cannot list " SYSFS_MTD " (is /sys mounted?)");
	found = find_named(wanted, dir, number, f);
	(void)closedir(dir); /* nothing was written */
	if (found != 0)
		return found < 0 ? -1 : 0;
	return find_numbered(wanted, number, f);
}

static int read_text(const struct mtd_device *d, const char *attribute, char *buf, size_t size,
		     struct fault *f)
{
	if (read_attribute(d->number, attribute, buf, size) < 0)
		return fault_errno(f, FAULT_UNFIT, "mtd%d: cannot read its %s", d->number,
				   attribute);
	return 0;
}

/* Decimal, or hexadecimal with 0x. */
static int read_number(const struct mtd_device *d, const char *attribute, uint64_t max,
		       uint64_t *value, struct fault *f)
{
	const char *end;
	char text[32];

	if (read_text(d, attribute, text, sizeof(text), f) < 0)
		return -1;
	*value = number_read(text, 0, &end);
	if (end == text || *end || *value > max)
		return fault_set(f, FAULT_UNFIT, "mtd%d: its %s cannot be \"%s\"", d->number,
				 attribute, text);
	return 0;
}

static int read_u32(const struct mtd_device *d, const char *attribute, uint32_t *value,
		    struct fault *f)
{
	uint64_t wide = 0;
	int result = read_number(d, attribute, UINT32_MAX, &wide, f);

	*value = (uint32_t)wide;
	return result;
}

int mtd_device_read(struct mtd_device *d, int number, struct fault *f)
{
	uint32_t flags;
	char type[16];

	memset(d, 0, sizeof(*d));
	d->number = number;
	if (read_text(d, "name", d->name, sizeof(d->name), f) < 0 ||
	    read_text(d, "type", type, sizeof(type), f) < 0 ||
	    read_u32(d, "flags", &flags, f) < 0 ||
	    read_number(d, "size", INT64_MAX, &d->size, f) < 0 ||
	    read_u32(d, "erasesize", &d->eraseblock, f) < 0 ||
	    read_u32(d, "writesize", &d->page, f) < 0 ||
	    read_u32(d, "subpagesize", &d->subpage, f) < 0)
		return -1;
	d->mlc = strcmp(type, "mlc-nand") == 0;
	d->nand = d->mlc || strcmp(type, "nand") == 0;
	d->nor = strcmp(type, "nor") == 0;
	d->other = !d->nand && !d->nor && strcmp(type, "dataflash") != 0 &&
		   strcmp(type, "ram") != 0;
	d->writable = (flags & MTD_WRITEABLE) != 0;
	return 0;
}
