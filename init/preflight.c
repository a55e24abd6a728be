// SPDX-License-Identifier: GPL-2.0-or-later
#include "preflight.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "busybox.h"
#include "engine.h"
#include "lock.h"
#include "memory.h"
#include "say.h"
#include "target_mtd.h"

enum { MEMORY_MARGIN = 2 << 20 }; /* bytes: ours while flashing, and some for everybody else */

static int check_root_user(struct fault *f)
{
	if (geteuid() != 0)
		return fault_set(f, FAULT_UNFIT, "must be run as root");
	return 0;
}

static int same_file(const char *a, const char *b, const char *what, struct fault *f)
{
	struct stat one, two;

	if (stat(a, &one) < 0 || stat(b, &two) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot compare %s with %s (is /proc mounted?)",
				   a, b);
	if (one.st_dev != two.st_dev || one.st_ino != two.st_ino)
		return fault_set(f, FAULT_UNFIT, "runs in another %s than PID 1 does", what);
	return 0;
}

/* In a container or a chroot, pivot_root would change another root than PID 1's. */
static int check_place(struct fault *f)
{
	if (same_file("/", "/proc/1/root", "root folder", f) < 0)
		return -1;
	if (access("/proc/self/ns/mnt", F_OK) < 0)
		return 0; /* a kernel without namespaces has but one */
	return same_file("/proc/self/ns/mnt", "/proc/1/ns/mnt", "mount namespace", f);
}

/* The format knows more than this version writes. */
static int check_supported(const struct payload *p, struct fault *f)
{
	if (p->kind != PAYLOAD_MTD)
		return fault_set(f, FAULT_UNFIT,
				 "%s: this flashinit writes raw MTD partitions only (kind mtd)",
				 p->part);
	if (p->tail == TAIL_JFFS2)
		return fault_set(f, FAULT_UNFIT,
				 "%s: this flashinit cannot write cleanmarkers (tail jffs2); pack "
				 "with tail=erase",
				 p->part);
	return 0;
}

static int check_target(const struct payload *payload, struct fault *f)
{
	struct target *t;
	uint32_t good;
	int number, result;

	if (check_supported(payload, f) < 0 ||
	    target_open_mtd(&t, payload->part, TARGET_LOOK, &number, f) < 0)
		return -1;
	result = target_good_blocks(t, &good, f);
	if (result == 0)
		result = engine_check_fit(payload, t, f);
	if (result == 0)
		say("%s is mtd%d: %" PRIu64 " bytes go into %u good eraseblocks of %u bytes",
		    payload->part, number, payload->size, good, t->eraseblock);
	target_close(t);
	if (result < 0 && f->kind == FAULT_FLASH)
		f->kind = FAULT_UNFIT; /* nothing was changed: it can only not be read */
	return result;
}

static int check_memory(struct preflight *p, struct fault *f)
{
	struct stat self;

	if (stat("/proc/self/exe", &self) < 0)
		return fault_errno(f, FAULT_UNFIT, "/proc/self/exe (is /proc mounted?)");
	p->staged = image_file_size(&p->file.image) + (uint64_t)self.st_size;
	return memory_check("/proc/meminfo", p->staged + MEMORY_MARGIN, f);
}

static const char *trust_words(const struct image *img)
{
	if (img->trust == IMAGE_VERIFIED)
		return "signed by ";
	return img->trust == IMAGE_UNSIGNED ? "unsigned" : "signed, by whom was not verified";
}

static int check_image(struct preflight *p, const char *image, const struct admission *except,
		       struct fault *f)
{
	const struct image *img = &p->file.image;
	struct board_names names;

	if (image_file_open(&p->file, image, NULL, f) < 0)
		return -1;
	board_names_find(&names, &p->config, &board_live);
	if (admission_check(img, &p->config, &names, except, f) < 0 ||
	    image_file_verify(&p->file, f) < 0)
		return -1;
	say("%s: firmware %s, %u payload%s, whole, %s%s", image, img->fw_version,
	    img->payload_count, img->payload_count == 1 ? "" : "s", trust_words(img),
	    img->signed_by);
	if (!p->file.source.seekable)
		return fault_set(f, FAULT_UNFIT,
				 "%s: cannot be read twice; save it to a file (in /tmp, say) first",
				 p->file.source.name);
	return 0;
}

int preflight_run(struct preflight *p, const char *image, const struct admission *except,
		  struct fault *f)
{
	memset(p, 0, sizeof(*p));
	p->file.source.fd = -1;
	p->lock = -1;
	if (check_root_user(f) < 0 || check_place(f) < 0)
		return -1;
	p->lock = lock_take(f);
	if (p->lock < 0 || config_read(&p->config, CONFIG_FILE, f) < 0 ||
	    check_image(p, image, except, f) < 0 ||
	    busybox_is_init("/proc/1", p->busybox, sizeof(p->busybox), f) < 0)
		return -1;
	for (unsigned int i = 0; i < p->file.image.payload_count; i++)
		if (check_target(&p->file.image.payload[i], f) < 0)
			return -1;
	return check_memory(p, f);
}

void preflight_end(struct preflight *p)
{
	image_file_close(&p->file);
	if (p->lock >= 0)
		(void)close(p->lock); /* nothing was written through it */
	p->lock = -1;
}
