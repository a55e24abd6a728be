// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hand-over by OpenWrt's procd, which execs /sbin/upgraded in a root that it is told, when it is asked for a
 * sysupgrade by ubus. Its requests and what it does about them: system.c and sysupgrade.c of procd.
 */
#include "handover.h"

#include <string.h>
#include <unistd.h>

#include "busybox.h"
#include "clock.h"
#include "files.h"
#include "pid1.h"
#include "say.h"

enum {
	ANSWER_MS = 10000,
	EXEC_MS = 120000, /* it stops its services before, each of which may have a time for that */
	AGAIN_MS = 5000,  /* between two questions whether it has come to an end with that */
};

#define CLIENT "/bin/ubus"
#define UPGRADED "/sbin/upgraded"
#define VALIDATE "/usr/libexec/validate_firmware_image" /* of procd since 2019 */
#define PATH "\"path\":\"" RAMROOT_IMAGE "\""           /* which the old root has not */
/* The RAM root's root by a name that leads nowhere in the old root, should that be the root again by then. */
#define PREFIX "\"prefix\":\"" PLAN_OLD_ROOT "/..\""

static int fits(struct finding *found, struct fault *f)
{
	static const char validate[] = VALIDATE;
	bool has;

	if (program_has("/proc/1/exe", validate, sizeof(validate), &has, f) < 0)
		return -1;
	finding_say(found, "PID 1 is procd");
	if (!has)
		return fault_set(f, FAULT_UNFIT, "PID 1 is not procd");
	if (access(PLAN_OLD_ROOT, F_OK) < 0)
		return handover_need(CLIENT, f);
	(void)fault_set(f, FAULT_UNFIT, PLAN_OLD_ROOT ": remove it: a late procd would go there");
	return 1;
}

bool handover_procd_answers(const char *name)
{
	static const char yes[] = "{\"valid\":true,\"forceable\":true,\"allow_backup\":true}\n";

	return strcmp(name, VALIDATE) == 0 &&
	       write(STDOUT_FILENO, yes, sizeof(yes) - 1) == (ssize_t)sizeof(yes) - 1;
}

/* Has the old root's client ask procd. */
static bool ask(const char *method, const char *arguments, unsigned int ms, int (*keep_going)(void))
{
	const char *const words[] = {
		CLIENT, "-t", "0", "call", "system", method, arguments, NULL
	};

	return handover_ask(PLAN_OLD_ROOT, words, ms, keep_going);
}

static bool validates(int (*keep_going)(void))
{
	return ask("validate_firmware_image", "{" PATH "}", ANSWER_MS, keep_going);
}

static int has_not(const char *what, uint64_t start, struct fault *f)
{
	return fault_set(f, FAULT_UNFIT, "procd has not %s after %u s", what,
			 (unsigned int)(clock_ms() - start) / 1000);
}

/*
 * Procd validates an image before it goes, by a program in what is its root: in the RAM root that is us. That it
 * does so when it is only asked to validate shows that it listens, and from where it will go.
 */
static int prepare(int (*keep_going)(void), struct fault *f)
{
	char validate[] = VALIDATE;

	uint64_t start = clock_ms();

	if (pid1_shares("/", "/proc/1/root", "root folder", f) < 0)
		return -1;
	if (file_make_folders(validate, 0) < 0 || link(RAMROOT_INIT, validate) < 0 ||
	    link(RAMROOT_INIT, UPGRADED) < 0)
		return fault_errno(f, FAULT_FAILED, VALIDATE " in the RAM root");
	if (validates(keep_going))
		return 0;
	return has_not("answered " CLIENT " from the RAM root", start, f);
}

static int is_to_come(void)
{
	return !handover_seen(0);
}

/*
 * Ubusd may be among the services that it stops first, and the client's failure tell nothing. But a procd that answers
 * again has come to an end with the request.
 */
static int trigger(bool *told, struct fault *f)
{
	uint64_t start = clock_ms();

	say("procd is ready, and is asked to run " UPGRADED);
	(void)ask("sysupgrade", "{" PATH "," PREFIX "}", EXEC_MS, is_to_come);
	while (!validates(is_to_come) && !handover_seen(AGAIN_MS) && clock_ms() < start + EXEC_MS)
		;
	*told = handover_seen(0);
	while (*told)
		(void)pause(); /* it kills us */
	return has_not("run " UPGRADED, start, f);
}

static void undo(void)
{
	/* There is nothing that it would have to be told. */
}

const struct handover handover_procd = {
	.name = "procd",
	.fits = fits,
	.prepare = prepare,
	.trigger = trigger,
	.undo = undo,
};
