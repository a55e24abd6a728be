// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hand-over by OpenRC's own init, which execs itself anew, by the name that it was started by, when it reads
 * "reexec" from its FIFO. Its requests and what it does about them: src/openrc-init/openrc-init.c of OpenRC.
 */
#include "handover.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "busybox.h"
#include "files.h"
#include "handover_fifo.h"
#include "pid1.h"
#include "say.h"

#define FOLDER "/run/openrc"
#define FIFO FOLDER "/init.ctl"
#define SBIN "/sbin/" /* first in the PATH that it sets */

static const char request[] =
	"reexec"; /* it takes what it has read for a string, to the end of the file */
static char itself[sizeof(SBIN) + PATH_MAX]; /* the path that it execs */
static int requests = -1;

/* What is neither an absolute path nor looked for in PATH depends on its working directory. */
static int find_name(struct fault *f)
{
	char *name = stpcpy(itself, SBIN);

	if (file_read_line("/proc/1/cmdline", name, sizeof(itself) - strlen(SBIN)) < 0)
		return fault_errno(f, FAULT_UNFIT, "/proc/1/cmdline");
	if (*name == '/')
		memmove(itself, name, strlen(name) + 1);
	else if (strchr(name, '/'))
		return fault_set(f, FAULT_UNFIT,
				 "PID 1 was started as %s: it needs an absolute path", name);
	return 0;
}

static int fits(struct finding *found, struct fault *f)
{
	static const char fifo[] = FIFO;
	bool has;

	if (program_has("/proc/1/exe", fifo, sizeof(fifo), &has, f) < 0)
		return -1;
	finding_say(found, "PID 1 is openrc-init");
	if (!has)
		return fault_set(f, FAULT_UNFIT, "PID 1 is not openrc-init");
	if (find_name(f) < 0)
		return 1;
	if (access(FIFO, F_OK) == 0)
		return 0;
	/* Nor would what it starts meanwhile find its files while the RAM root is the root. */
	(void)fault_errno(f, FAULT_UNFIT, FIFO " (is openrc-init still starting up?)");
	return 1;
}

/* Its FIFO stays where it is, and it finds it there should its exec fail. */
static int link_names(struct fault *f)
{
	(void)mkdir("/run", 0755); /* it may be there, with what is included */
	if (symlink(PLAN_OLD_ROOT FOLDER, FOLDER) < 0)
		return fault_errno(f, FAULT_FAILED, FOLDER " in the RAM root");
	if (strcmp(itself, "/sbin/init") == 0) /* which we are, always */
		return 0;
	if (file_make_folders(itself, 0) < 0 || link(RAMROOT_INIT, itself) < 0)
		return fault_errno(f, FAULT_FAILED, "%s in the RAM root", itself);
	return 0;
}

static int prepare(int (*keep_going)(void), struct fault *f)
{
	if (pid1_shares("/", "/proc/1/root", "root folder", f) < 0 || link_names(f) < 0)
		return -1;
	requests = handover_fifo_open(FIFO, keep_going, f);
	return requests < 0 ? -1 : 0;
}

static void stop_asking(void)
{
	(void)close(requests);
	requests = -1;
}

static int trigger(bool *told, struct fault *f)
{
	size_t size = strlen(request);

	if (fd_write(requests, request, size) < 0)
		return fault_errno(f, FAULT_FAILED, FIFO ": cannot write");
	stop_asking();
	say("init is ready, and is asked to run %s anew", itself);
	return handover_fifo_await(FIFO, size, "", told, f);
}

/*
 * If its exec has failed it reads its FIFO again, and waits for us as long as we have that open. Or it stands in its open,
 * which may keep the root that it began in, the RAM root, busy: woken, it reads nothing, says so, and opens it anew.
 */
static void undo(void)
{
	stop_asking();
	(void)close(open(FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

const struct handover handover_openrc = {
	.name = "openrc",
	.fits = fits,
	.prepare = prepare,
	.trigger = trigger,
	.undo = undo,
};
