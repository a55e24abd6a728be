// SPDX-License-Identifier: GPL-2.0-or-later
/* The update as far as the running system carries it: phases 0 to 2. */
#include "update.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flashing.h"
#include "handover.h"
#include "image_file.h"
#include "image_home.h"
#include "json.h"
#include "machine.h"
#include "memory.h"
#include "outcome.h"
#include "preflight.h"
#include "ramroot.h"
#include "root.h"
#include "say.h"
#include "watchdog.h"

/*
 * Whatever a person, a shell or a script may send while we are at it: half a hand-over is a dead
 * system. Unblocked again by handover(), when init has been told to end us.
 */
static void block_signals(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
}

/* Between steps, and while waiting, an interruption is looked for, and everything undone. */
static int not_interrupted(void)
{
	sigset_t pending;

	(void)sigpending(&pending);
	return !sigismember(&pending, SIGINT) && !sigismember(&pending, SIGTERM) &&
	       !sigismember(&pending, SIGQUIT);
}

/* Of a stream nothing but the index was known before. */
static int verify_all(struct image_file *copy, struct fault *f)
{
	if (image_file_verify(copy, "verifying the copy", f) < 0 ||
	    source_back_to(&copy->source, image_file_size(&copy->image) - copy->image.body_size,
			   f) < 0)
		return -1;
	return flashing_check_data(&copy->image, &copy->source, f);
}

/*
 * What will be flashed is the copy, so it is the copy that must be right, and the very image that
 * was admitted: a bad stick would otherwise be found out after the first erase, and whoever can
 * replace the file meanwhile could have another board's or an older image written. The index
 * decides all that: boards, number, targets, and the hashes of the contents. An image that was not
 * copied is read once more when nobody else is left to change it, and held against its seals of now.
 */
static int verify_staged(const struct ramroot *ram, const struct plan *plan,
			 const struct image *admitted, struct fault *f)
{
	struct image_file staged;
	struct fault why;
	char path[sizeof(ram->dir) + sizeof(RAMROOT_IMAGE)];
	int result;

	(void)snprintf(path, sizeof(path), "%s%s", ram->dir, RAMROOT_IMAGE);
	result = image_file_open(&staged, path, NULL, &why);
	if (result == 0 && !plan_is_for(plan, &staged.image))
		result = fault_set(&why, FAULT_IMAGE, "it is another image now");
	if (result == 0 && !*plan->home)
		result = verify_all(&staged, &why);
	if (result < 0)
		result = fault_set(f, FAULT_IMAGE, "the image was not the same when read again: %s",
				   why.text);
	else
		result = ramroot_keep_seals(ram, *plan->home ? admitted : &staged.image, f);
	image_file_close(&staged);
	return result;
}

static int go_on(struct fault *f)
{
	return not_interrupted() ? 0 : fault_set(f, FAULT_FAILED, "interrupted");
}

static int place_image(void *preflight, const char *path, struct fault *f)
{
	struct preflight *p = preflight;

	return *p->home ? image_home_move(&p->firmware, path, f)
			: firmware_copy(&p->firmware, path, not_interrupted, f);
}

const struct after *update_after(const struct update_options *o, const struct config *c)
{
	return o->after_given ? &o->after : &c->after;
}

/*
 * Systemd starts one for its shutdown, by default, and leaves it running. PID 1 sees then whether it has, and which one.
 * Where the kernel does not tell (no CONFIG_WATCHDOG_SYSFS), it must be taken for granted.
 */
static void expect_watchdog(struct plan *plan)
{
	size_t len = strlen(plan->watchdogs);

	if (access("/dev/watchdog0", F_OK) == 0 &&
	    access("/sys/class/watchdog/watchdog0/state", F_OK) < 0 &&
	    !strstr(plan->watchdogs, "watchdog0"))
		(void)snprintf(plan->watchdogs + len, sizeof(plan->watchdogs) - len, "%swatchdog0",
			       len ? " " : "");
}

static void make_plan(struct plan *plan, const struct update_options *o, const struct preflight *p)
{
	memset(plan, 0, sizeof(*plan));
	if (firmware_is_wanted(o->firmware)) {
		memcpy(plan->image, RAMROOT_IMAGE, sizeof(RAMROOT_IMAGE));
		memcpy(plan->home, p->home, sizeof(plan->home));
		image_id(firmware_image(&p->firmware), plan->sha256);
		memcpy(plan->firmware, firmware_image(&p->firmware)->fw_version,
		       sizeof(plan->firmware));
	}
	if (o->firmware->exec)
		memcpy(plan->exec, o->firmware->exec, strlen(o->firmware->exec) + 1);
	memcpy(plan->root, p->root, sizeof(plan->root));
	targets_to_names(plan->targets, &p->targets);
	memcpy(plan->watchdogs, p->watchdogs, sizeof(plan->watchdogs));
	if (p->via->place)
		expect_watchdog(plan);
	memcpy(plan->boost, p->boost, sizeof(plan->boost));
	if (*p->outcome)
		memcpy(plan->outcome, OUTCOME_KEPT, sizeof(OUTCOME_KEPT));
	if (*p->journal)
		plan_take_journal(plan, p->journal, p->config.tries);
	plan->after = *update_after(o, &p->config);
}

