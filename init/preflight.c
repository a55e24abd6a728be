// SPDX-License-Identifier: GPL-2.0-or-later
#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "busybox.h"
#include "engine.h"
#include "files.h"
#include "lock.h"
#include "memory.h"
#include "mounts.h"
#include "mtd_map.h"
#include "obstacles.h"
#include "progress.h"
#include "proof.h"
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

/* The system as it is: what is mounted, reachable or not. */
struct system {
	struct mount_table all, reachable;
	struct mtd_map map;
};

static int check_system(struct system *sys, struct fault *f)
{
	if (mounts_read(&sys->reachable, "/proc/self/mountinfo", f) < 0 ||
	    mounts_read_all(&sys->all, f) < 0 || mtd_map_read(&sys->map, "/sys", f) < 0)
		return -1;
	if (obstacles_pivot(&sys->reachable, f) < 0 ||
	    obstacles_hidden(&sys->all, &sys->reachable, f) < 0)
		return -1;
	return obstacles_watchdog("/sys", f);
}

/* What the take-over will not end: it unmounts and kills, but it detaches no UBI. */
static int check_use(const struct system *sys, int number, struct fault *f)
{
	const struct proof_view view = {
		.mounts = &sys->all,
		.swaps = "/dev/null", /* swap and loop devices will be let go */
		.sys = "/sys",
	};

	if (obstacles_lazy(&sys->all, number, "/proc", f) < 0)
		return -1;
	return proof_target_free(&view, number, false, f);
}

static int check_target(const struct payload *payload, const struct system *sys, int *number,
			struct fault *f)
{
	struct target *t;
	uint32_t good;
	int result;

	if (check_supported(payload, f) < 0 ||
	    target_open_mtd(&t, payload->part, TARGET_LOOK, number, f) < 0)
		return -1;
	result = target_good_blocks(t, &good, f);
	if (result == 0)
		result = engine_check_fit(payload, t, f);
	if (result == 0)
		result = check_use(sys, *number, f);
	if (result == 0)
		say("%s is mtd%d: %" PRIu64 " bytes go into %u good eraseblocks of %u bytes",
		    payload->part, *number, payload->size, good, t->eraseblock);
	target_close(t);
	if (result < 0 && f->kind == FAULT_FLASH)
		f->kind = FAULT_UNFIT; /* nothing was changed: it can only not be read */
	return result;
}

/* Two payloads for the same flash under two names would overwrite each other. */
static int check_apart(const struct system *sys, const int *number, unsigned int count,
		       struct fault *f)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct mtd_place *a = mtd_map_find(&sys->map, number[i]);

		for (unsigned int k = 0; k < i; k++) {
			const struct mtd_place *b = mtd_map_find(&sys->map, number[k]);

			if (a && b && mtd_overlap(a, b))
				return fault_set(
					f, FAULT_UNFIT,
					"the image writes %s and %s, which share some flash",
					b->name, a->name);
		}
	}
	return 0;
}

static int check_targets(const struct image *img, const struct system *sys, struct fault *f)
{
	int number[IMAGE_PAYLOADS_MAX];

	for (unsigned int i = 0; i < img->payload_count; i++)
		if (check_target(&img->payload[i], sys, &number[i], f) < 0)
			return -1;
	return check_apart(sys, number, img->payload_count, f);
}

static int check_system_and_targets(const struct image *img, struct fault *f)
{
	struct system sys;
	int result;

	memset(&sys, 0, sizeof(sys));
	result = check_system(&sys, f);
	if (result == 0)
		result = check_targets(img, &sys, f);
	mounts_free(&sys.all);
	mounts_free(&sys.reachable);
	return result;
}

static const struct image *image_of(const struct preflight *p)
{
	return p->is_raw ? &p->raw.image : &p->file.image;
}

static int check_memory(struct preflight *p, struct fault *f)
{
	struct stat self;

	if (stat("/proc/self/exe", &self) < 0)
		return fault_errno(f, FAULT_UNFIT, "/proc/self/exe (is /proc mounted?)");
	p->staged = image_file_size(image_of(p)) + (uint64_t)self.st_size;
	return memory_check("/proc/meminfo", p->staged + MEMORY_MARGIN, f);
}

