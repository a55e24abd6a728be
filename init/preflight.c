// SPDX-License-Identifier: GPL-2.0-or-later
#include "preflight.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "busybox.h"
#include "engine.h"
#include "flashing.h"
#include "lock.h"
#include "memory.h"
#include "mounts.h"
#include "mtd_map.h"
#include "obstacles.h"
#include "pid1.h"
#include "proof.h"
#include "say.h"
#include "targets.h"

enum {
	MEMORY_MARGIN = 1 << 20, /* bytes: for our own stacks, zlib, and everybody else */
};

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
	if (same_file("/proc/self/ns/mnt", "/proc/1/ns/mnt", "mount namespace", f) < 0)
		return -1;
	if (pid_namespace_is_first())
		return 0;
	return fault_set(f, FAULT_UNFIT, "runs in a PID namespace of its own");
}

/* What uses a volume or a block device is not let go, and nothing proves that it has. */
static int check_supported(const struct image *img, struct fault *f)
{
	for (unsigned int i = 0; i < img->payload_count; i++) {
		const struct payload *p = &img->payload[i];

		if (p->kind != PAYLOAD_MTD && p->kind != PAYLOAD_UBI)
			return fault_set(f, FAULT_UNFIT,
					 "%s: update writes whole MTD partitions only (kinds mtd "
					 "and ubi); where nothing uses it, \"flashinit write\" can",
					 p->part);
	}
	return 0;
}

/* The system as it is: what is mounted, reachable or not. */
struct system {
	struct mount_table all, reachable;
};

static int check_system(struct system *sys, struct fault *f)
{
	if (mounts_read(&sys->reachable, "/proc/self/mountinfo", f) < 0 ||
	    obstacles_pivot(&sys->reachable, f) < 0)
		return -1;
	if (mounts_read_all(&sys->all, f) < 0 ||
	    obstacles_hidden(&sys->all, &sys->reachable, f) < 0)
		return -1;
	return obstacles_watchdog("/sys", "/proc", f);
}

/* What the take-over will not end: it unmounts and kills, but it detaches no UBI. */
static int check_use(const struct system *sys, int number, struct fault *f)
{
	const struct proof_view view = {
		.mounts = &sys->all,
		.swaps = "/dev/null", /* swap and loop devices will be let go */
		.sys = "/sys",
	};

	if (obstacles_lazy(&sys->all, number, "/sys", "/proc", f) < 0)
		return -1;
	return proof_target_free(&view, number, false, f);
}

static int check_targets(const struct image *img, const struct system *sys, uint32_t *eraseblock,
			 struct fault *f)
{
	struct targets t;

	if (check_supported(img, f) < 0 || targets_look(&t, img, f) < 0)
		return -1;
	for (unsigned int i = 0; i < t.count; i++)
		if (check_use(sys, mtd_number(t.device[i]), f) < 0)
			return -1;
	*eraseblock = t.eraseblock;
	return 0;
}

/* *eraseblock becomes the size of the largest one, in bytes. */
static int check_system_and_targets(const struct image *img, uint32_t *eraseblock, struct fault *f)
{
	struct system sys;
	int result;

	memset(&sys, 0, sizeof(sys));
	result = check_system(&sys, f);
	if (result == 0)
		result = check_targets(img, &sys, eraseblock, f);
	mounts_free(&sys.all);
	mounts_free(&sys.reachable);
	return result;
}

/* What flashing takes: the index, here and in the worker, and what the engine needs. */
static uint64_t working_memory(const struct image *img, uint32_t eraseblock)
{
	return MEMORY_MARGIN + 2 * (uint64_t)img->index_size + engine_memory(img, eraseblock);
}

static int check_memory(struct preflight *p, uint32_t eraseblock, struct fault *f)
{
	const struct image *img = firmware_image(&p->firmware);
	struct stat self;

	if (stat("/proc/self/exe", &self) < 0)
		return fault_errno(f, FAULT_UNFIT, "/proc/self/exe (is /proc mounted?)");
	p->staged = image_file_size(img) + (uint64_t)self.st_size;
	return memory_check("/proc/meminfo", p->staged + working_memory(img, eraseblock), f);
}

int preflight_run(struct preflight *p, struct firmware_request *r, struct fault *f)
{
	uint32_t eraseblock = 0;

	memset(p, 0, sizeof(*p));
	p->lock = -1;
	firmware_init(&p->firmware);
	if (check_root_user(f) < 0 || check_place(f) < 0)
		return -1;
	p->lock = lock_take(f);
	if (p->lock < 0 || config_read(&p->config, CONFIG_FILE, f) < 0 ||
	    firmware_open(&p->firmware, r, &p->config, f) < 0 ||
	    busybox_is_init("/proc/1", p->busybox, sizeof(p->busybox), f) < 0)
		return -1;
	if (check_system_and_targets(firmware_image(&p->firmware), &eraseblock, f) < 0 ||
	    flashing_check(&p->firmware, f) < 0)
		return -1;
	return check_memory(p, eraseblock, f);
}

void preflight_end(struct preflight *p)
{
	firmware_close(&p->firmware);
	if (p->lock >= 0)
		(void)close(p->lock); /* nothing was written through it */
	p->lock = -1;
}
