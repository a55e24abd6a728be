/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware image (*.fwi): preamble, index and signature. docs/image-format.md specifies every
 * byte; what is here is its reader's side, index_writer.h the writer's.
 */
#ifndef FLASH_IMAGE_H
#define FLASH_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "seals.h"
#include "signature.h"
#include "source.h"

#define IMAGE_MAGIC "\211FWI\r\n\032\n"
#define IMAGE_FORMAT 1u

enum {
	IMAGE_MAGIC_SIZE = 8,
	IMAGE_IDENTITY_SIZE = 10, /* magic and format version */
	IMAGE_PREAMBLE_SIZE = 40,
	IMAGE_FIELD_SIZE = 8,    /* what stands before a field's value */
	IMAGE_PAYLOAD_SIZE = 16, /* what stands before the partition's name */
	IMAGE_VOLUME_SIZE = 12,  /* what stands before the volume's name */
	IMAGE_CHUNK_SIZE = 44,   /* one line of the chunk table */
	IMAGE_SHA256_SIZE = 32,
	IMAGE_ID_SIZE = 2 * IMAGE_SHA256_SIZE + 1, /* of a text */

	IMAGE_INDEX_MAX = 1 << 20, /* bytes: what a hostile image can make a reader allocate */
	IMAGE_SIGNATURE_MAX = 4096,
	IMAGE_PAYLOADS_MAX = 8,
	IMAGE_BOARDS_MAX = 16,
	IMAGE_TEXT_MAX = 63,    /* bytes in a name or version */
	IMAGE_CHUNK_MIN = 4096, /* bytes in a chunk when unpacked */
	IMAGE_CHUNK_MAX = 1 << 20,
};

/* Field numbers. A reader refuses critical ones that it does not know and skips the others. */
#define FIELD_CRITICAL 0x8000u
#define FIELD_IDENTITY (FIELD_CRITICAL | 0u)
#define FIELD_BOARD (FIELD_CRITICAL | 1u)
#define FIELD_FW_VERSION (FIELD_CRITICAL | 2u)
#define FIELD_PAYLOAD (FIELD_CRITICAL | 3u)
#define FIELD_CHUNKS (FIELD_CRITICAL | 4u)
#define FIELD_ROLLBACK (FIELD_CRITICAL | 5u)
#define FIELD_VOLUME (FIELD_CRITICAL | 6u)

enum payload_kind {
	PAYLOAD_MTD = 1,    /* raw contents of an MTD partition: good eraseblocks in order */
	PAYLOAD_UBI = 2,    /* an image made by ubinize, for an MTD partition */
	PAYLOAD_UBIVOL = 3, /* contents of a UBI volume */
	PAYLOAD_BLOCK = 4,  /* the start of a block device */
};

enum tail_policy {                /* what becomes of an MTD partition behind the contents */
		   TAIL_NONE = 0, /* for every other kind */
		   TAIL_ERASE = 1,
		   TAIL_KEEP = 2,
		   TAIL_JFFS2 = 3, /* erased, and cleanmarkers written */
};

enum volume_type { VOLUME_DYNAMIC = 1, VOLUME_STATIC = 2 };

enum chunk_encoding {
	CHUNK_STORED = 0,
	CHUNK_DEFLATE = 1, /* a zlib stream */
	CHUNK_BLANK = 2,   /* all 0xFF, and absent from the file */
};

struct chunk {
	enum chunk_encoding encoding;
	uint32_t stored;       /* bytes in the file */
	uint32_t raw;          /* bytes when unpacked */
	uint32_t crc;          /* CRC-32 of the bytes in the file */
	const uint8_t *sha256; /* of the unpacked bytes; inside struct image's index */
};

struct payload {
	char part[IMAGE_TEXT_MAX + 1]; /* partition, as /proc/mtd names it */
	enum payload_kind kind;
	enum tail_policy tail;
	uint64_t size;       /* bytes when unpacked */
	uint32_t chunk_size; /* of every chunk but the last, which may be shorter */
	uint32_t chunk_count;
	const uint8_t *table; /* chunk_count lines, inside struct image's index */
	struct seals *seals;  /* the image's; whoever reads a chunk writes its seal there */
	uint32_t first_chunk; /* of those of the whole image */
	/* for PAYLOAD_UBIVOL */
	char volume[IMAGE_TEXT_MAX + 1];
	enum volume_type volume_type;
	uint64_t volume_size; /* bytes; 0: as the contents need */
};

enum image_trust {
	IMAGE_UNSIGNED,
	IMAGE_NOT_VERIFIED, /* signed, but no public key is there to verify it */
	IMAGE_VERIFIED,
};

struct image {
	char fw_version[IMAGE_TEXT_MAX + 1];
	uint32_t rollback; /* anti-rollback number; 0 where the image has none */
	unsigned int board_count;
	char board[IMAGE_BOARDS_MAX][IMAGE_TEXT_MAX + 1];
	unsigned int payload_count;
	struct payload payload[IMAGE_PAYLOADS_MAX];
	uint32_t index_size;
	uint32_t signature_size;
	uint64_t body_size;   /* bytes of all chunks */
	uint32_t chunk_count; /* of all payloads */
	struct seals *seals;  /* of those chunks that were read by this struct */
	uint8_t *index;
	uint8_t *signature; /* the signature file's text; NULL in an unsigned image */
	enum image_trust trust;
	char signed_by[KEY_NAME_MAX]; /* name of the key, if IMAGE_VERIFIED */
};

/*
 * Reads preamble, index and signature from the start of src, checks everything in them against the
 * limits above, and leaves src at the first chunk. If keys has any, one of them must have signed
 * the image. Whatever does not fit is FAULT_IMAGE. Release with image_free(), also after a failure.
 */
int image_read(struct image *img, struct source *src, const struct key_ring *keys, struct fault *f);
void image_free(struct image *img);

/* Parses an index of size bytes that was made here or has been vouched for; img takes it over. */
int image_parse_index(struct image *img, uint8_t *index, uint32_t size, const char *name,
		      struct fault *f);

/*
 * Takes a name of a partition or volume, len bytes, into to, which has room for IMAGE_TEXT_MAX and a
 * NUL. It must be printable ASCII and not be able to pass for a path, or it is FAULT_IMAGE. what and
 * name are for the message: of what it is a name, and where that stands.
 */
int image_take_name(char *to, const uint8_t *value, uint32_t len, const char *what,
		    const char *name, struct fault *f);

/* Line n of the payload's chunk table. */
struct chunk payload_chunk(const struct payload *p, uint32_t n);

/* Whether two payloads would overwrite each other: one partition, and not two volumes on it. */
bool payload_same_place(const struct payload *a, const struct payload *b);

/*
 * Tells one image from every other one: the SHA-256 of its index, which has those of all that
 * follows, in hexadecimal.
 */
void image_id(const struct image *img, char id[IMAGE_ID_SIZE]);

/* Bytes of the whole image file. */
uint64_t image_file_size(const struct image *img);

/* Unpacked bytes of all payloads together. */
uint64_t image_payload_bytes(const struct image *img);

/*
 * Reads all chunks of all payloads from src, which stands behind the signature, and checks each
 * one, and that the source ends behind the last. Those with a seal must be what they were. on_progress (may be NULL) is told the unpacked
 * bytes.
 */
int image_verify(const struct image *img, struct source *src,
		 void (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		 struct fault *f);

#endif
