// SPDX-License-Identifier: GPL-2.0-or-later
/* Each condition that an update needs, in the order in which they are looked at. */
#include "conditions.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admission.h"
#include "engine.h"
#include "flashing.h"
#include "image_home.h"
#include "journaling.h"
#include "lock.h"
#include "memory.h"
#include "obstacles.h"
#include "outcome.h"
#include "outcome_file.h"
#include "pid1.h"
#include "proof.h"
#include "ramroot.h"
#include "root.h"

enum {
	MEMORY_MARGIN = 1 << 20, /* bytes: for our own stacks, zlib, and everybody else */
};

static int check_user(struct preflight *p, struct finding *found, struct fault *f)
{
	(void)p;
	finding_say(found, "root");
	if (geteuid() != 0)
		return fault_set(f, FAULT_UNFIT, "must be run as root");
	return 0;
}

/* In a container or a chroot, pivot_root would change another root than PID 1's. */
static int check_place(struct preflight *p, struct finding *found, struct fault *f)
{
	(void)p;
	finding_say(found, "the root and the namespaces are those of PID 1");
	if (pid1_shares("/", "/proc/1/root", "root folder", f) < 0)
		return -1;
	if (access("/proc/self/ns/mnt", F_OK) < 0)
		return 0; /* a kernel without namespaces has but one */
	if (pid1_shares("/proc/self/ns/mnt", "/proc/1/ns/mnt", "mount namespace", f) < 0)
		return -1;
	if (pid_namespace_is_first())
		return 0;
	return fault_set(f, FAULT_UNFIT, "runs in a PID namespace of its own");
}

static int take_lock(struct preflight *p, struct finding *found, struct fault *f)
{
	finding_say(found, "no other update is running");
	p->lock = lock_take(f);
	return p->lock < 0 ? -1 : 0;
}

static int read_config(struct preflight *p, struct finding *found, struct fault *f)
{
	finding_say(found, CONFIG_FILE " makes sense, or there is none");
	return config_read(&p->config, CONFIG_FILE, f);
}

static int look_at_image(struct preflight *p, struct finding *found, struct fault *f)
{
	if (firmware_look(&p->firmware, p->options->firmware, f) < 0)
		return -1;
	finding_figure(found, "size", image_file_size(firmware_image(&p->firmware)));
	finding_say(found, "%s%s", firmware_trust(&p->firmware),
		    firmware_image(&p->firmware)->signed_by);
	return 0;
}

static int check_board(struct preflight *p, struct finding *found, struct fault *f)
{
	const struct image *img = firmware_image(&p->firmware);
	struct board_names names;

	board_names_find(&names, &p->config, &board_live);
	if (names.count)
		finding_say(found, "this is %s, by %s; the image is for %s", names.name[0],
			    names.source, img->board_count ? "it" : "any");
	else
		finding_say(found, "the image is for any, and nothing says which this is");
	return admission_board(img, &names, &p->options->firmware->except, f);
}

static int check_rollback(struct preflight *p, struct finding *found, struct fault *f)
{
	const struct image *img = firmware_image(&p->firmware);

	finding_figure(found, "number", img->rollback);
	finding_figure(found, "lowest", p->config.rollback);
	finding_say(found, "number %" PRIu32 ", the lowest that is taken is %" PRIu32,
		    img->rollback, p->config.rollback);
	return admission_rollback(img, &p->config, &p->options->firmware->except, f);
}

static int verify_image(struct preflight *p, struct finding *found, struct fault *f)
{
	return firmware_verify(&p->firmware, p->options->firmware, found, f);
}

static int check_init(struct preflight *p, struct finding *found, struct fault *f)
{
	p->via = handover_choose(p->options->via ? p->options->via : p->config.via, found, f);
	return p->via ? 0 : -1;
}

/* All but the root, which goes last. */
static void name_mounts(const struct mount_table *t, struct finding *found)
{
	const struct mount *root = mounts_root(t);
	size_t len = (size_t)snprintf(found->text, sizeof(found->text),
				      "the root (%s) goes, and what is mounted on it:",
				      root ? root->type : "none");

	finding_figure(found, "mounts", t->count);
	for (size_t i = 0; i < t->count && len < sizeof(found->text); i++)
		if (&t->mount[i] != root)
			len += (size_t)snprintf(found->text + len, sizeof(found->text) - len, " %s",
						t->mount[i].point);
}

static int look_at_mounts(struct preflight *p, struct finding *found, struct fault *f)
{
	if (mounts_read(&p->reachable, "/proc/self/mountinfo", f) < 0)
		return -1;
	name_mounts(&p->reachable, found);
	if (!p->options->check_only) /* "check" changes nothing */
		ramroot_tidy(&p->reachable);
	return 0;
}

