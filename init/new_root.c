// SPDX-License-Identifier: GPL-2.0-or-later
#include "new_root.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device_node.h"
#include "files.h"
#include "mounts.h"
#include "mtd_map.h"
#include "report.h"
#include "root.h"
#include "root_wanted.h"
#include "target_mtd.h"
#include "ubi_attach.h"
#include "ubi_device.h"

enum { MTD_BLOCK_MAJOR = 31 };

/* The name that the kernel gives to the node when it mounts a root from a block device. */
#define ROOT_NODE "/dev/root"

const char *const new_root_inits[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh", NULL };

struct new_root {
	const char *source; /* what was mounted */
	const char *types;  /* of file systems to try first, with commas between them; or NULL */
	bool only;          /* no others */
	unsigned int major, minor; /* of the block device */
	const char *volume;        /* of UBI, or NULL */
	bool ubi;                  /* there is one on it */
	unsigned long flags;
	const char *data;
	bool jffs2; /* there are nodes of it: it mounts whatever it finds, blank flash, too */
	int reports;
};

static bool try_type(const struct new_root *r, const char *source, const char *type)
{
	if (strcmp(type, "jffs2") == 0 && !r->jffs2)
		return false;
	(void)report_text(r->reports, REPORT_ALIVE, "mounting %s as %s", source, type);
	if (mount(source, NEW_ROOT, type, r->flags, r->data) == 0)
		return true;
	return (errno == EACCES || errno == EROFS) &&
	       mount(source, NEW_ROOT, type, r->flags | MS_RDONLY, r->data) == 0;
}

/* The list has "nodev" before the types that are on no device, and a tab before each. */
static bool try_source(const struct new_root *r, const char *source)
{
	char *text = r->types ? strdup(r->types) : NULL, *rest = text, *line;
	bool mounted = false;

	while (!mounted && (line = strsep(&rest, ",")))
		mounted = try_type(r, source, line);
	free(text);
	if (mounted || r->only)
		return mounted;
	rest = text = file_read_text("/proc/filesystems");
	while (!mounted && (line = strsep(&rest, "\n")))
		mounted = *line == '\t' && try_type(r, source, line + 1);
	free(text);
	return mounted;
}

static int try_block(const struct new_root *r, struct fault *f)
{
	bool mounted;

	if (device_node_provide(ROOT_NODE, S_IFBLK, makedev(r->major, r->minor), f) < 0)
		return -1;
	mounted = try_source(r, ROOT_NODE);
	(void)unlink(ROOT_NODE); /* one that stays in a devtmpfs harms nobody */
	return mounted;
}

static int try_disk(struct new_root *r, const char *device, struct fault *f)
{
	char path[96], number[32];

	(void)snprintf(path, sizeof(path), "/sys/class/block/%.31s/dev", device);
	if (file_read_line(path, number, sizeof(number)) < 0 ||
	    !device_number(number, &r->major, &r->minor))
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", path);
	return try_block(r, f);
}

/* 0: it holds something else, which will do as well if it can be mounted. */
static int look_at_start(struct new_root *r, struct fault *f)
{
	unsigned char start[4];
	char node[32];
	struct target *t;
	uint32_t eb = 0;
	int result;

	(void)snprintf(node, sizeof(node), "/dev/mtd%u", r->minor);
	if (target_open_mtd(&t, node, TARGET_LOOK, NULL, f) < 0)
		return -1;
	result = target_next_good(t, &eb, f);
	if (result > 0)
		result = t->ops->read(t, eb, 0, start, sizeof(start), f);
	target_close(t);
	if (result < 0)
		return -1;
	r->ubi = memcmp(start, "UBI#", 4) == 0;
	r->jffs2 = memcmp(start, "\x85\x19", 2) == 0 || memcmp(start, "\x19\x85", 2) == 0;
	return 0;
}

static int attach(struct ubi_device *d, int mtd, struct fault *f)
{
	int found = ubi_device_find(d, mtd, f);

	if (found != 0)
		return found;
	return ubi_attach(mtd, f) < 0 ? -1 : ubi_device_find(d, mtd, f);
}

static int try_ubiblock(struct new_root *r, const struct ubi_device *d, const struct ubi_volume *v,
			struct fault *f)
{
	char volume[32], path[48];

	(void)snprintf(volume, sizeof(volume), "ubi%d_%d", d->number, v->id);
	(void)snprintf(path, sizeof(path), "/dev/%s", volume);
	if (device_node_provide(path, S_IFCHR, v->node, f) < 0 || ubi_block_create(volume, f) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "ubiblock%s", volume + 3);
	return try_disk(r, path, f);
}

/* UBIFS on the volume that the old root was on, or another file system on a block device on it. */
static int mount_volume(struct new_root *r, struct fault *f)
{
	struct ubi_device d;
	struct ubi_volume v;
	char source[160];
	int found;

	if (!r->volume)
		return fault_set(f, FAULT_FAILED, "mtd%u holds UBI, and did not", r->minor);
	found = attach(&d, (int)r->minor, f);
	if (found > 0)
		found = ubi_volume_find(&v, &d, r->volume, f);
	if (found < 0)
		return -1;
	if (found == 0)
		return fault_set(f, FAULT_FAILED, "there is no volume %s on mtd%u", r->volume,
				 r->minor);
	(void)snprintf(source, sizeof(source), "ubi%d:%s", d.number, r->volume);
	return try_type(r, source, "ubifs") ? 1 : try_ubiblock(r, &d, &v, f);
}

/* By the name that it had; else through mtdblock, or as an MTD device, if it cannot do without. */
static int mount_mtd(struct new_root *r, struct fault *f)
{
	bool was_mtd = strncmp(r->source, "mtd", 3) == 0;
	char name[16];
	int result;

	if (look_at_start(r, f) < 0)
		return -1;
	if (r->ubi)
		return mount_volume(r, f);
	if (was_mtd && try_source(r, r->source))
		return 1;
	result = try_block(r, f);
	if (result != 0 || was_mtd)
		return result;
	(void)snprintf(name, sizeof(name), "mtd%u", r->minor);
	return try_source(r, name);
}

static int make_folder(struct fault *f)
{
	if (mkdir(NEW_ROOT, 0755) < 0 && errno != EEXIST)
		return fault_errno(f, FAULT_FAILED, "%s: cannot make", NEW_ROOT);
	return 0;
}

static int mount_root(const char *root, struct new_root *r, struct fault *f)
{
	char device[32];
	int result;

	if (make_folder(f) < 0)
		return -1;
	root_device(device, root);
	if (mtd_number(device) >= 0) {
		r->major = MTD_BLOCK_MAJOR;
		r->minor = (unsigned int)mtd_number(device);
		r->volume = strchr(root, ':');
		if (r->volume)
			r->volume++;
		result = mount_mtd(r, f);
	} else {
		result = try_disk(r, device, f);
	}
	if (result == 0)
		return fault_set(f, FAULT_FAILED, "%s holds nothing that this kernel can mount",
				 root);
	return result < 0 ? -1 : 0;
}

/* Where there is no /dev the kernel goes on without, too. */
static void mount_devices(const struct mount_table *old)
{
	for (size_t i = 0; i < old->count; i++)
		if (strcmp(old->mount[i].type, "devtmpfs") == 0 &&
		    strcmp(old->mount[i].point, "/dev") == 0)
			(void)mount(old->mount[i].source, NEW_ROOT "/dev", "devtmpfs", MS_SILENT,
				    NULL);
}

static bool has_init(const char *wanted)
{
	if (wanted)
		return access(wanted, X_OK) == 0;
	for (int i = 0; new_root_inits[i]; i++)
		if (access(new_root_inits[i], X_OK) == 0)
			return true;
	return false;
}

static int check_init(const char *wanted, bool only, struct fault *f)
{
	if (chroot(NEW_ROOT) < 0 || chdir("/") < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot go there", NEW_ROOT);
	if (has_init(wanted) || (!only && has_init(NULL)))
		return 0;
	return fault_set(f, FAULT_FAILED, "the new root has no %s", wanted ? wanted : "init");
}

static int mount_as_before(const char *root, const struct mount_table *old,
			   const struct cmdline *cmdline, int reports, struct fault *f)
{
	const struct mount *before = mounts_root(old);
	struct new_root r = { .data = cmdline->rootflags, .reports = reports };
	bool writable;

	if (!before)
		return fault_set(f, FAULT_FAILED, "%s has no root", ROOT_MOUNTS);
	r.source = before->source;
	r.types = before->type;
	/* If it was an initramfs that mounted it, nobody knows how. */
	writable = cmdline->root ? cmdline->rw : strncmp(before->super_options, "rw", 2) == 0;
	r.flags = MS_SILENT | (writable ? 0 : MS_RDONLY);
	return mount_root(root, &r, f);
}

int new_root_mount(const char *root, const struct cmdline *cmdline, int reports, struct fault *f)
{
	struct mount_table old;
	int result = mounts_read(&old, ROOT_MOUNTS, f);

	if (result == 0)
		result = mount_as_before(root, &old, cmdline, reports, f);
	if (result == 0)
		mount_devices(&old);
	mounts_free(&old);
	return result == 0 ? check_init(cmdline->init, true, f) : -1;
}

/* The kernel tells its file systems by the name: mtdN, mtd:NAME and ubi are for those that need no block device. */
static int mount_wanted(const char *root, struct new_root *r, struct fault *f)
{
	bool ubi = strncmp(root, "ubi", 3) == 0;
	char name[64];

	r->jffs2 = true; /* judged before, or not asked for */
	if (ubi || strncmp(root, "mtd", 3) == 0)
		return try_source(r, root);
	if (root_wanted_disk(name, root, f) < 0)
		return -1;
	return try_disk(r, name, f);
}

int new_root_mount_first(const struct cmdline *cmdline, int reports, struct fault *f)
{
	struct new_root r = {
		.types = cmdline->rootfstype,
		.only = cmdline->rootfstype != NULL,
		.flags = MS_SILENT | (cmdline->rw ? 0 : MS_RDONLY),
		.data = cmdline->rootflags,
		.reports = reports,
	};
	int result;

	if (root_wanted_await(cmdline, false, reports, f) < 0 || make_folder(f) < 0)
		return -1;
	result = mount_wanted(cmdline->root, &r, f);
	if (result == 0)
		return fault_set(f, FAULT_FAILED, "root=%s: cannot be mounted%s%s", cmdline->root,
				 r.types ? " as " : "", r.types ? r.types : "");
	if (result > 0 && !cmdline->no_devtmpfs)
		(void)mount("devtmpfs", NEW_ROOT "/dev", "devtmpfs", MS_SILENT, NULL);
	return result < 0 ? -1 : check_init(cmdline->init, false, f);
}
