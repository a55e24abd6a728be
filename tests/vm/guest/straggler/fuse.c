// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FUSE file systems whose server falls silent, and processes that wait for it: uninterruptible, and
 * with files of the root open.
 */

#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "straggler.h"

static char victims_file[300];
static int connection;

static int mount_fuse(void)
{
	const char *point = new_folder("fuse");
	char options[80];

	connection = must(open("/dev/fuse", O_RDWR), "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", connection);
	must(mount("straggler", point, "fuse", 0, options), point);
	snprintf(victims_file, sizeof(victims_file), "%s/x", point);
	return connection;
}

/* Takes a request; answers the first one, by which both sides agree on the protocol. */
static void take_request(void)
{
	static char buffer[FUSE_MIN_READ_BUFFER * 2];
	const struct fuse_in_header *in = (const void *)buffer;
	struct {
		struct fuse_out_header header;
		struct fuse_init_out init;
	} out = {
		.header = { .len = sizeof(out) },
		.init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 },
	};

	must((int)read(connection, buffer, sizeof(buffer)), "FUSE request");
	out.header.unique = in->unique;
	if (in->opcode == FUSE_INIT)
		must((int)write(connection, &out, sizeof(out)), "FUSE answer");
}

static void *be_victim(void *ctx)
{
	(void)ctx;
	open_file();
	must(chdir(in_root("/etc")), "/etc");
	(void)open(victims_file, O_RDONLY);
	sleep_forever();
}

static void start_victim(void)
{
	if (must(fork(), "fork") == 0) {
		close(connection);
		be_deaf();
		be_victim(NULL);
	}
}

/* A server that has taken the victim's request, and lives. */
static void frozen(void)
{
	mount_fuse();
	take_request();
	start_victim();
	take_request();
	be_deaf();
	ready();
	sleep_forever();
}

static void fuse_stopped(void)
{
	mount_fuse();
	take_request();
	start_victim();
	take_request();
	ready();
	for (;;)
		raise(SIGSTOP);
}

/* The server has gone; the mount is still there. */
static void fuse_dead(void)
{
	mount_fuse();
	take_request();
}

/*
 * The victim is a thread of the server itself: it waits for an answer for as long as the connection is
 * there, and the connection is there for as long as it waits. No signal ends that.
 */
static void fuse_self(void)
{
	pthread_t id;

	mount_fuse();
	take_request();
	be_deaf();
	must(-pthread_create(&id, NULL, be_victim, NULL), "thread");
	take_request();
	ready();
	sleep_forever();
}

/* The same in a mount namespace of its own: no path leads to the mount. */
static void fuse_self_ns(void)
{
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	fuse_self();
}

/* Who asks what it has open asks a server that does not answer. */
static void fuse_open(void)
{
	mount_fuse();
	take_request();
	*strrchr(victims_file, '/') = '\0';
	must(open(victims_file, O_PATH), victims_file);
	be_deaf();
	ready();
	sleep_forever();
}

/* A mount of the root upon a file system that does not answer. */
static void fuse_below(void)
{
	mount_fuse();
	take_request();
	*strrchr(victims_file, '/') = '\0';
	must(mount(in_root("/"), victims_file, NULL, MS_BIND, NULL), victims_file);
	be_deaf();
	ready();
	sleep_forever();
}

const struct kind fuse_kinds[] = {
	{ "fuse-silent", frozen, "one that waits for a FUSE server that does not answer" },
	{ "fuse-stopped", fuse_stopped, "one that waits for a FUSE server that is stopped" },
	{ "fuse-dead", fuse_dead, "a FUSE mount without a server, and no process" },
	{ "fuse-self", fuse_self, "a FUSE server that waits for itself: unkillable" },
	{ "fuse-self-ns", fuse_self_ns, "the same in a mount namespace of its own" },
	{ "fuse-open", fuse_open, "one that has a folder of such a server open" },
	{ "fuse-below", fuse_below, "the root bound over a FUSE mount that does not answer" },
	{ 0 },
};
