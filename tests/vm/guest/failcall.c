// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failcall: runs a command and makes a system call fail that would change the system.
 *
 *   failcall N COMMAND [ARGUMENT...]         the Nth of those that it and its children make
 *   failcall -k N COMMAND [ARGUMENT...]      does not fail: they are killed in its place
 *   failcall -t TYPE COMMAND [ARGUMENT...]   every mount of a file system of that type
 *
 * Says on stderr which one failed, or that there were fewer than N. Lets the command go when it
 * sends SIGQUIT to PID 1. Exit code: the command's. x86_64 only.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACEES_MAX = 64 };

struct call {
	long number;
	const char *name;
	int err;                                             /* what is made of it */
	int (*changes)(const struct user_regs_struct *regs); /* NULL: always */
};

static int opens_to_write(const struct user_regs_struct *regs)
{
	unsigned long flags = regs->orig_rax == SYS_openat ? regs->rdx : regs->rsi;

	return (flags & (O_ACCMODE | O_CREAT)) != O_RDONLY;
}

/* What it says is no change. */
static int writes_elsewhere(const struct user_regs_struct *regs)
{
	return regs->rdi > 2;
}

static int takes_memory(const struct user_regs_struct *regs)
{
	return (regs->r10 & MAP_ANONYMOUS) != 0;
}

static const struct call calls[] = {
	{ SYS_mount, "mount", ENOMEM, NULL },
	{ SYS_umount2, "umount2", EBUSY, NULL },
	{ SYS_mkdir, "mkdir", ENOSPC, NULL },
	{ SYS_rmdir, "rmdir", EBUSY, NULL },
	{ SYS_mknod, "mknod", ENOSPC, NULL },
	{ SYS_mknodat, "mknodat", ENOSPC, NULL },
	{ SYS_open, "open", EMFILE, opens_to_write },
	{ SYS_openat, "openat", EMFILE, opens_to_write },
	{ SYS_write, "write", ENOSPC, writes_elsewhere },
	{ SYS_writev, "writev", ENOSPC, writes_elsewhere },
	{ SYS_link, "link", EMLINK, NULL },
	{ SYS_symlink, "symlink", ENOSPC, NULL },
	{ SYS_rename, "rename", ENOSPC, NULL },
	{ SYS_unlink, "unlink", EIO, NULL },
	{ SYS_chmod, "chmod", EIO, NULL },
	{ SYS_fchmod, "fchmod", EIO, NULL },
	{ SYS_chroot, "chroot", EPERM, NULL },
	{ SYS_pivot_root, "pivot_root", EINVAL, NULL },
	{ SYS_chdir, "chdir", EIO, NULL },
	{ SYS_fork, "fork", EAGAIN, NULL },
	{ SYS_vfork, "vfork", EAGAIN, NULL },
	{ SYS_clone, "clone", EAGAIN, NULL },
	{ SYS_execve, "execve", ENOENT, NULL },
	{ SYS_unshare, "unshare", EPERM, NULL },
	{ SYS_setns, "setns", EPERM, NULL },
	{ SYS_pipe2, "pipe2", EMFILE, NULL },
	{ SYS_flock, "flock", ENOLCK, NULL },
	{ SYS_inotify_init1, "inotify_init1", EMFILE, NULL },
	{ SYS_inotify_add_watch, "inotify_add_watch", ENOSPC, NULL },
	{ SYS_kill, "kill", EPERM, NULL },
	{ SYS_mmap, "mmap", ENOMEM, takes_memory },
};

static struct tracee {
	pid_t pid;
	int inside; /* a system call */
	int err;    /* that it is to end with */
} tracees[TRACEES_MAX];

static unsigned long wanted, seen;
static const char *refused_type;
static int kills;

static struct tracee *find(pid_t pid)
{
	struct tracee *room = NULL;

	for (int i = 0; i < TRACEES_MAX; i++) {
		if (tracees[i].pid == pid)
			return &tracees[i];
		if (!room && !tracees[i].pid)
			room = &tracees[i];
	}
	if (!room)
		exit(98);
	memset(room, 0, sizeof(*room));
	room->pid = pid;
	return room;
}

