// SPDX-License-Identifier: GPL-2.0-or-later
#include "boot.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "cmdline.h"
#include "files.h"
#include "new_root.h"
#include "pid1.h"
#include "root.h"
#include "say.h"
#include "watchdog.h"

enum { MOUNT_STALL_MS = 60000, ENV_MAX = 64 };

/* What PID 1 needs, read while nothing has changed. */
struct start {
	struct cmdline cmdline;
	char *env[ENV_MAX + 1];
};

/* What the kernel (or an initramfs) once gave to the init that was PID 1 before us. */
static int read_start(struct start *s, struct fault *f)
{
	size_t size, count = 0;
	char *text = file_read_bytes(ROOT_ENVIRON, &size);

	memset(s, 0, sizeof(*s));
	if (!text)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", ROOT_ENVIRON);
	for (char *e = text; e < text + size && count < ENV_MAX; e += strlen(e) + 1)
		if (strncmp(e, "WDTFD=", 6) !=
		    0) /* which procd's init told it; we have closed that */
			s->env[count++] = e;
	return cmdline_read(&s->cmdline, "/proc/cmdline", f);
}

/* As the kernel opens it: one description, which waits. Where there is none we keep what we have. */
void boot_open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);

	for (int i = STDIN_FILENO; fd >= 0 && i <= STDERR_FILENO; i++)
		(void)dup2(fd, i);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	(void)fcntl(STDIN_FILENO, F_SETFL, O_RDWR);
}

/* Undoes pid1_become(). What exec itself undoes: locked pages, close-on-exec. */
static void leave_as_kernel_would(void)
{
	pid1_default_signals();
	(void)reboot(RB_ENABLE_CAD);
	watchdog_hand_on();
}

static void run(struct start *s, const char *program)
{
	/* Not changed by execve(), which takes it for what it was in 1979. */
	s->cmdline.argv[0] = (char *)(uintptr_t)program;
	(void)execve(program, s->cmdline.argv, s->env);
}

static void run_init(struct start *s)
{
	if (s->cmdline.init)
		run(s, s->cmdline.init);
	for (int i = 0; !s->cmdline.init && new_root_inits[i]; i++)
		run(s, new_root_inits[i]);
}

struct mounting {
	const char *root;
	const struct cmdline *cmdline;
};

static int run_mount(void *ctx, int reports, struct fault *f)
{
	const struct mounting *m = ctx;

	return new_root_mount(m->root, m->cmdline, reports, f);
}

static bool mount_in_child(const char *root, const struct cmdline *cmdline, struct fault *f)
{
	struct mounting m = { .root = root, .cmdline = cmdline };
	const struct child_work work = {
		.name = "mounting the new root",
		.run = run_mount,
		.ctx = &m,
		.stall_ms = MOUNT_STALL_MS,
	};

	return child_run(&work, f) == CHILD_SUCCEEDED;
}

/* The RAM root goes on top of the new one, from where it comes off, with all that is mounted in it. */
static int change_root(struct fault *f)
{
	if (chdir(NEW_ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return fault_errno(f, FAULT_FAILED, "cannot make %s the root", NEW_ROOT);
	/* Lazily, since this program runs from it: it is gone with the exec. */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return fault_errno(f, FAULT_FAILED, "cannot unmount the RAM root");
	return 0;
}

void boot_new_root(const char *root, struct fault *f)
{
	struct start s;

	if (read_start(&s, f) < 0 || !mount_in_child(root, &s.cmdline, f))
		return;
	say("booting the new root, without a reboot");
	pid1_drain_console();
	if (change_root(f) < 0)
		return;
	boot_open_console();
	leave_as_kernel_would();
	run_init(&s);
	(void)fault_errno(f, FAULT_FAILED, "the new root's init cannot be run");
}

void boot_program(const char *program, struct fault *f)
{
	struct start s;

	if (read_start(&s, f) < 0)
		return;
	say("running %s", program);
	pid1_drain_console();
	boot_open_console();
	leave_as_kernel_would();
	run(&s, program);
	(void)fault_errno(f, FAULT_FAILED, "%s cannot be run", program);
}
