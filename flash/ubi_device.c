// SPDX-License-Identifier: GPL-2.0-or-later
#include "ubi_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "number.h"
#include "sysfs.h"

enum { DEVICES_MAX = 32 }; /* the kernel's UBI_MAX_DEVICES */

/* Reads an attribute of ubiN or ubiN_ID as text. */
static int read_text(const char *of, const char *attribute, char *text, size_t size,
		     struct fault *f)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "/sys/class/ubi/%s/%s", of, attribute);
	if (sysfs_read(path, text, size) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read its %s in sysfs", of,
				   attribute);
	return 0;
}

static bool has_gone(const struct fault *f)
{
	return f->err == ENOENT || f->err == ENODEV; /* the latter: while its file was open */
}

static int read_number(const char *of, const char *attribute, uint64_t min, uint64_t max,
		       uint64_t *value, struct fault *f)
{
	const char *end;
	char text[32];

	*value = 0;
	if (read_text(of, attribute, text, sizeof(text), f) < 0)
		return -1;
	*value = number_read(text, 10, &end);
	if (end == text || *end || *value < min || *value > max)
		return fault_set(f, FAULT_UNFIT, "%s: its %s cannot be \"%s\"", of, attribute,
				 text);
	return 0;
}

struct attribute {
	const char *name;
	uint32_t *value;
	uint32_t min;
};

static int read_all(const char *of, const struct attribute *a, size_t count, struct fault *f)
{
	for (; count > 0; a++, count--) {
		uint64_t wide;

		if (read_number(of, a->name, a->min, INT32_MAX, &wide, f) < 0)
			return -1;
		*a->value = (uint32_t)wide;
	}
	return 0;
}

static int read_node(const char *of, dev_t *node, struct fault *f)
{
	unsigned int major_number, minor_number;
	const char *rest;
	char text[32];

	if (read_text(of, "dev", text, sizeof(text), f) < 0) /* MAJOR:MINOR */
		return -1;
	major_number = (unsigned int)number_read(text, 10, &rest);
	minor_number = (unsigned int)number_at(rest + (*rest == ':'));
	*node = makedev(major_number, minor_number);
	return 0;
}

static int read_device(struct ubi_device *d, struct fault *f)
{
	const struct attribute attributes[] = {
		{ "total_eraseblocks", &d->total, 0 },    { "avail_eraseblocks", &d->available, 0 },
		{ "eraseblock_size", &d->eraseblock, 1 }, { "min_io_size", &d->page, 1 },
		{ "volumes_count", &d->volumes, 0 },      { "max_vol_count", &d->volumes_max, 0 },
	};
	char name[16];

	(void)snprintf(name, sizeof(name), "ubi%d", d->number);
	if (read_node(name, &d->node, f) < 0)
		return -1;
	return read_all(name, attributes, sizeof(attributes) / sizeof(attributes[0]), f);
}

int ubi_device_find(struct ubi_device *d, int mtd, struct fault *f)
{
	for (d->number = 0; d->number < DEVICES_MAX; d->number++) {
		char name[16];
		uint64_t on;

		(void)snprintf(name, sizeof(name), "ubi%d", d->number);
		if (read_number(name, "mtd_num", 0, INT32_MAX, &on, f) < 0) {
			if (has_gone(f))
				continue;
			return -1;
		}
		if (on == (uint64_t)mtd)
			return read_device(d, f) < 0 ? -1 : 1;
	}
	return 0;
}

static int read_volume(struct ubi_volume *v, const char *name, struct fault *f)
{
	uint32_t corrupted, updating;
	const struct attribute attributes[] = {
		{ "alignment", &v->alignment, 1 },       { "reserved_ebs", &v->blocks, 1 },
		{ "usable_eb_size", &v->eraseblock, 1 }, { "corrupted", &corrupted, 0 },
		{ "upd_marker", &updating, 0 },
	};
	char type[16];

	if (read_node(name, &v->node, f) < 0 ||
	    read_all(name, attributes, sizeof(attributes) / sizeof(attributes[0]), f) < 0 ||
	    read_number(name, "data_bytes", 0, INT64_MAX, &v->data_bytes, f) < 0 ||
	    read_text(name, "type", type, sizeof(type), f) < 0)
		return -1;
	v->is_static = strcmp(type, "static") == 0;
	v->corrupted = corrupted != 0;
	v->updating = updating != 0;
	return 1;
}

int ubi_volume_find(struct ubi_volume *v, const struct ubi_device *d, const char *name,
		    struct fault *f)
{
	for (v->id = 0; v->id < (int)d->volumes_max; v->id++) {
		char entry[32], text[160];

		(void)snprintf(entry, sizeof(entry), "ubi%d_%d", d->number, v->id);
		if (read_text(entry, "name", text, sizeof(text), f) < 0) {
			if (has_gone(f))
				continue;
			return -1;
		}
		if (strcmp(text, name) == 0)
			return read_volume(v, entry, f);
	}
	return 0;
}
