// SPDX-License-Identifier: GPL-2.0-or-later
#include "show.h"

#include <inttypes.h>
#include <stdio.h>

#include "image_file.h"
#include "json.h"
#include "say.h"

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
	(void)printf("payload: %s", p->part);
	if (p->kind == PAYLOAD_UBIVOL)
		(void)printf(", volume %s (%s, %" PRIu64 " bytes)", p->volume,
			     p->volume_type == VOLUME_STATIC ? "static" : "dynamic",
			     p->volume_size);
	(void)printf(", kind %s, %" PRIu64 " bytes (%" PRIu64 " stored), %" PRIu32
		     " chunks of %" PRIu32 ", tail %s\n",
		     kinds[p->kind], p->size, stored_bytes(p), p->chunk_count, p->chunk_size,
		     tails[p->tail]);
}

static void print_text(const struct image *img)
{
	(void)printf("firmware: %s\n", img->fw_version);
	(void)printf("rollback number: %" PRIu32 "\n", img->rollback);
	for (unsigned int i = 0; i < img->board_count; i++)
		(void)printf("board: %s\n", img->board[i]);
	for (unsigned int i = 0; i < img->payload_count; i++)
		print_payload(&img->payload[i]);
	(void)printf("signature: %s%s%s\n", trusts[img->trust], img->signed_by[0] ? ", " : "",
		     img->signed_by);
	(void)printf("size: %" PRIu64 " bytes\n", image_file_size(img));
}

static void json_payload(const struct payload *p)
{
	(void)printf("{\"partition\": ");
	json_string(p->part);
	(void)printf(", \"kind\": \"%s\", \"size\": %" PRIu64 ", \"stored\": %" PRIu64
		     ", \"chunks\": %" PRIu32 ", \"chunk_size\": %" PRIu32 ", \"tail\": \"%s\"",
		     kinds[p->kind], p->size, stored_bytes(p), p->chunk_count, p->chunk_size,
		     tails[p->tail]);
	if (p->kind == PAYLOAD_UBIVOL) {
		(void)printf(", \"volume\": ");
		json_string(p->volume);
		(void)printf(", \"volume_size\": %" PRIu64 ", \"volume_type\": \"%s\"",
			     p->volume_size,
			     p->volume_type == VOLUME_STATIC ? "static" : "dynamic");
	}
	(void)putchar('}');
}

static void print_json(const struct image *img)
{
	(void)printf("{\"firmware\": ");
	json_string(img->fw_version);
	(void)printf(", \"rollback_number\": %" PRIu32 ", \"boards\": [", img->rollback);
	for (unsigned int i = 0; i < img->board_count; i++) {
		(void)printf("%s", i ? ", " : "");
		json_string(img->board[i]);
	}
	(void)printf("], \"payloads\": [");
	for (unsigned int i = 0; i < img->payload_count; i++) {
		(void)printf("%s", i ? ", " : "");
		json_payload(&img->payload[i]);
	}
	(void)printf("], \"signature\": \"%s\", \"signed_by\": ", trusts[img->trust]);
	json_string(img->signed_by);
	(void)printf(", \"size\": %" PRIu64 "}\n", image_file_size(img));
}

static int open_image(struct image_file *file, const struct show_options *o, struct fault *f)
{
	struct key_ring ring = { .count = 0 };

	file->image = (struct image){ .index = NULL };
	file->source.fd = -1;
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
		if (fflush(stdout) != 0)
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
