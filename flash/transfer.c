// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

/* On a 32-bit machine, too: musl's always is, glibc's with _FILE_OFFSET_BITS=64. */
_Static_assert(sizeof(off_t) == 8, "offsets in flash need 64 bits");

static int transfer(int fd, bool out, uint8_t *buf, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = out ? pwrite(fd, buf, len, (off_t)at) : pread(fd, buf, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = out ? ENOSPC : ENODATA;
		if (n <= 0)
			return -1;
		buf += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

int transfer_in(int fd, void *buf, size_t len, uint64_t at)
{
	return transfer(fd, false, buf, len, at);
}

int transfer_out(int fd, const void *buf, size_t len, uint64_t at)
{
	return transfer(fd, true, (uint8_t *)(uintptr_t)buf, len, at); /* is only read */
}