static int check_pivot(struct preflight *p, struct finding *found, struct fault *f)
{
	finding_say(found, "the root can be replaced");
	return obstacles_pivot(&p->reachable, f);
}

static int check_hidden(struct preflight *p, struct finding *found, struct fault *f)
{
	finding_say(found, "nothing on flash is mounted below the root");
	if (mounts_read_all(&p->all, f) < 0 || obstacles_hidden(&p->all, &p->reachable, f) < 0)
		return -1;
	/* What a process has mounted for itself goes with it. */
	if (mounts_add_others(&p->will_go, "/proc", f) < 0)
		return -1;
	return mounts_add_others(&p->all, "/proc", f);
}

static int check_watchdog(struct preflight *p, struct finding *found, struct fault *f)
{
	finding_say(found, "none is running");
	return watchdog_find(p->watchdogs, found, "/sys", "/proc", f);
}

/* What the take-over will not end: mounts that it cannot reach, the device mapper, RAID. */
static int check_use(const struct preflight *p, const char *device, struct fault *f)
{
	const struct proof_view view = {
		.mounts = &p->all,
		.sys = "/sys",
		.will_go = &p->will_go,
	};

	return target_unused(&view, device, f);
}

static int check_target(struct preflight *p, struct finding *found, struct fault *f)
{
	const struct payload *payload = &firmware_image(&p->firmware)->payload[p->payload];
	struct targets *t = &p->targets;

	found->part = payload->part;
	if (targets_look_at(t, payload, found, f) < 0)
		return -1;
	return check_use(p, t->device[t->count - 1], f);
}

/* What uses the journal's partition holds something else in it, and must not be made to let go. */
static int check_use_now(const struct preflight *p, const char *device, struct fault *f)
{
	const struct proof_view view = {
		.mounts = &p->all,
		.swaps = "/proc/swaps",
		.sys = "/sys",
	};

	return target_unused(&view, device, f);
}

/* Whoever writes may write there. */
static int check_root(struct preflight *p, struct finding *found, struct fault *f)
{
	struct targets *t = &p->targets;
	struct fault why;

	if (root_find(p->root, sizeof(p->root), &p->reachable, "/sys", &why) < 0) {
		finding_say(found, "%s", why.text);
		/* A program of the user's may write where the root is, and that must be known then. */
		if (update_after(p->options, &p->config)->what != AFTER_BOOT &&
		    !p->options->firmware->exec)
			return 0;
		*f = why;
		return -1;
	}
	finding_say(found, "/ is on %s", p->root);
	if (!p->options->firmware->exec)
		return 0;
	root_device(t->device[t->count++], p->root);
	return check_use(p, t->device[t->count - 1], f);
}

static int find_includes(struct preflight *p, struct finding *found, struct fault *f)
{
	const struct firmware_request *r = p->options->firmware;

	if (includes_find(&p->includes, r->include, r->include_count, f) < 0)
		return -1;
	if (includes_check_program(&p->includes, r->exec ? r->exec : "", f) < 0 ||
	    includes_check_program(&p->includes, update_after(p->options, &p->config)->program, f) <
		    0)
		return -1;
	finding_figure(found, "files", p->includes.count);
	finding_figure(found, "bytes", p->includes.bytes);
	finding_say(found, "%u files for the RAM root", p->includes.count);
	return 0;
}

/* What flashing takes: the index, here and in the worker, and what the engine needs. */
static uint64_t working_memory(const struct image *img, uint32_t eraseblock)
{
	return MEMORY_MARGIN + 2 * (uint64_t)img->index_size + engine_memory(img, eraseblock);
}

static int find_home(struct preflight *p, struct finding *found, struct fault *f)
{
	/* A program of the user's would not notice if it were not the same any more. */
	const char *type = p->options->firmware->exec
				   ? NULL
				   : image_home_find(&p->firmware, &p->reachable, &p->targets);

	(void)f;
	if (type) {
		finding_say(found, "the image stays where it is (%s)", type);
		(void)snprintf(p->home, sizeof(p->home), "%s", type);
	} else {
		finding_say(found, "the image is copied to RAM");
	}
	return 0;
}

static int check_outcome(struct preflight *p, struct finding *found, struct fault *f)
{
	const char *type;

	p->outcome = p->options->outcome ? p->options->outcome : p->config.outcome;
	if (!*p->outcome) {
		finding_say(found, "is told on the console and in the kernel's log%s",
			    outcome_in_pstore() ? ", which pstore keeps" : "; no file is named");
		return 0;
	}
	type = outcome_file_home(p->outcome, &p->reachable, &p->targets, f);
	if (!type)
		return -1;
	finding_say(found, "is told in %s (%s), too", p->outcome, type);
	return 0;
}

