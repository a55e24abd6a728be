// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "progress.h"
#include "say.h"

const struct image *firmware_image(const struct firmware *fw)
{
	return fw->is_raw ? &fw->raw.image : &fw->file.image;
}

static const char *trust_words(const struct image *img)
{
	if (img->trust == IMAGE_VERIFIED)
		return "signed by ";
	return img->trust == IMAGE_UNSIGNED ? "unsigned" : "signed, by whom was not verified";
}

static int check_admission(const struct image *img, const struct config *config,
			   const struct admission *except, struct fault *f)
{
	struct board_names names;

	board_names_find(&names, config, &board_live);
	return admission_check(img, config, &names, except, f);
}

static int check_seekable(const struct image_file *file, bool may_stream, struct fault *f)
{
	if (file->source.seekable || may_stream)
		return 0;
	return fault_set(f, FAULT_UNFIT,
			 "%s: cannot be read twice; save it to a file (in /tmp, say) first",
			 file->source.name);
}

static int open_image(struct firmware *fw, const struct firmware_request *r,
		      const struct config *config, struct fault *f)
{
	const struct image *img = &fw->file.image;
	bool seekable;

	if (image_file_open(&fw->file, r->image, NULL, f) < 0 ||
	    check_seekable(&fw->file, r->may_stream, f) < 0 ||
	    check_admission(img, config, &r->except, f) < 0)
		return -1;
	seekable = fw->file.source.seekable;
	if (seekable && image_file_verify(&fw->file, "verifying", f) < 0)
		return -1;
	say("%s: firmware %s, %u payload%s, %s, %s%s", fw->file.source.name, img->fw_version,
	    img->payload_count, img->payload_count == 1 ? "" : "s",
	    seekable ? "whole" : "checked as it comes", trust_words(img), img->signed_by);
	return 0;
}

/* Nobody can have signed what has no index. */
static int no_keys_installed(struct fault *f)
{
	struct key_ring ring = { .count = 0 };

	if (key_ring_add_folder(&ring, CONFIG_KEYS, f) < 0)
		return -1;
	if (ring.count)
		return fault_set(f, FAULT_IMAGE,
				 "--raw: plain images are not signed, and %s has public keys",
				 CONFIG_KEYS);
	return 0;
}

static int open_raw(struct firmware *fw, struct firmware_request *r, const struct config *config,
		    struct fault *f)
{
	static const char *const checks[] = {
		[0] = "no checksum to hold it against",
		[RAW_SHA256] = "its SHA-256 is right",
		[RAW_CRC32] = "its CRC-32 is right",
		[RAW_SHA256 | RAW_CRC32] = "its SHA-256 and its CRC-32 are right",
	};
	struct progress progress;
	int result;

	for (unsigned int i = 0; i < r->raw_count; i++)
		if (raw_take_sidecar(&r->raw[i], f) < 0)
			return -1;
	progress_start(&progress, "verifying");
	result = raw_open(&fw->raw, r->raw, r->raw_count, progress_callback, &progress, f);
	progress_end(&progress);
	if (result < 0 || no_keys_installed(f) < 0 ||
	    check_admission(&fw->raw.image, config, &r->except, f) < 0)
		return -1;
	for (unsigned int i = 0; i < r->raw_count; i++)
		say("%s: %" PRIu64 " bytes, %s", r->raw[i].file, fw->raw.image.payload[i].size,
		    checks[r->raw[i].checks]);
	return 0;
}

void firmware_init(struct firmware *fw)
{
	memset(fw, 0, sizeof(*fw));
	fw->file.source.fd = -1;
	for (unsigned int i = 0; i < IMAGE_PAYLOADS_MAX; i++)
		fw->raw.source[i].fd = -1;
}

int firmware_open(struct firmware *fw, struct firmware_request *r, const struct config *config,
		  struct fault *f)
{
	fw->is_raw = r->raw_count > 0;
	return fw->is_raw ? open_raw(fw, r, config, f) : open_image(fw, r, config, f);
}

bool firmware_is_stream(const struct firmware *fw)
{
	return !fw->is_raw && !fw->file.source.seekable;
}

int firmware_chunks(struct firmware *fw, struct source **src, struct fault *f)
{
	const struct image *img = firmware_image(fw);

	*src = fw->is_raw ? &fw->feeder.source : &fw->file.source;
	if (fw->is_raw)
		return feeder_start(&fw->feeder, &fw->raw, f);
	if (firmware_is_stream(fw))
		return 0;
	return source_back_to(*src, image_file_size(img) - img->body_size, f);
}

static int copy_raw(struct firmware *fw, const char *path, int (*keep_going)(void), struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot create", path);
	result = raw_write(&fw->raw, fd, keep_going, f);
	if (close(fd) < 0 && result == 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	return result;
}

int firmware_copy(struct firmware *fw, const char *path, int (*keep_going)(void), struct fault *f)
{
	if (fw->is_raw)
		return copy_raw(fw, path, keep_going, f);
	/* The very file that was verified, even if something is mounted over its path by now. */
	if (source_rewind(&fw->file.source, f) < 0)
		return -1;
	if (file_copy_from(fw->file.source.fd, path, 0600, keep_going) < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot copy %s", path,
				   fw->file.source.name);
	return 0;
}

void firmware_close(struct firmware *fw)
{
	feeder_stop(&fw->feeder);
	raw_close(&fw->raw);
	image_file_close(&fw->file);
}
