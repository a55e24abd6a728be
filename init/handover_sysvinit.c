// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hand-over by sysvinit, which execs /sbin/init anew when telinit(8) asks it to by "u". Its
 * requests and what it does about them: src/initreq.h and src/init.c of sysvinit.
 */
#include "handover.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "busybox.h"
#include "files.h"
#include "handover_fifo.h"
#include "pid1.h"
#include "say.h"

enum {
	MAGIC = 0x03091969,
	CHANGE_RUNLEVEL = 1,
	CLOSE_MS = 10000, /* it looks every 5 s */
};

#define FIFO "/run/initctl" /* since 2.89 */

struct request {
	int32_t magic, command, runlevel, sleep;
	char rest[368];
};

static int requests = -1; /* the FIFO in the RAM root */

/*
 * It tells as its command line, "init boot" or "init [2]", as far as the name that it was started by has room
 * for that.
 */
static int check_runlevel(struct fault *f)
{
	char title[16] = "";

	if (file_read_line("/proc/1/cmdline", title, sizeof(title)) < 0)
		return fault_errno(f, FAULT_UNFIT, "/proc/1/cmdline");
	if (memcmp(title, "init ", 5) != 0 || !title[5] ||
	    (title[5] == '[' && strchr("S0123456", title[6])))
		return 0;
	(void)fault_set(f, FAULT_UNFIT,
			"PID 1 is \"%s\", and runs nothing anew but in runlevels 0 to 6 and S",
			title);
	return 1;
}

static int fits(struct finding *found, struct fault *f)
{
	static const char brand[] = "INIT_VERSION=sysvinit", fifo[] = FIFO;
	bool is_sysvinit, has_fifo;

	if (program_has("/proc/1/exe", brand, sizeof(brand) - 1, &is_sysvinit, f) < 0 ||
	    program_has("/proc/1/exe", fifo, sizeof(fifo), &has_fifo, f) < 0)
		return -1;
	finding_say(found, "PID 1 is sysvinit");
	if (is_sysvinit && has_fifo)
		return check_runlevel(f);
	return fault_set(f, FAULT_UNFIT, "PID 1 is not sysvinit with " FIFO);
}

/*
 * On USR1 init closes its FIFO and makes it anew, if it is not there: in the RAM root, then. That it reads
 * there is seen from that somebody can write.
 */
static int prepare(int (*keep_going)(void), struct fault *f)
{
	if (mkdir("/run", 0755) < 0)
		return fault_errno(f, FAULT_FAILED, "/run in the RAM root");
	(void)kill(1, SIGUSR1); /* we are root, and there is a PID 1 */
	requests = handover_fifo_open(FIFO, keep_going, f);
	return requests < 0 ? -1 : 0;
}

/* If it cannot, it says so on the console, and goes on. */
static int trigger(bool *told, struct fault *f)
{
	const struct request r = {
		.magic = MAGIC,
		.command = CHANGE_RUNLEVEL,
		.runlevel = 'U',
	};

	if (fd_write(requests, &r, sizeof(r)) < 0)
		return fault_errno(f, FAULT_FAILED, FIFO ": cannot write");
	say("init is ready, and is asked to run /sbin/init anew");
	return handover_fifo_await(FIFO, sizeof(r), ": is it in a runlevel from 0 to 6, or S?",
				   told, f);
}

/* USR1 has it close the RAM root's FIFO, which would be in the way, and open its own again. */
static void undo(void)
{
	struct pollfd p = { .fd = requests };

	(void)kill(1, SIGUSR1);
	if (requests < 0)
		return;
	(void)poll(&p, 1, CLOSE_MS); /* for an error: nobody reads there */
	(void)close(requests);
}

const struct handover handover_sysvinit = {
	.name = "sysvinit",
	.fits = fits,
	.prepare = prepare,
	.trigger = trigger,
	.undo = undo,
};