static int check_memory(struct preflight *p, struct finding *found, struct fault *f)
{
	const struct image *img = firmware_image(&p->firmware);
	uint64_t need, have = 0;
	struct stat self;
	int result;

	if (stat("/proc/self/exe", &self) < 0)
		return fault_errno(f, FAULT_UNFIT, "/proc/self/exe (is /proc mounted?)");
	p->staged = p->includes.bytes + (uint64_t)self.st_size;
	if (firmware_is_wanted(p->options->firmware))
		p->staged += IMAGE_ID_SIZE + seals_size(img->chunk_count) +
			     (*p->home ? 0 : image_file_size(img));
	need = p->staged + working_memory(img, p->targets.eraseblock);
	result = memory_check("/proc/meminfo", need, &have, f);
	finding_figure(found, "needed", need);
	finding_figure(found, "available", have);
	finding_say(found, "needs %u.%u MiB, %u.%u MiB are available", (unsigned int)(need >> 20),
		    (unsigned int)(need * 10 >> 20) % 10, (unsigned int)(have >> 20),
		    (unsigned int)(have * 10 >> 20) % 10);
	return result;
}

static int check_ramroot(struct preflight *p, struct finding *found, struct fault *f)
{
	char dir[64];

	(void)p;
	if (ramroot_foresee(dir, sizeof(dir), f) < 0)
		return -1;
	finding_say(found, "can be placed in %s", dir);
	return 0;
}

static int check_apart(struct preflight *p, struct finding *found, struct fault *f)
{
	finding_say(found, "no two of them share flash");
	return targets_apart(&p->targets, firmware_image(&p->firmware), f);
}

/* Behind the targets, whose places it must not have. */
static int check_journal(struct preflight *p, struct finding *found, struct fault *f)
{
	const char *journal = p->config.journal;

	if (*journal && p->options->firmware->exec) {
		finding_say(found, "is not kept: nobody knows what a program writes");
	} else if (*journal && !*journaling_of(&p->config, firmware_image(&p->firmware))) {
		finding_say(found, "is not kept: the image writes nothing of what is guarded");
	} else if (*journal) {
		p->journal = journal;
		if (journaling_look(journal, &p->targets, found, f) < 0)
			return -1;
		return check_use_now(p, p->targets.device[p->targets.count - 1], f);
	} else {
		finding_say(found, "no partition is named for one");
	}
	return 0;
}

static int check_data(struct preflight *p, struct finding *found, struct fault *f)
{
	finding_say(found, "what is written is what the targets take");
	return flashing_check(&p->firmware, f);
}

enum { /* what a condition finds out that others cannot be told without */
       SIGHT = 1,
       CONFIG = 2,
       IMAGE = 4,
       CONTENTS = 8,
       MOUNTS = 16,
       TARGETS = 32,
       INCLUDES = 64,
};

const struct condition conditions[] = {
	{ "user", check_user, 0, SIGHT, 0 },
	{ "place", check_place, SIGHT, SIGHT, 0 },
	{ "lock", take_lock, SIGHT, 0, 0 },
	{ "config", read_config, SIGHT, CONFIG, 0 },
	{ "image", look_at_image, SIGHT, IMAGE, OF_IMAGE },
	{ "board", check_board, CONFIG | IMAGE, 0, OF_IMAGE },
	{ "rollback", check_rollback, CONFIG | IMAGE, 0, OF_IMAGE },
	{ "contents", verify_image, IMAGE, CONTENTS, ALWAYS_TOLD | OF_IMAGE },
	{ "init", check_init, SIGHT, 0, 0 },
	{ "mounts", look_at_mounts, SIGHT, MOUNTS, 0 },
	{ "pivot", check_pivot, MOUNTS, 0, 0 },
	{ "hidden", check_hidden, MOUNTS, MOUNTS, 0 },
	{ "watchdog", check_watchdog, SIGHT, 0, 0 },
	{ "target", check_target, IMAGE | MOUNTS, TARGETS, ALWAYS_TOLD | PER_PAYLOAD | OF_IMAGE },
	{ "targets", check_apart, IMAGE | TARGETS, TARGETS, OF_IMAGE },
	{ "data", check_data, IMAGE | CONTENTS | TARGETS, 0, OF_IMAGE },
	{ "journal", check_journal, CONFIG | IMAGE | MOUNTS | TARGETS, 0, OF_IMAGE },
	{ "home", find_home, IMAGE | MOUNTS | TARGETS, 0, ALWAYS_TOLD | OF_IMAGE },
	{ "root", check_root, CONFIG | MOUNTS, TARGETS, 0 },
	{ "include", find_includes, CONFIG, INCLUDES, 0 },
	{ "outcome", check_outcome, CONFIG | MOUNTS | TARGETS, 0, 0 },
	{ "memory", check_memory, IMAGE | INCLUDES, 0, 0 },
	{ "ramroot", check_ramroot, SIGHT, 0, 0 },
};
const unsigned int conditions_count = sizeof(conditions) / sizeof(*conditions);
