// SPDX-License-Identifier: GPL-2.0-or-later
#include "sign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "index_writer.h"
#include "outfile.h"
#include "signature.h"

/* Opens an image and reads it up to its chunks, signed or not. */
static int open_image(const char *image, struct source *src, struct image *img, struct fault *f)
{
	static const struct key_ring no_keys;

	memset(img, 0, sizeof(*img));
	if (source_open(src, image, f) < 0)
		return -1;
	return image_read(img, src, &no_keys, f);
}

int sign_extract_index(const char *image, const char *name, struct fault *f)
{
	struct source src = { .fd = -1 };
	struct outfile out;
	struct image img;
	int result = open_image(image, &src, &img, f);

	if (result == 0 && outfile_open(&out, name, f) < 0)
		result = -1;
	else if (result == 0)
		result = outfile_close(&out, outfile_write(&out, img.index, img.index_size, f), f);
	image_free(&img);
	source_close(&src);
	return result;
}

/* Reads the signature file and checks that it is one, and of this index by this key. */
static int read_signature(const char *path, const char *key, const struct image *img, char *text,
			  size_t *size, struct fault *f)
{
	struct key_ring ring = { .count = 0 };
	const struct public_key *by;
	struct signature sig;
	FILE *file = fopen(path, "rbe");

	if (!file)
		return fault_errno(f, FAULT_FAILED, "%s: cannot open", path);
	*size = fread(text, 1, IMAGE_SIGNATURE_MAX + 1, file);
	if (ferror(file)) {
		(void)fault_errno(f, FAULT_FAILED, "%s: cannot read", path);
		(void)fclose(file);
		return -1;
	}
	(void)fclose(file); /* read-only */
	if (*size > IMAGE_SIGNATURE_MAX)
		return fault_set(f, FAULT_IMAGE, "%s: more than %d bytes: not a signature", path,
				 IMAGE_SIGNATURE_MAX);
	if (signature_parse(&sig, text, *size, path, f) < 0)
		return -1;
	if (!key)
		return 0;
	if (key_ring_add_file(&ring, key, f) < 0)
		return -1;
	return signature_verify(&sig, img->index, img->index_size, &ring, &by, path, f);
}

/* The chunks are copied as they are: their checks are in the index. */
static int copy_chunks(struct source *src, uint64_t size, struct outfile *out, struct fault *f)
{
	char buf[65536];

	while (size > 0) {
		size_t len = size < sizeof(buf) ? (size_t)size : sizeof(buf);

		if (source_read(src, buf, len, f) < 0 || outfile_write(out, buf, len, f) < 0)
			return -1;
		size -= len;
	}
	return source_expect_end(src, f);
}

static int write_signed(struct source *src, const struct image *img, const char *text, size_t size,
			const char *name, struct fault *f)
{
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];
	struct outfile out;
	int result;

	if (outfile_open(&out, name, f) < 0)
		return -1;
	image_fill_preamble(preamble, img->index, img->index_size, img->body_size,
			    (const uint8_t *)text, (uint32_t)size);
	result = outfile_write(&out, preamble, sizeof(preamble), f);
	if (result == 0)
		result = outfile_write(&out, img->index, img->index_size, f);
	if (result == 0)
		result = outfile_write(&out, text, size, f);
	if (result == 0)
		result = copy_chunks(src, img->body_size, &out, f);
	return outfile_close(&out, result, f);
}

int sign_insert(const char *image, const char *signature, const char *key, const char *out,
		struct fault *f)
{
	char text[IMAGE_SIGNATURE_MAX + 1];
	struct source src = { .fd = -1 };
	struct image img;
	size_t size = 0;
	int result = open_image(image, &src, &img, f);

	if (result == 0)
		result = read_signature(signature, key, &img, text, &size, f);
	if (result == 0)
		result = write_signed(&src, &img, text, size, out, f);
	image_free(&img);
	source_close(&src);
	return result;
}
