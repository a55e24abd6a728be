// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Namespaces: processes and mounts that are elsewhere, on the same flash.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "straggler.h"

static void new_mounts(void)
{
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
}

/* The old root, bound once more where nobody else sees it. */
static void bind_root(void)
{
	const char *folder = new_folder("bound");

	must(mount(in_root("/"), folder, NULL, MS_BIND | MS_REC, NULL), folder);
}

static void mount_namespace(void)
{
	new_mounts();
	bind_root();
	be_deaf();
	ready();
	sleep_forever();
}

/* The first process of a PID namespace, with a child, in which all ignore what they can. */
static void pid_namespace(void)
{
	must(unshare(CLONE_NEWPID), "unshare");
	be_deaf();
	if (must(fork(), "fork") == 0) {
		open_file();
		(void)fork();
		ready();
		sleep_forever();
	}
	sleep_forever();
}

static void all_namespaces(void)
{
	open_file();
	must(unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC),
	     "unshare");
	be_deaf();
	if (must(fork(), "fork") == 0) {
		bind_root();
		ready();
	}
	sleep_forever();
}

/* Starts a process in a mount namespace of its own, and opens that. */
static int open_namespace(pid_t *pid)
{
	char path[64], c;
	int ends[2];

	must(pipe(ends), "pipe");
	*pid = must(fork(), "fork");
	if (*pid == 0) {
		new_mounts();
		bind_root();
		must((int)write(ends[1], "", 1), "pipe");
		sleep_forever();
	}
	close(ends[1]);
	if (read(ends[0], &c, 1) != 1)
		must(-1, "namespace");
	close(ends[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)*pid);
	return must(open(path, O_RDONLY), path);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void namespace_fd(void)
{
	pid_t pid;

	open_namespace(&pid);
	end(pid);
	be_deaf();
	ready();
	sleep_forever();
}

static void namespace_pin(void)
{
	const char *file = new_file("namespace");
	char path[64];
	pid_t pid;
	int fd = open_namespace(&pid);

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	must(mount(path, file, NULL, MS_BIND, NULL), file);
	close(fd);
	end(pid);
}

const struct kind namespace_kinds[] = {
	{ "mount-ns", mount_namespace, "one in a mount namespace that has the root twice" },
	{ "pid-ns", pid_namespace, "processes in a PID namespace" },
	{ "all-ns", all_namespaces, "processes in a user, PID and mount namespace" },
	{ "ns-fd", namespace_fd, "an open mount namespace that nobody lives in" },
	{ "ns-pin", namespace_pin, "a bound mount namespace that nobody lives in, and no process" },
	{ 0 },
};
