// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "index_writer.h"
#include "progress.h"
#include "say.h"

enum { LOOK_UP_MS = 200 };

const struct image *firmware_image(const struct firmware *fw)
{
	return fw->is_raw ? &fw->raw.image : &fw->file.image;
}

const char *firmware_trust(const struct firmware *fw)
{
	const struct image *img = firmware_image(fw);

	if (img->trust == IMAGE_VERIFIED)
		return "signed by ";
	return img->trust == IMAGE_UNSIGNED ? "unsigned" : "signed, by whom was not verified";
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

static int open_raw(struct firmware *fw, struct firmware_request *r, struct fault *f)
{
	struct progress progress;
	int result;

	for (unsigned int i = 0; i < r->raw_count; i++)
		if (raw_take_sidecar(&r->raw[i], f) < 0)
			return -1;
	progress_start(&progress, "verifying");
	result = raw_open(&fw->raw, r->raw, r->raw_count, progress_callback, &progress, f);
	progress_end(&progress);
	return result < 0 ? -1 : no_keys_installed(f);
}

bool firmware_is_wanted(const struct firmware_request *r)
{
	return r->image || r->raw_count;
}

void firmware_init(struct firmware *fw)
{
	memset(fw, 0, sizeof(*fw));
	fw->file.source.fd = -1;
	for (unsigned int i = 0; i < IMAGE_PAYLOADS_MAX; i++)
		fw->raw.source[i].fd = -1;
}

int firmware_look(struct firmware *fw, struct firmware_request *r, struct fault *f)
{
	fw->is_raw = r->raw_count > 0;
	if (fw->is_raw)
		return open_raw(fw, r, f);
	return image_file_open(&fw->file, r->image, NULL, f);
}

/* They were verified when they were looked at. */
static void tell_raw(const struct firmware *fw, const struct firmware_request *r,
		     struct finding *found)
{
	static const char *const checks[] = {
		[0] = "no checksum to hold it against",
		[RAW_SHA256] = "its SHA-256 is right",
		[RAW_CRC32] = "its CRC-32 is right",
		[RAW_SHA256 | RAW_CRC32] = "its SHA-256 and its CRC-32 are right",
	};

	for (unsigned int i = 0; i < r->raw_count; i++) {
		if (i > 0) /* the last one is left to the caller */
			say("%s", found->text);
		finding_say(found, "%s: %" PRIu64 " bytes, %s", r->raw[i].file,
			    fw->raw.image.payload[i].size, checks[r->raw[i].checks]);
	}
}

int firmware_verify(struct firmware *fw, const struct firmware_request *r, struct finding *found,
		    struct fault *f)
{
	const struct image *img = firmware_image(fw);
	bool seekable = fw->file.source.seekable;

	if (fw->is_raw) {
		tell_raw(fw, r, found);
		return 0;
	}
	if (seekable && image_file_verify(&fw->file, "verifying", f) < 0)
		return -1;
	finding_say(found, "%s: firmware %s, %u payload%s, %s, %s%s", fw->file.source.name,
		    img->fw_version, img->payload_count, img->payload_count == 1 ? "" : "s",
		    seekable ? "whole" : "checked as it comes", firmware_trust(fw), img->signed_by);
	return 0;
}

int firmware_open(struct firmware *fw, struct firmware_request *r, const struct config *config,
		  struct fault *f)
{
	struct finding found = { .figures = 0 };
	struct board_names names;

	board_names_find(&names, config, &board_live);
	if (firmware_look(fw, r, f) < 0 ||
	    admission_board(firmware_image(fw), &names, &r->except, f) < 0 ||
	    admission_rollback(firmware_image(fw), config, &r->except, f) < 0 ||
	    firmware_verify(fw, r, &found, f) < 0)
		return -1;
	say("%s", found.text);
	return 0;
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

/*
 * Reads what there is: 0 at the end, or -1 with the fault. Who sends it may be slow, or never come to
 * an end.
 */
static ssize_t read_stream(struct source *src, char *buf, size_t size, int (*keep_going)(void),
			   struct fault *f)
{
	struct pollfd p = { .fd = src->fd, .events = POLLIN };
	size_t got;
	ssize_t n;

	if (src->mtd && keep_going())
		return source_read_some(src, buf, size, &got, f) < 0 ? -1 : (ssize_t)got;
	do
		if (!keep_going())
			return fault_set(f, FAULT_FAILED, "interrupted");
	while (poll(&p, 1, LOOK_UP_MS) == 0);
	n = read(src->fd, buf, size);
	if (n < 0)
		return fault_errno(f, FAULT_IMAGE, "%s: cannot read", src->name);
	return n;
}

/* What has been read of it before is written as it was. */
static int copy_stream(struct firmware *fw, int fd, int (*keep_going)(void), struct fault *f)
{
	const struct image *img = &fw->file.image;
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];
	uint64_t left = img->body_size;
	char buf[4096];
	ssize_t n = 0;
	int result;

	image_fill_preamble(preamble, img->index, img->index_size, img->body_size, img->signature,
			    img->signature_size);
	result = fd_write(fd, preamble, sizeof(preamble));
	if (result == 0)
		result = fd_write(fd, img->index, img->index_size);
	if (result == 0)
		result = fd_write(fd, img->signature, img->signature_size);
	while (result == 0 && left > 0) {
		n = read_stream(&fw->file.source, buf,
				left < sizeof(buf) ? (size_t)left : sizeof(buf), keep_going, f);
		if (n <= 0)
			return (int)n;
		left -= (size_t)n;
		result = fd_write(fd, buf, (size_t)n);
	}
	if (result == 0)
		return source_expect_end(&fw->file.source, f);
	return fault_errno(f, FAULT_FAILED, "cannot write the image to RAM");
}

static int copy_made(struct firmware *fw, const char *path, int (*keep_going)(void),
		     struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot create", path);
	result = fw->is_raw ? raw_write(&fw->raw, fd, keep_going, f)
			    : copy_stream(fw, fd, keep_going, f);
	if (close(fd) < 0 && result == 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	return result;
}

int firmware_copy(struct firmware *fw, const char *path, int (*keep_going)(void), struct fault *f)
{
	struct source *chunks;

	if (fw->is_raw || firmware_is_stream(fw))
		return copy_made(fw, path, keep_going, f);
	if (fw->file.source.mtd) /* its bytes are not in one piece */
		return firmware_chunks(fw, &chunks, f) < 0 ? -1
							   : copy_made(fw, path, keep_going, f);
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