/* Whatever else the plan speaks of. */
static int stage_rest(const struct ramroot *ram, const struct plan *plan, const struct preflight *p,
		      struct fault *f)
{
	if (root_keep_start(ram->dir, f) < 0 || includes_copy(&p->includes, ram->dir, f) < 0)
		return -1;
	return *plan->image ? verify_staged(ram, plan, firmware_image(&p->firmware), f) : 0;
}

static int stage(const struct update_options *o, struct preflight *p, struct ramroot *ram,
		 struct fault *f)
{
	struct plan plan;
	const struct ramroot_contents contents = {
		.plan = &plan,
		.place = p->via->place,
		.outcome = p->outcome,
		.bytes = p->staged,
		.place_image = place_image,
		.ctx = p,
	};

	make_plan(&plan, o, p);
	if (ramroot_make(ram, &contents, f) < 0)
		return -1;
	if (stage_rest(ram, &plan, p, f) == 0 && ramroot_try(ram, f) == 0 && go_on(f) == 0)
		return 0;
	ramroot_undo(ram);
	return -1;
}

/* Whoever started it from afar is told where to look, before the connection goes. */
static int tell_outcome(const struct preflight *p, int code, const char *state, const char *text,
			struct fault *f)
{
	struct outcome o;

	outcome_now(&o, code, state, firmware_image(&p->firmware)->fw_version, text);
	return outcome_write(&o, p->outcome, f);
}

static void tell_where_to_look(const struct preflight *p)
{
	if (*p->outcome)
		say("afterwards \"flashinit status --outcome %s\" tells how it ended", p->outcome);
	else if (outcome_in_pstore())
		say("afterwards \"flashinit status\" tells how it ended, by pstore");
	else
		say("no file for the outcome was named (--outcome): whether the new firmware runs "
		    "tells how it ended");
}

static int hand_over(const struct preflight *p, struct ramroot *ram, bool *told, struct fault *f)
{
	struct fault interrupted;

	if (machine_sync(f) < 0) {           /* init does it, too, and it must not hang then */
		if (go_on(&interrupted) < 0) /* as the child was that did it */
			*f = interrupted;
		return -1;
	}
	memory_spare_us(); /* whoever is killed in mid-pivot leaves a dead system */
	tell_where_to_look(p);
	if (tell_outcome(p, FAULT_FAILED, "handing-over", "init is told to go", f) < 0)
		return -1;
	say("handing over to init; what follows is told on the console");
	return handover(p->via, ram, not_interrupted, told, f);
}

static int stage_and_go(const struct update_options *o, struct preflight *p, struct fault *f)
{
	struct ramroot ram;
	struct fault second;
	bool told = false;
	int result;

	block_signals();
	memory_hold_nothing_back(MEMORY_VM, p->boost);
	if (stage(o, p, &ram, f) < 0)
		return -1;
	say("staged in RAM: %s", ram.dir);
	if (o->dry_run) {
		ramroot_undo(&ram);
		say("nothing was changed");
		return 0;
	}
	watchdog_adopt(p->watchdogs);
	result = hand_over(p, &ram, &told, f);
	if (!told) {
		ramroot_undo(&ram);
		(void)tell_outcome(p, (int)f->kind, "undone", f->text, &second); /* f says more */
	}
	return result;
}

/* Whatever was asked for: phase 0, phase 0 and 1, or all the way. */
static int run_phases(struct update_options *o, struct preflight *p, struct fault *f)
{
	int result = preflight_run(p, o, f);

	if (!o->check_only)
		return result < 0 ? -1 : stage_and_go(o, p, f);
	if (result < 0)
		say("this system cannot be updated: conditions that are not met: %u", p->unmet);
	else
		say("this system can be updated");
	return result;
}

int update(struct update_options *o)
{
	struct preflight p;
	struct fault f;
	int code = 0;

	/* The terminal may hang up, and the pipe that we speak into may close: we go on. */
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022); /* what is staged must be what init can run */
	if (o->json)
		say_as_json();
	if (run_phases(o, &p, &f) < 0) {
		code = (int)f.kind;
		if (!o->check_only) /* which has said it */
			(void)say_fault(&f);
	}
	if (o->json)
		(void)json_end(code ? &f : NULL); /* the code is known */
	preflight_end(&p);
	return code;
}
