// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hungexec: a PID 1 whose exec hangs until the process is killed that /run/server has the number of: the exec waits for the
 * end of a thread, and that for the server of a file system in user space. It runs /etc/rc, then has a child
 * run a shell on the console, again and again.
 */

#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *program, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		execl(program, name, (char *)NULL);
		_exit(127);
	}
	while (wait(NULL) != pid)
		;
}

static void tell_number(void)
{
	FILE *file = fopen("/run/server", "w");

	if (!file)
		_exit(1);
	fprintf(file, "%d\n", (int)getpid());
	fclose(file);
}

/* Answers the first request, by which both sides agree on the protocol, and no other. */
static void serve(int connection)
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

	while (read(connection, buffer, sizeof(buffer)) > 0) {
		out.header.unique = in->unique;
		if (in->opcode == FUSE_LOOKUP)
			tell_number();
		else if (in->opcode == FUSE_INIT && write(connection, &out, sizeof(out)) < 0)
			_exit(1);
	}
	_exit(1);
}

static void start_server(void)
{
	int connection = open("/dev/fuse", O_RDWR);
	char options[80];

	mkdir("/run/fuse", 0755);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", connection);
	mount("hungexec", "/run/fuse", "fuse", 0, options);
	if (fork() == 0)
		serve(connection);
	close(connection);
}

static void *wait_for_server(void *unused)
{
	(void)unused;
	(void)open("/run/fuse/x", O_RDONLY);
	return NULL;
}

int main(void)
{
	pthread_t id;

	run("/etc/rc", "rc");
	start_server();
	if (pthread_create(&id, NULL, wait_for_server, NULL) != 0)
		return 1;
	if (fork() == 0)
		for (;;)
			run("/bin/sh", "-sh");
	for (;;)
		wait(NULL);
}