static const char *trust_words(const struct image *img)
{
	if (img->trust == IMAGE_VERIFIED)
		return "signed by ";
	return img->trust == IMAGE_UNSIGNED ? "unsigned" : "signed, by whom was not verified";
}

static int check_admission(const struct preflight *p, const struct admission *except,
			   struct fault *f)
{
	struct board_names names;

	board_names_find(&names, &p->config, &board_live);
	return admission_check(image_of(p), &p->config, &names, except, f);
}

static int check_image(struct preflight *p, const struct firmware *fw, struct fault *f)
{
	const struct image *img = &p->file.image;

	if (image_file_open(&p->file, fw->image, NULL, f) < 0 ||
	    check_admission(p, &fw->except, f) < 0 || image_file_verify(&p->file, f) < 0)
		return -1;
	say("%s: firmware %s, %u payload%s, whole, %s%s", fw->image, img->fw_version,
	    img->payload_count, img->payload_count == 1 ? "" : "s", trust_words(img),
	    img->signed_by);
	if (!p->file.source.seekable)
		return fault_set(f, FAULT_UNFIT,
				 "%s: cannot be read twice; save it to a file (in /tmp, say) first",
				 p->file.source.name);
	return 0;
}

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
	progress_show(ctx, done, total);
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

static int check_raw(struct preflight *p, struct firmware *fw, struct fault *f)
{
	static const char *const checks[] = {
		[RAW_UNCHECKED] = "no checksum to hold it against",
		[RAW_SHA256] = "its SHA-256 is right",
		[RAW_CRC32] = "its CRC-32 is right",
	};
	struct progress progress;
	int result;

	for (unsigned int i = 0; i < fw->raw_count; i++)
		if (raw_take_sidecar(&fw->raw[i], f) < 0)
			return -1;
	progress_start(&progress, "verifying");
	result = raw_open(&p->raw, fw->raw, fw->raw_count, show_progress, &progress, f);
	progress_end(&progress);
	if (result < 0 || no_keys_installed(f) < 0 || check_admission(p, &fw->except, f) < 0)
		return -1;
	for (unsigned int i = 0; i < fw->raw_count; i++)
		say("%s: %" PRIu64 " bytes, %s", fw->raw[i].file, p->raw.image.payload[i].size,
		    checks[fw->raw[i].check]);
	return 0;
}

static void init(struct preflight *p, const struct firmware *fw)
{
	memset(p, 0, sizeof(*p));
	p->is_raw = fw->raw_count > 0;
	p->lock = -1;
	p->file.source.fd = -1;
	for (unsigned int i = 0; i < IMAGE_PAYLOADS_MAX; i++)
		p->raw.source[i].fd = -1;
}

int preflight_run(struct preflight *p, struct firmware *fw, struct fault *f)
{
	init(p, fw);
	if (check_root_user(f) < 0 || check_place(f) < 0)
		return -1;
	p->lock = lock_take(f);
	if (p->lock < 0 || config_read(&p->config, CONFIG_FILE, f) < 0 ||
	    (p->is_raw ? check_raw(p, fw, f) : check_image(p, fw, f)) < 0 ||
	    busybox_is_init("/proc/1", p->busybox, sizeof(p->busybox), f) < 0)
		return -1;
	if (check_system_and_targets(image_of(p), f) < 0)
		return -1;
	return check_memory(p, f);
}

static int copy_raw(struct preflight *p, const char *path, int (*keep_going)(void), struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot create", path);
	result = raw_write(&p->raw, fd, keep_going, f);
	if (close(fd) < 0 && result == 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	return result;
}

int preflight_copy_image(struct preflight *p, const char *path, int (*keep_going)(void),
			 struct fault *f)
{
	if (p->is_raw)
		return copy_raw(p, path, keep_going, f);
	/* The very file that was verified, even if something is mounted over its path by now. */
	if (source_rewind(&p->file.source, f) < 0)
		return -1;
	if (file_copy_from(p->file.source.fd, path, 0600, keep_going) < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot copy %s", path,
				   p->file.source.name);
	return 0;
}

void preflight_end(struct preflight *p)
{
	raw_close(&p->raw);
	image_file_close(&p->file);
	if (p->lock >= 0)
		(void)close(p->lock); /* nothing was written through it */
	p->lock = -1;
}
