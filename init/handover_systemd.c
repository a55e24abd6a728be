// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hand-over by systemd, which at the end of a shutdown makes /run/initramfs the root, the old root its
 * /oldroot, and execs /shutdown there: "The initrd Interface of systemd", and its src/shutdown/shutdown.c.
 */
#include "handover.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "files.h"
#include "outcome.h"
#include "pid1.h"
#include "say.h"

enum { ANSWER_MS = 10000 };

#define PLACE "/run/initramfs"
#define SHUTDOWN PLACE "/shutdown"
#define CLIENT "/bin/systemctl"

static int fits(struct finding *found, struct fault *f)
{
	char name[16];

	if (file_read_line("/proc/1/comm", name, sizeof(name)) < 0)
		return fault_errno(f, FAULT_UNFIT, "/proc/1/comm");
	finding_say(found, "PID 1 is systemd");
	if (strcmp(name, "systemd") == 0 && access("/run/systemd/system", F_OK) == 0)
		return 0;
	return fault_set(f, FAULT_UNFIT, "PID 1 is not systemd");
}

/*
 * That it answers at all is asked before it is asked for something. /shutdown is not there any sooner than it has
 * to be: with an update that was killed, the next reboot would run it.
 */
static int prepare(int (*keep_going)(void), struct fault *f)
{
	static const char *const show[] = { CLIENT, "show", "reboot.target", NULL };

	if (!handover_ask("/", show, ANSWER_MS, keep_going))
		return fault_set(f, FAULT_UNFIT, "systemd has not answered " CLIENT);
	if (link(PLACE RAMROOT_INIT, SHUTDOWN) < 0)
		return fault_errno(f, FAULT_FAILED, SHUTDOWN);
	return 0;
}

/* A TERM may already be systemd's, which has taken the request. */
static int go_on(void)
{
	return 1;
}

/* As "systemctl reboot" does it, but without logind, and whoever may have it wait. */
static int trigger(bool *told, struct fault *f)
{
	static const char *const start[] = { CLIENT,          "start",
					     "--no-block",    "--job-mode=replace-irreversibly",
					     "reboot.target", NULL };

	if (!handover_ask("/", start, ANSWER_MS, go_on))
		return fault_set(f, FAULT_UNFIT, "systemd does not take the request to reboot");
	*told = true;
	say("systemd shuts down, and runs flashinit at the end of that");
	pid1_default_signals(); /* a TERM that is ignored would hold it up */
	for (;;)
		(void)pause();
}

static void undo(void)
{
	(void)unlink(SHUTDOWN); /* it may not be there */
}

/*
 * Up to 252 what is mounted in the RAM root stays behind on the old one. /run would keep what is in it in memory.
 * Without systemd none of these is there.
 */
void handover_systemd_settle(void)
{
	static const char *const files[] = { RAMROOT_IMAGE, OUTCOME_KEPT };

	for (size_t i = 0; i < 2; i++) {
		char from[64];

		(void)snprintf(from, sizeof(from), PLAN_OLD_ROOT PLACE "%s", files[i]);
		(void)mount(from, files[i], NULL, MS_MOVE, NULL);
	}
	(void)umount2("/run", MNT_DETACH);
}

const struct handover handover_systemd = {
	.name = "systemd",
	.place = PLACE,
	.fits = fits,
	.prepare = prepare,
	.trigger = trigger,
	.undo = undo,
};