/* Whether the call mounts a file system of the type that is refused. */
static int is_refused(pid_t pid, const struct user_regs_struct *regs)
{
	char type[16];
	long word;

	if (!refused_type || regs->orig_rax != SYS_mount || !regs->rdx)
		return 0;
	for (size_t i = 0; i < sizeof(type); i += sizeof(word)) {
		word = ptrace(PTRACE_PEEKDATA, pid, regs->rdx + i, NULL);
		memcpy(type + i, &word, sizeof(word));
	}
	return strncmp(type, refused_type, sizeof(type)) == 0;
}

static void fail(struct tracee *t, struct user_regs_struct *regs, const char *name, int err)
{
	fprintf(stderr, "failcall: call %lu, %s, fails: %s\n", seen, name, strerror(err));
	t->err = err;
	regs->orig_rax = -1;
	ptrace(PTRACE_SETREGS, t->pid, NULL, regs);
}

static void kill_all(const char *name)
{
	fprintf(stderr, "failcall: killed at call %lu, %s\n", seen, name);
	for (int i = 0; i < TRACEES_MAX; i++)
		if (tracees[i].pid)
			kill(tracees[i].pid, SIGKILL);
}

/* Returns 1 if it is time to let go. */
static int enter(struct tracee *t)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, t->pid, NULL, &regs);
	if (regs.orig_rax == SYS_kill && regs.rdi == 1 && regs.rsi == SIGQUIT)
		return 1;
	if (is_refused(t->pid, &regs))
		fail(t, &regs, "mount", ENODEV);
	for (size_t i = 0; wanted && i < sizeof(calls) / sizeof(*calls); i++) {
		if (calls[i].number != (long)regs.orig_rax ||
		    (calls[i].changes && !calls[i].changes(&regs)))
			continue;
		if (++seen != wanted)
			continue;
		if (kills)
			kill_all(calls[i].name);
		else
			fail(t, &regs, calls[i].name, calls[i].err);
	}
	return 0;
}

static void leave(struct tracee *t)
{
	struct user_regs_struct regs;

	if (!t->err)
		return;
	ptrace(PTRACE_GETREGS, t->pid, NULL, &regs);
	regs.rax = -t->err;
	ptrace(PTRACE_SETREGS, t->pid, NULL, &regs);
	t->err = 0;
}

static void let_go(void)
{
	for (int i = 0; i < TRACEES_MAX; i++)
		if (tracees[i].pid)
			ptrace(PTRACE_DETACH, tracees[i].pid, NULL, NULL);
}

/* Returns the signal that the tracee is to get; -1 to let go. */
static int handle_stop(pid_t pid, int status)
{
	struct tracee *t = find(pid);
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		t->inside = !t->inside;
		if (!t->inside)
			leave(t);
		else if (enter(t))
			return -1;
		return 0;
	}
	/* A new child's first stop, the announcement of one, and that of an exec. */
	return sig == SIGSTOP || sig == SIGTRAP ? 0 : sig;
}

static int follow(pid_t first)
{
	int status, code = 97;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig;

		if (!WIFSTOPPED(status)) {
			find(pid)->pid = 0;
			if (pid == first)
				code = WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128 + WTERMSIG(status);
			continue;
		}
		sig = handle_stop(pid, status);
		if (sig < 0) {
			fprintf(stderr, "failcall: %lu calls, and then QUIT for PID 1\n", seen);
			let_go();
			wanted = 0;
			continue;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
	}
	if (wanted > seen)
		fprintf(stderr, "failcall: only %lu calls\n", seen);
	return code;
}

int main(int argc, char **argv)
{
	int words = argc > 1 && argv[1][0] == '-' ? 3 : 2;
	pid_t pid;
	int status;

	if (argc <= words) {
		fputs("usage: failcall N|-k N|-t TYPE COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	kills = strcmp(argv[1], "-k") == 0;
	if (strcmp(argv[1], "-t") == 0)
		refused_type = argv[2];
	else
		wanted = strtoul(argv[words - 1], NULL, 10);
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[words], argv + words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			   PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0) {
		perror("failcall");
		return 97;
	}
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	return follow(pid);
}
