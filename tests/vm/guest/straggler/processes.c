// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes that do not go, or that one does not see.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "straggler.h"

static void daemon_kind(void)
{
	open_file();
	must(chdir(in_root("/etc")), "/etc");
	ready();
	sleep_forever();
}

static void deaf(void)
{
	be_deaf();
	daemon_kind();
}

static void stopped(void)
{
	be_deaf();
	open_file();
	ready();
	for (;;)
		raise(SIGSTOP);
}

/* The tracee stands still for its tracer, which stands still itself. */
static void trace(long options)
{
	pid_t pid = must(fork(), "fork");

	open_file();
	if (pid == 0) {
		be_deaf();
		sleep_forever();
	}
	must(ptrace(PTRACE_SEIZE, pid, 0L, options), "seize");
	must(ptrace(PTRACE_INTERRUPT, pid, 0L, 0L), "interrupt");
	must(waitpid(pid, NULL, __WALL), "wait");
	stopped();
}

static void traced(void)
{
	trace(0);
}

static void traced_exitkill(void)
{
	trace(PTRACE_O_EXITKILL);
}

static void *thread(void *ctx)
{
	(void)ctx;
	sleep_forever();
}

static void start_threads(int count, void *(*run)(void *ctx))
{
	be_deaf(); /* threads inherit it */
	while (count--) {
		pthread_t id;

		must(-pthread_create(&id, NULL, run, NULL), "thread");
	}
}

static void threads(void)
{
	open_file();
	start_threads(8, thread);
	ready();
	sleep_forever();
}

/* The first thread ends: the process is a zombie by its looks, and lives. */
static void headless(void)
{
	open_file();
	start_threads(2, thread);
	ready();
	syscall(SYS_exit, 0);
}

static void *thread_with_files(void *ctx)
{
	(void)ctx;
	must(unshare(CLONE_FS | CLONE_FILES), "unshare");
	open_file();
	must(chdir(in_root("/etc")), "/etc");
	ready();
	sleep_forever();
}

/* A thread with files and a working directory that the process's first one has not. */
static void thread_files(void)
{
	start_threads(1, thread_with_files);
	sleep_forever();
}

/* The parent waits in the kernel for a child that neither execs nor ends. */
static void vforked(void)
{
	be_deaf();
	open_file();
	if (vfork() == 0) {
		ready();
		sleep_forever();
	}
}

/*
 * Chains of processes, each of which forks the next one and ends: no list of processes is ever
 * right. A chain may double, up to a limit. The first process reaps them by not wanting to know.
 */
static void fork_bomb(void)
{
	enum { CHAINS = 24 };
	atomic_int *chains = mmap(NULL, sizeof(*chains), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	be_deaf();
	open_file();
	atomic_store(chains, 1);
	must(prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	signal(SIGCHLD, SIG_IGN);
	if (must(fork(), "fork") > 0) {
		ready();
		sleep_forever();
	}
	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			sched_yield();
		if (pid > 0 && atomic_fetch_add(chains, 1) >= CHAINS) {
			atomic_fetch_sub(chains, 1);
			_exit(0);
		}
	}
}

const struct kind process_kinds[] = {
	{ "daemon", daemon_kind, "a daemon with a file and its working directory in the root" },
	{ "deaf", deaf, "one that ignores and blocks every signal" },
	{ "stopped", stopped, "a stopped one" },
	{ "traced", traced, "one in a tracing stop, with a stopped tracer" },
	{ "traced-exitkill", traced_exitkill, "the same, to die with its tracer" },
	{ "threads", threads, "one with nine threads" },
	{ "headless", headless, "one whose first thread has ended: a zombie by its looks" },
	{ "thread-files", thread_files, "one with a thread that has files of its own" },
	{ "vfork", vforked, "one waiting for a vforked child" },
	{ "fork-bomb", fork_bomb, "two dozen chains of processes that fork and end" },
	{ 0 },
};
