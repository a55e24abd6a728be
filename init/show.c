// SPDX-License-Identifier: GPL-2.0-or-later
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "image_file.h"
#include "json.h"
#include "say.h"

static int lost; /* why something could not be written */

static void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (vdprintf(STDOUT_FILENO, fmt, args) < 0)
		lost = errno;
	va_end(args);
}

static const char *const kinds[] = {
	[PAYLOAD_MTD] = "mtd",
	[PAYLOAD_UBI] = "ubi",
	[PAYLOAD_UBIVOL] = "ubivol",
	[PAYLOAD_BLOCK] = "block",
};

static const char *const tails[] = {
	[TAIL_NONE] = "none",
	[TAIL_ERASE] = "erase",
	[TAIL_KEEP] = "keep",
	[TAIL_JFFS2] = "jffs2",
};

static const char *const trusts[] = {
	[IMAGE_UNSIGNED] = "none",
	[IMAGE_NOT_VERIFIED] = "not verified",
	[IMAGE_VERIFIED] = "verified",
};

static uint64_t stored_bytes(const struct payload *p)
{
	uint64_t stored = 0;

	for (uint32_t n = 0; n < p->chunk_count; n++)
		stored += payload_chunk(p, n).stored;
	return stored;
}

static void print_payload(const struct payload *p)
{
	put("payload: %s", p->part);
	if (p->kind == PAYLOAD_UBIVOL)
		put(", volume %s (%s, %" PRIu64 " bytes)", p->volume,
		    p->volume_type == VOLUME_STATIC ? "static" : "dynamic", p->volume_size);
	(void)dprintf(STDOUT_FILENO,
		      ", kind %s, %" PRIu64 " bytes (%" PRIu64 " stored), %" PRIu32
		      " chunks of %" PRIu32 ", tail %s\n",
		      kinds[p->kind], p->size, stored_bytes(p), p->chunk_count, p->chunk_size,
		      tails[p->tail]);
}

static void print_text(const struct image *img)
{
	put("firmware: %s\n", img->fw_version);
	put("rollback number: %" PRIu32 "\n", img->rollback);
	for (unsigned int i = 0; i < img->board_count; i++)
		put("board: %s\n", img->board[i]);
	for (unsigned int i = 0; i < img->payload_count; i++)
		print_payload(&img->payload[i]);
	put("signature: %s%s%s\n", trusts[img->trust], img->signed_by[0] ? ", " : "",
	    img->signed_by);
	put("size: %" PRIu64 " bytes\n", image_file_size(img));
}

static void json_payload(const struct payload *p)
{
	put("{\"partition\": ");
	json_string(p->part);
	(void)dprintf(STDOUT_FILENO,
		      ", \"kind\": \"%s\", \"size\": %" PRIu64 ", \"stored\": %" PRIu64
		      ", \"chunks\": %" PRIu32 ", \"chunk_size\": %" PRIu32 ", \"tail\": \"%s\"",
		      kinds[p->kind], p->size, stored_bytes(p), p->chunk_count, p->chunk_size,
		      tails[p->tail]);
	if (p->kind == PAYLOAD_UBIVOL) {
		put(", \"volume\": ");
		json_string(p->volume);
		(void)dprintf(STDOUT_FILENO,
			      ", \"volume_size\": %" PRIu64 ", \"volume_type\": \"%s\"",
			      p->volume_size,
			      p->volume_type == VOLUME_STATIC ? "static" : "dynamic");
	}
	put("}");
}

static void print_json(const struct image *img)
{
	put("{\"firmware\": ");
	json_string(img->fw_version);
	put(", \"rollback_number\": %" PRIu32 ", \"boards\": [", img->rollback);
	for (unsigned int i = 0; i < img->board_count; i++) {
		put("%s", i ? ", " : "");
		json_string(img->board[i]);
	}
	put("], \"payloads\": [");
	for (unsigned int i = 0; i < img->payload_count; i++) {
		put("%s", i ? ", " : "");
		json_payload(&img->payload[i]);
	}
	(void)dprintf(STDOUT_FILENO,
		      "], \"signature\": \"%s\", \"signed_by\": ", trusts[img->trust]);
	json_string(img->signed_by);
	put(", \"size\": %" PRIu64 "}\n", image_file_size(img));
}

static int open_image(struct image_file *file, const struct show_options *o, struct fault *f)
{
	struct key_ring ring = { .count = 0 };

	*file = (struct image_file){ .source.fd = -1 };
	for (unsigned int i = 0; i < o->key_count; i++)
		if (key_ring_add_file(&ring, o->key[i], f) < 0)
			return -1;
	return image_file_open(file, o->image, o->key_count ? &ring : NULL, f);
}

int show_info(const struct show_options *o)
{
	struct image_file file;
	struct fault f;
	int result = open_image(&file, o, &f);

	if (result == 0) {
		if (o->json)
			print_json(&file.image);
		else
			print_text(&file.image);
		errno = lost;
		if (lost)
			result = fault_errno(&f, FAULT_FAILED, "standard output");
	}
	image_file_close(&file);
	return result < 0 ? say_fault(&f) : 0;
}

int show_verify(const struct show_options *o)
{
	struct image_file file;
	struct fault f;
	int result = open_image(&file, o, &f);

	if (result == 0)
		result = image_file_verify(&file, "verifying", &f);
	if (result == 0)
		say("%s: firmware %s, %" PRIu64 " bytes, every chunk is right, signature: %s%s%s",
		    file.source.name, file.image.fw_version, image_file_size(&file.image),
		    trusts[file.image.trust], file.image.signed_by[0] ? ", " : "",
		    file.image.signed_by);
	image_file_close(&file);
	return result < 0 ? say_fault(&f) : 0;
}
