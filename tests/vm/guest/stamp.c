// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stamp LABEL [PROGRAM]: tells in the kernel's log what time it is by the processor's time stamp counter, and
 * becomes the program. That counter goes on through a reboot: in QEMU with -icount it is the nanoseconds
 * since the machine was switched on. x86_64 only.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long long ticks = __builtin_ia32_rdtsc();
	char line[128];
	int fd;

	if (argc < 2)
		return 2;
	snprintf(line, sizeof(line), "stamp %.60s %llu\n", argv[1], ticks);
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		return 1;
	if (argc > 2)
		execl(argv[2], argv[2], (char *)NULL);
	return argc > 2;
}
