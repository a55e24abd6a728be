// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * straggler: leave something behind that does not let go of the root.
 *
 *	straggler KIND...		and return once each of them stands
 *	straggler --late KIND...	the same, but only when init execs flashinit
 *	straggler --list [GROUP]	the kinds, each with a word about it
 *
 * BusyBox init kills everybody before it execs flashinit, which so meets only what cannot be killed
 * by one signal. With --late, a daemon waits for the root to become the RAM root and puts itself in
 * flashinit's place there: execed by init, it lets the stragglers out, and then execs flashinit.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "straggler.h"

#define FLASHINIT "/sbin/flashinit"
#define REAL FLASHINIT ".real"
#define WANTED "/stragglers" /* the kinds, a line each */

static const struct group {
	const char *name;
	const struct kind *kinds;
} groups[] = {
	{ "processes", process_kinds },
	{ "holders", holder_kinds },
	{ "namespaces", namespace_kinds },
	{ "mounts", mount_kinds },
	{ "fuse", fuse_kinds },
	{ "unkillable", unkillable_kinds },
};

/* All but the last one's let go, if they are told to by the right means. */
enum { GROUPS = sizeof(groups) / sizeof(*groups), LISTED = GROUPS - 1 };

static const char *old_root = "";
static int started = -1; /* a pipe */

int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "straggler: %s: %s\n", what, strerror(errno));
	_exit(1);
}

const char *in_root(const char *name)
{
	static char path[4][256];
	static unsigned int n;
	char *to = path[n++ % 4];

	snprintf(to, sizeof(path[0]), "%s%s", old_root, name);
	return to;
}

static const char *new_name(const char *name)
{
	char *path;

	must(asprintf(&path, "%s/tmp/%s-%d", old_root, name, (int)getpid()), "no memory");
	return path;
}

const char *new_folder(const char *name)
{
	const char *path = new_name(name);

	must(mkdir(path, 0755), path);
	return path;
}

const char *new_file(const char *name)
{
	const char *path = new_name(name);

	close(must(open(path, O_WRONLY | O_CREAT | O_EXCL, 0644), path));
	return path;
}

int open_file(void)
{
	return must(open(in_root("/etc/version"), O_RDONLY), "/etc/version");
}

void be_deaf(void)
{
	sigset_t set;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

void ready(void)
{
	if (started >= 0 && write(started, "", 1) != 1)
		_exit(1);
	close(started);
	started = -1;
}

void sleep_forever(void)
{
	for (;;)
		pause();
}

/* A grandchild in a session of its own, with nothing of ours but standard error until it stands. */
static void detach(const struct kind *kind)
{
	int null;

	setsid();
	if (fork())
		_exit(0);
	null = must(open("/dev/null", O_RDWR), "/dev/null");
	dup2(null, 0);
	dup2(null, 1);
	close(null);
	kind->run();
	ready();
	_exit(0);
}

static int start(const struct kind *kind)
{
	int ends[2];
	char c;
	pid_t pid;

	must(pipe(ends), "pipe");
	pid = must(fork(), "fork");
	if (pid == 0) {
		close(ends[0]);
		started = fcntl(ends[1], F_DUPFD_CLOEXEC, 100);
		close(ends[1]);
		detach(kind);
	}
	close(ends[1]);
	waitpid(pid, NULL, 0);
	if (read(ends[0], &c, 1) != 1) {
		fprintf(stderr, "straggler: %s does not stand\n", kind->name);
		close(ends[0]);
		return 1;
	}
	close(ends[0]);
	return 0;
}

static const struct kind *find(const char *name)
{
	for (int i = 0; i < GROUPS; i++)
		for (const struct kind *kind = groups[i].kinds; kind->name; kind++)
			if (strcmp(kind->name, name) == 0)
				return kind;
	fprintf(stderr, "straggler: no such kind: %s\n", name);
	return NULL;
}

static int list(const char *group)
{
	for (int i = 0; i < GROUPS; i++)
		if (group ? strcmp(group, groups[i].name) == 0 : i < LISTED)
			for (const struct kind *kind = groups[i].kinds; kind->name; kind++)
				printf("%-16s %s\n", kind->name, kind->what);
	return 0;
}

/* In the RAM root, in flashinit's place. */
static int let_out(char **argv)
{
	FILE *wanted = fopen(WANTED, "r");
	char name[64];

	old_root = "/oldroot";
	prctl(PR_SET_NAME, "straggler");
	while (wanted && fscanf(wanted, "%63s", name) == 1) {
		const struct kind *kind = find(name);

		printf("straggler: %s %s\n", name, kind && start(kind) == 0 ? "is out" : "FAILED");
		fflush(stdout);
	}
	execv(REAL, argv);
	return must(-1, REAL);
}

static void copy_program(void)
{
	int from = must(open("/proc/self/exe", O_RDONLY), "/proc/self/exe");
	int to = must(open("/straggler", O_WRONLY | O_CREAT | O_EXCL, 0755), "/straggler");
	struct stat st;

	must(fstat(from, &st), "program");
	if (sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size)
		must(-1, "copy");
	close(to);
	close(from);
}

/* Our root becomes the RAM root when flashinit pivots to it. */
static void lie_in_wait(char **kinds)
{
	FILE *wanted;

	be_deaf();
	ready();
	while (access("/oldroot/etc/version", F_OK) < 0 || access(FLASHINIT, F_OK) < 0)
		usleep(5000);
	wanted = fopen(WANTED, "w");
	for (; wanted && *kinds; kinds++)
		fprintf(wanted, "%s\n", *kinds);
	if (!wanted || fclose(wanted) != 0)
		must(-1, WANTED);
	copy_program();
	must(rename(FLASHINIT, REAL), FLASHINIT);
	must(rename("/straggler", FLASHINIT), FLASHINIT);
}

static char **late_kinds;

static void run_late(void)
{
	lie_in_wait(late_kinds);
}

int main(int argc, char **argv)
{
	static const struct kind late = { "--late", run_late, "" };
	int failed = 0, first = 1;

	if (access(REAL, F_OK) == 0)
		return let_out(argv);
	if (argc > 1 && strcmp(argv[1], "--list") == 0)
		return list(argv[2]);
	if (argc > 1 && strcmp(argv[1], "--late") == 0)
		first = 2;
	if (argc <= first) {
		fputs("usage: straggler [--late] KIND... | --list [GROUP]\n", stderr);
		return 2;
	}
	for (int i = first; i < argc; i++)
		if (!find(argv[i]))
			return 2;
	if (first == 2) {
		late_kinds = argv + 2;
		return start(&late);
	}
	for (int i = first; i < argc; i++)
		failed |= start(find(argv[i]));
	return failed;
}
