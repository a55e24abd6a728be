// SPDX-License-Identifier: GPL-2.0-or-later
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "devices.h"
#include "say.h"
#include "watchdog.h"

enum { DRAIN_MS = 1000, AGAIN_MS = 10, FDS_MAX = 65536 };

bool pid_namespace_is_first(void)
{
	static const char first[] =
		"pid:[4026531836]"; /* PROC_PID_INIT_INO, fixed since Linux 3.8 */
	char name[64];
	ssize_t len = readlink("/proc/self/ns/pid", name, sizeof(name));

	/* Without /proc, or without namespaces, there is only one. */
	return len < 0 ||
	       ((size_t)len == sizeof(first) - 1 && memcmp(name, first, (size_t)len) == 0);
}

bool pid1_is_us(void)
{
	return getpid() == 1 && pid_namespace_is_first();
}

int pid1_shares(const char *ours, const char *its, const char *what, struct fault *f)
{
	struct stat one, two;

	if (stat(ours, &one) < 0 || stat(its, &two) < 0)
		return fault_errno(f, FAULT_UNFIT,
				   "cannot compare %s with %s (no /proc, or no CAP_SYS_PTRACE?)",
				   ours, its);
	if (one.st_dev != two.st_dev || one.st_ino != two.st_ino)
		return fault_set(f, FAULT_UNFIT, "runs in another %s than PID 1 does", what);
	return 0;
}

static void own_signals(void)
{
	static const int ignored[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				       SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	sigset_t all;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	/* SIGCHLD must not be ignored, or the kernel reaps in our stead and nobody learns how it
	 * ended; blocked, it can be waited for. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

void pid1_default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* not those of KILL and STOP */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Where close_range(2) is not known (before Linux 5.9), one by one: /proc may not be there yet. A
 * watchdog that init had open goes on running, and is opened again by whoever feeds it.
 */
static void close_inherited(void)
{
	struct rlimit limit;
	int end = FDS_MAX;

	if (syscall(SYS_close_range, 0U, ~0U, 0U) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_MAX)
		end = (int)limit.rlim_cur;
	for (int fd = 0; fd < end; fd++)
		(void)close(fd); /* most are not open */
}

/*
 * Descriptors 0 to 2 must always be open: lines are written to them, and whatever file got such a
 * number would receive them. O_NOCTTY: a terminal that controls us could hang us up. O_NONBLOCK: one
 * that flow control has stopped must not stop the update.
 */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0) {
		(void)mknod("/null", S_IFCHR | 0600, 1 << 8 | 3); /* no /dev: any place will do */
		fd = open("/null", O_RDWR);
	}
	while (fd >= 0 && fd < 2) {
		int next = dup(fd);

		if (next < 0)
			return;
		fd = next;
	}
}

void pid1_become(void)
{
	own_signals();
	(void)reboot(RB_DISABLE_CAD); /* fails only without the right to, which PID 1 has */
	close_inherited();
	open_console();
	(void)mlockall(MCL_CURRENT | MCL_FUTURE); /* swap will be off soon anyway */
	(void)chdir("/");
	(void)umask(022);
	say_to_kernel_log();
}

static void need_mount(const char *proof, const char *type, const char *dir)
{
	if (access(proof, F_OK) == 0)
		return;
	if (mount(type, dir, type, MS_NOSUID, NULL) < 0)
		say("%s: cannot mount %s: %s", dir, type, strerror(errno));
}

void pid1_settle(void)
{
	struct fault f;

	/* "umount -a -r" among init's shutdown actions leaves the RAM root read-only. */
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_STRICTATIME, NULL) < 0)
		say("/: cannot make it writable: %s", strerror(errno));
	need_mount("/proc/self", "proc", "/proc");
	need_mount("/sys/class", "sysfs", "/sys");
	if (access("/dev/null", F_OK) < 0 && devices_provide("/dev", &f) < 0)
		(void)say_fault(&f);
	/* Mounted anew they are as read-only as before; /dev may be no mount at all. */
	(void)mount(NULL, "/sys", NULL, MS_REMOUNT | MS_NOSUID, NULL);
	(void)mount(NULL, "/dev", NULL, MS_REMOUNT | MS_NOSUID, NULL);
}

void pid1_drain_console(void)
{
	uint64_t end = clock_ms() + DRAIN_MS;
	int waiting;

	while (ioctl(STDOUT_FILENO, TIOCOUTQ, &waiting) == 0 && waiting > 0 && clock_ms() < end)
		(void)watchdog_poll(NULL, 0, AGAIN_MS);
}
