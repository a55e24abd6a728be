// SPDX-License-Identifier: GPL-2.0-or-later
#include "guard.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "cmdline.h"
#include "devices.h"
#include "files.h"
#include "judge.h"
#include "mounts.h"
#include "new_root.h"
#include "root.h"
#include "root_wanted.h"
#include "say.h"
#include "switch_root.h"
#include "views.h"

/* Any folder will do to mount something on; a root without one of these is none. */
static const char *const places[] = { "/proc", "/sys", "/dev", "/mnt", "/tmp", "/run", "/etc" };

static int enter_place(struct fault *f)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (mount("flashinit", places[i], "ramfs", 0, NULL) == 0 &&
		    chroot(places[i]) == 0 && chdir("/") == 0)
			return 0;
	return fault_errno(f, FAULT_UNFIT, "cannot mount a ramfs on any of /proc, /sys, /dev");
}

/* A root of our own, which nobody else sees and which ends with us. */
static int enter_own_view(struct fault *f)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot have mounts of our own");
	return enter_place(f);
}

static int provide_views(struct fault *f)
{
	if (views_provide(f) < 0)
		return -1;
	(void)mkdir("/dev", 0755); /* it may be there */
	return devices_provide("/dev", f);
}

/* The configuration's words count instead of the kernel's own of the same names. */
static const char *chosen(const char *configured, const char *said)
{
	return *configured ? configured : said;
}

static int read_words(struct cmdline *c, const struct config *config, struct fault *f)
{
	int result = cmdline_read(c, "/proc/cmdline", f);

	c->root = chosen(config->root, c->root);
	c->rootfstype = chosen(config->rootfstype, c->rootfstype);
	c->rootflags = chosen(config->rootflags, c->rootflags);
	return result;
}

/* What makes no sense is said, and no reason not to boot. */
static void take_words(struct guard *g)
{
	char *words = file_read_text("/proc/cmdline");
	struct fault f;

	if (!words)
		say("/proc/cmdline: cannot read");
	else if (config_take_words(&g->config, words, &f) < 0)
		(void)say_fault(&f);
	free(words);
}

static void find_us(struct guard *g)
{
	struct stat st;

	if (stat("/proc/self/exe", &st) < 0)
		return;
	g->dev = st.st_dev;
	g->ino = st.st_ino;
}

static int find_root(char *text, size_t size, struct fault *f)
{
	struct mount_table mounts;
	int result = mounts_read(&mounts, "/proc/1/mountinfo", f);

	if (result == 0)
		result = root_find(text, size, &mounts, "/sys", f);
	mounts_free(&mounts);
	return result;
}

/* What has failed must not be taken once more; what was cut is to be ended. */
static void take_image(struct plan *p, enum verdict v, const struct journal_entry *last)
{
	if (v == VERDICT_FAILED_BOOTS) {
		memcpy(p->not_image, last->id, sizeof(p->not_image));
	} else if (last->state == JOURNAL_BEGUN) {
		memcpy(p->wanted, last->id, sizeof(p->wanted));
		memcpy(p->firmware, last->version, sizeof(p->firmware));
	}
}

/* What is known is told at once: whatever comes next may hang or be killed. */
static void take_verdict(struct guard *g, enum verdict v, const struct journal_entry *last)
{
	if (v == VERDICT_BOOT)
		return;
	take_image(&g->plan, v, last);
	g->broken = true;
}

/* The root is yet to be mounted: what it will be on is what the kernel was told. */
static void await_root(struct guard *g, const struct cmdline *c, char target[160], int reports)
{
	struct fault f;

	if (root_wanted_await(c, true, reports, &f) < 0)
		(void)say_fault(&f);
	root_wanted_target(target, sizeof(g->plan.root), c);
}

/* Targets that are there tell more, and sooner, than a root that may never come. */
static void look_at_targets(struct guard *g, struct judge *j, const struct cmdline *c)
{
	char root[sizeof(g->plan.root)], *why = g->plan.recover;
	enum verdict v = VERDICT_BOOT;

	(void)snprintf(root, sizeof(root), "%s", g->plan.root);
	j->missing = !g->config.target_count;
	if (!j->missing || !g->mount)
		v = judge_targets(j, root, why);
	if (v == VERDICT_BOOT && j->missing && g->mount) {
		await_root(g, c, root, j->reports);
		v = judge_targets(j, root, why);
	}
	take_verdict(g, v, &j->last);
}

static void decide(struct guard *g, const struct cmdline *c, int reports)
{
	struct plan *p = &g->plan;
	struct judge j = {
		.config = &g->config,
		.patience_ms = root_wanted_patience(c),
		.reports = reports,
	};

	p->after = g->config.after;
	plan_take_journal(p, g->config.journal, g->config.tries);
	if (g->config.mode == MODE_RECOVER) {
		(void)snprintf(p->recover, sizeof(p->recover), "mode=recover asks for it");
		g->broken = true;
	}
	if (g->config.mode != MODE_GUARD)
		return;
	judge_read_journal(&j);
	take_verdict(g, verdict_of(&j.last, NULL, 0, g->config.tries, p->recover), &j.last);
	if (!g->broken)
		look_at_targets(g, &j, c);
	if (!g->broken)
		judge_count_boot(&j);
}

/* What init= names is what the root has to offer, if it is not us once more. */
static void take_init(struct guard *g, const struct cmdline *c)
{
	const char *name = c->init ? strrchr(c->init, '/') : NULL;

	if (name && strcmp(name, "/flashinit") != 0)
		(void)snprintf(g->init, sizeof(g->init), "%s", c->init);
}

int guard_look(struct guard *g, int reports, struct fault *f)
{
	bool configured = config_read(&g->config, CONFIG_FILE, f) == 0;
	struct cmdline c;

	if (!configured)
		(void)say_fault(f);
	if ((!g->initramfs && enter_own_view(f) < 0) || provide_views(f) < 0)
		return -1;
	boot_open_console(); /* the root may have none, and this /dev has */
	say_to_kernel_log();
	take_words(g);
	find_us(g);
	if (read_words(&c, &g->config, f) < 0)
		(void)say_fault(f);
	g->mount = g->initramfs && c.root;
	take_init(g, &c);
	if (!g->initramfs && find_root(g->plan.root, sizeof(g->plan.root), f) < 0 &&
	    !g->config.target_count) /* which nobody has to guess */
		(void)say_fault(f);
	decide(g, &c, reports);
	cmdline_free(&c);
	return 0;
}

int guard_mount(struct guard *g, int reports, struct fault *f)
{
	int initramfs = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cmdline c;
	int result = read_words(&c, &g->config, f);

	boot_open_console();
	say_to_kernel_log();
	c.init = *g->config.init ? g->config.init : *g->init ? g->init : NULL;
	if (result == 0)
		result = new_root_mount_first(&c, reports, f);
	cmdline_free(&c);
	if (result == 0)
		switch_root_empty(initramfs);
	return result;
}
