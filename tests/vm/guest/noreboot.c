// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * noreboot: an init= that forbids reboot(2) for good, to itself and all who follow, and becomes
 * /sbin/init; under the name nosysrq it forbids "echo b >/proc/sysrq-trigger", too: to write a single
 * byte to any descriptor but the standard ones.
 *
 * RB_DISABLE_CAD and RB_ENABLE_CAD are reboot(2), too, and fail as well.
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

int main(int argc, char **argv)
{
	struct sock_filter reboot_only[] = {
		LOAD(nr),
		UNLESS(SYS_reboot, 1),
		REFUSE,
		ALLOW,
	};
	struct sock_filter sysrq_too[] = {
		LOAD(nr),      UNLESS(SYS_reboot, 1),
		REFUSE,        UNLESS(SYS_write, 5),
		LOAD(args[2]), UNLESS(1, 3),
		LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, STDERR_FILENO, 0, 1),
		REFUSE,        ALLOW,
	};
	struct sock_fprog filter = { sizeof(reboot_only) / sizeof(*reboot_only), reboot_only };

	if (argc > 0 && strstr(argv[0], "nosysrq"))
		filter = (struct sock_fprog){ sizeof(sysrq_too) / sizeof(*sysrq_too), sysrq_too };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		perror("noreboot");
	execl("/sbin/init", "/sbin/init", (char *)NULL);
	return 1;
}
