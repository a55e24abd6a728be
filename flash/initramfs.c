// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "cpio.h"
#include "number.h"
#include "outfile.h"
#include "static_program.h"

enum {
	PROGRAM_MAX = 16 << 20, /* bytes */
	CONFIG_MAX = 64 << 10,
	KEY_MAX = 4096,
	GZIP_WINDOW =
		15 + 16, /* deflateInit2(): the largest, and a gzip header, which has no time */
	GZIP_MEMORY = 9,
};

/* Where flashinit looks for them: CONFIG_FILE and CONFIG_KEYS in init/config.h. */
#define CONFIG_NAME "etc/flashinit.conf"
#define KEYS_NAME "etc/flashinit.keys"

/* Reads at most this many bytes, which the caller frees; NULL with the fault. */
static uint8_t *read_bytes(FILE *file, size_t most, size_t *size, const char *name, struct fault *f)
{
	uint8_t *bytes = malloc(most + 1);

	if (!bytes) {
		(void)fault_errno(f, FAULT_FAILED, "no memory for %s", name);
		return NULL;
	}
	*size = fread(bytes, 1, most + 1, file);
	if (!ferror(file) && *size <= most)
		return bytes;
	if (ferror(file))
		(void)fault_errno(f, FAULT_FAILED, "%s: cannot read", name);
	else
		(void)fault_set(f, FAULT_IMAGE, "%s: has more than %zu bytes", name, most);
	free(bytes);
	return NULL;
}

static uint8_t *read_contents(const char *name, size_t most, size_t *size, struct fault *f)
{
	FILE *file = fopen(name, "rbe");
	uint8_t *bytes;

	if (!file) {
		(void)fault_errno(f, FAULT_FAILED, "%s: cannot open", name);
		return NULL;
	}
	bytes = read_bytes(file, most, size, name, f);
	(void)fclose(file); /* read-only */
	return bytes;
}

static int add_program(struct cpio *c, const char *name, struct fault *f)
{
	static const char target[] = "../init";
	size_t size;
	uint8_t *program = read_contents(name, PROGRAM_MAX, &size, f);
	int result;

	if (!program)
		return -1;
	result = static_program_check(program, size, name, f);
	if (result == 0)
		result = cpio_add(c, "init", S_IFREG | 0755, program, size, f);
	free(program);
	if (result < 0)
		return -1;
	return cpio_add(c, "sbin/flashinit", S_IFLNK | 0777, target, sizeof(target) - 1, f);
}

/*
 * What its keys mean flashinit knows, and says at boot; this is about what cannot be meant: another
 * kind of file, in whose place a device would refuse all images.
 */
static int check_config(const char *text, size_t size, const char *name, struct fault *f)
{
	const char *end = text + size, *next;

	if (memchr(text, '\0', size))
		return fault_set(f, FAULT_IMAGE, "%s: holds a zero byte: it is no text", name);
	for (unsigned int line = 1; text < end; line++, text = next) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline ? newline : end) - text);

		next = newline ? newline + 1 : end;
		while (len > 0 && strchr(" \t\r", *text)) {
			text++;
			len--;
		}
		if (len > 0 && *text != '#' && !memchr(text, '=', len))
			return fault_set(f, FAULT_IMAGE, "%s line %u: should be KEY = VALUE", name,
					 line);
	}
	return 0;
}

static int add_config(struct cpio *c, const char *name, struct fault *f)
{
	size_t size;
	uint8_t *config = read_contents(name, CONFIG_MAX, &size, f);
	int result;

	if (!config)
		return -1;
	result = check_config((const char *)config, size, name, f);
	if (result == 0)
		result = cpio_add(c, CONFIG_NAME, S_IFREG | 0644, config, size, f);
	free(config);
	return result;
}

static int add_key(struct cpio *c, const char *path, struct fault *f)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	struct public_key parsed;
	char name[CPIO_NAME_MAX];
	uint8_t *key;
	size_t size;
	int result;

	if (!key_file_name(base))
		return fault_set(f, FAULT_USAGE,
				 "%s: flashinit takes keys from files that are named *.pub", path);
	if (snprintf(name, sizeof(name), KEYS_NAME "/%s", base) >= (int)sizeof(name))
		return fault_set(f, FAULT_USAGE, "%s: the name is too long", path);
	key = read_contents(path, KEY_MAX, &size, f);
	if (!key)
		return -1;
	result = public_key_parse(&parsed, (const char *)key, size, path, f);
	if (result == 0)
		result = cpio_add(c, name, S_IFREG | 0644, key, size, f);
	else
		f->kind = FAULT_IMAGE; /* that of a device whose key is damaged is another one */
	free(key);
	return result;
}

static int add_keys(struct cpio *c, const struct initramfs_options *o, struct fault *f)
{
	if (o->key_count > 0 && cpio_add(c, KEYS_NAME, S_IFDIR | 0755, NULL, 0, f) < 0)
		return -1;
	for (unsigned int i = 0; i < o->key_count; i++)
		if (add_key(c, o->key[i], f) < 0)
			return -1;
	return 0;
}

