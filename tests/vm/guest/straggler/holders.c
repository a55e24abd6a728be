// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ways to hold a file system.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "straggler.h"

static void hold(void)
{
	be_deaf();
	ready();
	sleep_forever();
}

static void cwd(void)
{
	must(chdir(in_root("/etc")), "/etc");
	hold();
}

static void chrooted(void)
{
	must(chroot(in_root("/usr")), "chroot");
	must(chdir("/"), "/");
	hold();
}

/* The program itself, and all else that execs have. */
static void exe(void)
{
	be_deaf();
	ready();
	execl(in_root("/bin/busybox"), "sleep", "1000000", (char *)NULL);
	must(-1, "/bin/busybox");
}

static void open_kind(void)
{
	open_file();
	hold();
}

/* In the root itself, if that can be written to. */
static int make_file(char path[64])
{
	snprintf(path, 64, "%s.%d", in_root("/var/straggler"), (int)getpid());
	return must(open(path, O_RDWR | O_CREAT | O_EXCL, 0644), path);
}

static void deleted(void)
{
	char path[64];

	make_file(path);
	must(unlink(path), path);
	hold();
}

static void map(int fd)
{
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		must(-1, "mmap");
	close(fd);
}

static void mapped(void)
{
	map(open_file());
	hold();
}

static void mapped_deleted(void)
{
	char path[64];
	int fd = make_file(path);

	must(ftruncate(fd, 4096), path);
	map(fd);
	must(unlink(path), path);
	hold();
}

static void send_fds(int to, const int *fd, size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec data = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fd, count * sizeof(int));
	must((int)sendmsg(to, &message, 0), "sendmsg");
}

/* A file that is on its way to somebody who does not take it. */
static void in_flight(void)
{
	int ends[2], fd = open_file();

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	send_fds(ends[0], &fd, 1);
	close(fd);
	hold();
}

/*
 * Two sockets that are on their way to each other, and a file with them: no process is left, and the
 * kernel finds out only when it next collects such garbage.
 */
static void in_flight_cycle(void)
{
	int ends[2], fd = open_file();

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	send_fds(ends[0], (const int[]){ ends[0], fd }, 2);
	send_fds(ends[1], (const int[]){ ends[1], fd }, 2);
}

static void listening(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int s = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	snprintf(name.sun_path, sizeof(name.sun_path), "%s.%d", in_root("/var/socket"),
		 (int)getpid());
	must(bind(s, (struct sockaddr *)&name, sizeof(name)), name.sun_path);
	must(listen(s, 1), "listen");
	hold();
}

static void inotify_kind(void)
{
	must(inotify_add_watch(must(inotify_init(), "inotify"), in_root("/etc"), IN_ALL_EVENTS),
	     "watch");
	hold();
}

static void fanotify_kind(void)
{
	int fd = must(fanotify_init(FAN_CLASS_CONTENT, O_RDONLY), "fanotify");

	must(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, in_root("/")),
	     "mark");
	hold();
}

/* It dumps its core into its working directory when it is told to end. */
static void on_term(int sig)
{
	(void)sig;
	abort();
}

static void core_dumper(void)
{
	char *memory = calloc(1, 256 << 10);

	memset(memory, 7, 256 << 10);
	must(chdir(in_root("/var")), "/var");
	signal(SIGTERM, on_term);
	ready();
	sleep_forever();
}

const struct kind holder_kinds[] = {
	{ "cwd", cwd, "a working directory" },
	{ "chroot", chrooted, "a root" },
	{ "exe", exe, "a program" },
	{ "open", open_kind, "an open file" },
	{ "deleted", deleted, "an open file that was deleted" },
	{ "mapped", mapped, "a file that is mapped and closed" },
	{ "mapped-deleted", mapped_deleted, "the same, and deleted" },
	{ "in-flight", in_flight, "a file sent over a socket, and not received" },
	{ "in-flight-cycle", in_flight_cycle,
	  "files on their way to sockets that are on their way, and no process" },
	{ "listening", listening, "a socket with a name in the root" },
	{ "inotify", inotify_kind, "a watch" },
	{ "fanotify", fanotify_kind, "a watch on the mount" },
	{ "core-dumper", core_dumper, "one that dumps its core into the root when told to end" },
	{ 0 },
};
