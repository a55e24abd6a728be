// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 from the kernel on. Until it is known that the system must not be booted, it changes nothing of
 * itself that an exec would hand on, but for a while.
 */
#include "first.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "guard.h"
#include "machine.h"
#include "move.h"
#include "new_root.h"
#include "ramroot.h"
#include "recover.h"
#include "say.h"
#include "switch_root.h"
#include "watchdog.h"

enum { LOOK_STALL_MS = 10000, MOVE_STALL_MS = 30000, MOUNT_STALL_MS = 600000, READ_IT_MS = 10000 };

/* What the kernel gave, to be given on. */
struct start {
	char **argv, **envp;
	sigset_t mask;
	struct sigaction on_child;
};

/*
 * Where the root has no /dev/console, descriptors 0 to 2 are closed. Whatever gets such a number would
 * receive our words; a folder cannot, and there always is one.
 */
static void fill_descriptors(void)
{
	int fd;

	do
		fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/* A child's end is waited for by its signal, which must be blocked for that, and not ignored. */
static void prepare(struct start *s)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t child;

	fill_descriptors();
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigaction(SIGCHLD, &by_default, &s->on_child);
	(void)sigprocmask(SIG_BLOCK, &child, &s->mask);
}

static void restore(const struct start *s)
{
	(void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
	(void)sigaction(SIGCHLD, &s->on_child, NULL);
}

/* BusyBox has one name for all: a link of /sbin/init to us would run us for ever. */
static bool is_us(const struct guard *g, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == g->dev && st.st_ino == g->ino;
}

static void try_init(const struct start *s, const struct guard *g, const char *path, bool wanted)
{
	if (is_us(g, path)) {
		say("%s is flashinit itself, not the real init: set init in %s", path, CONFIG_FILE);
		return;
	}
	/* Not changed by execve(), which takes it for what it was in 1979. */
	s->argv[0] = (char *)(uintptr_t)path;
	(void)execve(path, s->argv, s->envp);
	if (wanted || errno != ENOENT)
		say("%s cannot be run: %s", path, strerror(errno));
}

/* Returns only if there is none that can be run. */
static void run_init(const struct start *s, const struct guard *g)
{
	restore(s);
	if (g->config.init[0])
		try_init(s, g, g->config.init, true);
	else if (g->init[0])
		try_init(s, g, g->init, true);
	for (int i = 0; new_root_inits[i]; i++)
		try_init(s, g, new_root_inits[i], false);
}

static int run_look(void *ctx, int reports, struct fault *f)
{
	return guard_look(ctx, reports, f);
}

/* Whoever cannot look must not keep a healthy system from booting. */
static void look(struct guard *g, const char *us)
{
	const struct child_work work = {
		.name = "the guard",
		.run = run_look,
		.ctx = g,
		.stall_ms = LOOK_STALL_MS,
	};
	struct fault f;
	struct stat st;

	if (child_run(&work, &f) != CHILD_SUCCEEDED) {
		say_to_kernel_log();
		(void)say_fault(&f);
		say("whether this system is whole is not known%s", g->broken ? "" : ": booting it");
	}
	if (g->ino == 0 && stat(us, &st) == 0) {
		g->dev = st.st_dev;
		g->ino = st.st_ino;
	}
}

/* A system that must not be booted is not booted, whatever cannot be done instead. */
static void end_boot(const struct fault *f) __attribute__((noreturn));
static void end_boot(const struct fault *f)
{
	(void)say_fault(f);
	say("this cannot be mended from here: trying anew");
	(void)watchdog_poll(NULL, 0, READ_IT_MS);
	machine_end(AFTER_REBOOT);
}

static int run_mount(void *ctx, int reports, struct fault *f)
{
	return guard_mount(ctx, reports, f);
}

/*
 * From an initramfs the root is entered first. Returns with what is wrong if the root cannot be mounted
 * or has no init. Once the initramfs has gone there is nothing left to mend it with. A mount that gives
 * no answer says nothing about the flash, and may still be at work on it.
 */
static void boot(struct start *s, struct guard *g)
{
	const struct child_work work = {
		.name = "mounting the root",
		.run = run_mount,
		.ctx = g,
		.stall_ms = MOUNT_STALL_MS,
	};
	struct fault f;

	enum child_end end = g->mount ? child_run(&work, &f) : CHILD_SUCCEEDED;

	if (end == CHILD_FAILED && g->config.mode != MODE_PASS) {
		(void)snprintf(g->plan.recover, sizeof(g->plan.recover), "%.159s", f.text);
		return;
	}
	if (end != CHILD_SUCCEEDED)
		end_boot(&f);
	if (g->mount && switch_root(&f) < 0)
		end_boot(&f);
	run_init(s, g);
	(void)fault_set(&f, FAULT_UNFIT, "there is no init that can be run");
	if (g->mount || g->config.mode == MODE_PASS)
		end_boot(&f);
	(void)snprintf(g->plan.recover, sizeof(g->plan.recover), "%.159s", f.text);
	prepare(s);
}

static int run_move(void *ctx, int reports, struct fault *f)
{
	(void)reports;
	return move_to_ram(ctx, f);
}

static void move(const struct start *s, struct guard *g) __attribute__((noreturn));
static void move(const struct start *s, struct guard *g)
{
	char *words[] = { (char *)RAMROOT_INIT, NULL };
	const struct child_work work = {
		.name = "moving to RAM",
		.run = run_move,
		.ctx = &g->plan,
		.stall_ms = MOVE_STALL_MS,
	};
	struct fault f;

	if (child_run(&work, &f) != CHILD_SUCCEEDED)
		end_boot(&f);
	restore(s);
	(void)execve(RAMROOT_INIT, words, s->envp);
	(void)fault_errno(&f, FAULT_FAILED, "%s cannot be run", RAMROOT_INIT);
	end_boot(&f);
}

void first_process(char **argv, char **envp)
{
	struct start s = { .argv = argv, .envp = envp };
	static struct guard alone; /* if there is no memory to share */
	static struct plan plan;   /* of which no child can change anything */
	struct guard *g;

	prepare(&s);
	g = mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g == MAP_FAILED)
		g = &alone;
	g->initramfs = switch_root_is_initramfs();
	look(g, argv[0]);
	if (!g->broken)
		boot(&s, g);
	say_to_kernel_log();
	say("this system is not booted: %s", g->plan.recover);
	plan = g->plan;
	if (g->initramfs)
		recover(&plan); /* from where it is: nothing has to go */
	move(&s, g);
}
