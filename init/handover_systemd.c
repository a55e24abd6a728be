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
		return handover_need(CLIENT, f);
	return fault_set(f, FAULT_UNFIT, "PID 1 is not systemd");
}

/* That it answers at all is asked before it is asked for something. */
static int prepare(int (*keep_going)(void), struct fault *f)
{
	static const char *const show[] = { CLIENT, "show", "reboot.target", NULL };

	if (!handover_ask("/", show, ANSWER_MS, keep_going))
		return fault_set(f, FAULT_UNFIT, "systemd has not answered " CLIENT " within %d s",
				 ANSWER_MS / 1000);
	return 0;
}

/* A TERM may already be systemd's, which has taken the request. */
static int go_on(void)
{
	return 1;
}

/*
 * As "systemctl reboot" does it, but without logind, and whoever may have it wait. /shutdown comes only once that is
 * granted: with an update that was killed before, another reboot would run it. It is in time, since systemd waits for us
 * to end, and all signals are blocked.
 */
static int trigger(bool *told, struct fault *f)
{
	static const char *const start[] = { CLIENT,          "start",
					     "--no-block",    "--job-mode=replace-irreversibly",
					     "reboot.target", NULL };

	if (!handover_ask("/", start, ANSWER_MS, go_on))
		return fault_set(f, FAULT_UNFIT,
				 "systemd does not take the request to reboot, or not within %d s",
				 ANSWER_MS / 1000);
	*told = true;
	if (link(PLACE RAMROOT_INIT, SHUTDOWN) < 0)
		return fault_errno(f, FAULT_FAILED,
				   SHUTDOWN
				   ": cannot make: systemd reboots, and nothing is updated");
	say("systemd shuts down, and runs flashinit at the end of that");
	pid1_default_signals(); /* a TERM that is ignored would hold it up */
	for (;;)
		(void)pause();
}

/* All there is has been mounted by others, who undo it. */
static void undo(void)
{
}

/*
 * Up to 252 what is mounted in the RAM root stays behind on the old one. /run would keep what is in it in memory.
 * Without systemd none of these is there.
 */
bool handover_systemd_settle(void)
{
	static const char *const files[] = { RAMROOT_IMAGE, OUTCOME_KEPT };

	for (size_t i = 0; i < 2; i++) {
		char from[64];

		(void)snprintf(from, sizeof(from), PLAN_OLD_ROOT PLACE "%s", files[i]);
		(void)mount(from, files[i], NULL, MS_MOVE, NULL);
	}
	return umount2("/run", MNT_DETACH) == 0;
}

const struct handover handover_systemd = {
	.name = "systemd",
	.place = PLACE,
	.fits = fits,
	.prepare = prepare,
	.trigger = trigger,
	.undo = undo,
};