/* What the kernel opens for its first process, and that one's lines for the kernel's log. */
static int add_skeleton(struct cpio *c, struct fault *f)
{
	static const char *const folders[] = { "dev", "etc", "newroot", "proc", "sbin", "sys" };
	static const struct initramfs_device devices[] = {
		{ "dev/console", 0, S_IFCHR, 5, 1 },
		{ "dev/kmsg", 0, S_IFCHR, 1, 11 },
		{ "dev/null", 0, S_IFCHR, 1, 3 },
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (cpio_add(c, folders[i], S_IFDIR | 0755, NULL, 0, f) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
		if (cpio_add_device(c, devices[i].path, devices[i].type | 0600,
				    devices[i].major_number, devices[i].minor_number, f) < 0)
			return -1;
	return 0;
}

/* Makes the folders that the name lies in, as far as they are not there. */
static int add_parents(struct cpio *c, const char *name, struct fault *f)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		char folder[CPIO_NAME_MAX];

		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name), name);
		if (!cpio_mode_of(c, folder) && cpio_add(c, folder, S_IFDIR | 0755, NULL, 0, f) < 0)
			return -1;
	}
	return 0;
}

static int add_device(struct cpio *c, const struct initramfs_device *d, struct fault *f)
{
	char name[CPIO_NAME_MAX];

	(void)snprintf(name, sizeof(name), "%.*s", d->path_len - 1, d->path + 1);
	if (add_parents(c, name, f) < 0)
		return -1;
	return cpio_add_device(c, name, d->type | 0600, d->major_number, d->minor_number, f);
}

static int add_all(struct cpio *c, const struct initramfs_options *o, struct fault *f)
{
	if (add_skeleton(c, f) < 0 || add_program(c, o->program, f) < 0 ||
	    (o->config && add_config(c, o->config, f) < 0) || add_keys(c, o, f) < 0)
		return -1;
	for (unsigned int i = 0; i < o->device_count; i++)
		if (add_device(c, &o->device[i], f) < 0)
			return -1;
	return cpio_end(c, f);
}

static int write_bytes(const char *name, const void *bytes, size_t size, struct fault *f)
{
	struct outfile out;
	int result = outfile_open(&out, name, f);

	if (result == 0)
		result = outfile_write(&out, bytes, size, f);
	return outfile_close(&out, result, f);
}

/* At once: the archive is in memory, and its room is known. */
static int write_gzip(const char *name, const struct cpio *c, struct fault *f)
{
	z_stream z = { .next_in = c->bytes, .avail_in = (uInt)c->used };
	uint8_t *packed;
	uLong room;
	int result;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return fault_set(f, FAULT_FAILED, "no memory to compress");
	room = deflateBound(&z, (uLong)c->used);
	packed = malloc(room);
	z.next_out = packed;
	z.avail_out = (uInt)room;
	if (!packed || deflate(&z, Z_FINISH) != Z_STREAM_END)
		result = fault_set(f, FAULT_FAILED, "no memory to compress");
	else
		result = write_bytes(name, packed, room - z.avail_out, f);
	free(packed);
	(void)deflateEnd(&z); /* only frees */
	return result;
}

static bool is_gzip(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && strcmp(name + len - 3, ".gz") == 0;
}

int initramfs_make(const struct initramfs_options *o, const char *out, struct fault *f)
{
	struct cpio *c = calloc(1, sizeof(*c));
	int result;

	if (!c)
		return fault_errno(f, FAULT_FAILED, "no memory");
	result = add_all(c, o, f);
	if (result == 0)
		result = is_gzip(out) ? write_gzip(out, c, f)
				      : write_bytes(out, c->bytes, c->used, f);
	cpio_free(c);
	free(c);
	return result;
}

/* An absolute path that says where it leads: no part of it is empty, "." or "..". */
static bool plain_path(const char *path, size_t len)
{
	size_t part;

	if (len < 2 || len >= CPIO_NAME_MAX)
		return false;
	for (size_t at = 0; at < len; at += part) {
		if (path[at++] != '/')
			return false;
		part = strcspn(path + at, "/,");
		if (part == 0 || (part == 1 && path[at] == '.') ||
		    (part == 2 && memcmp(path + at, "..", 2) == 0))
			return false;
	}
	return true;
}

static bool take_number(const char **text, char end, uint32_t most, uint32_t *number)
{
	const char *behind;
	uint64_t n = number_read(*text, 10, &behind);

	if (**text < '0' || **text > '9' || *behind != end || n > most)
		return false;
	*number = (uint32_t)n;
	*text = behind + 1;
	return true;
}

int initramfs_take_device(struct initramfs_options *o, const char *text, struct fault *f)
{
	struct initramfs_device d = { .path = text, .path_len = (int)strcspn(text, ",") };
	const char *rest = text + d.path_len;

	if (o->device_count == INITRAMFS_DEVICES_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d devices", INITRAMFS_DEVICES_MAX);
	if (!plain_path(text, (size_t)d.path_len))
		return fault_set(f, FAULT_USAGE,
				 "--device %s: must begin with a path such as /dev/name", text);
	if (strncmp(rest, ",c,", 3) == 0)
		d.type = S_IFCHR;
	else if (strncmp(rest, ",b,", 3) == 0)
		d.type = S_IFBLK;
	else
		return fault_set(f, FAULT_USAGE,
				 "--device %s: must be PATH,TYPE,MAJOR,MINOR, of which "
				 "TYPE is c or b",
				 text);
	rest += 3;
	if (!take_number(&rest, ',', CPIO_MAJOR_MAX, &d.major_number) ||
	    !take_number(&rest, '\0', CPIO_MINOR_MAX, &d.minor_number))
		return fault_set(f, FAULT_USAGE, "--device %s: MAJOR is 0 to %d, MINOR 0 to %d",
				 text, CPIO_MAJOR_MAX, CPIO_MINOR_MAX);
	o->device[o->device_count++] = d;
	return 0;
}
