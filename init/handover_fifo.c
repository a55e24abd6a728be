// SPDX-License-Identifier: GPL-2.0-or-later
#include "handover_fifo.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include "clock.h"
#include "handover.h"

enum {
	OPEN_MS = 10000, /* for init to open it; sysvinit looks every 5 s */
	EXEC_MS = 10000,
	LAST_MS = 1000, /* for one that has just read the request */
	LOOK_MS = 50,
	REQUEST_MAX = 384,
};

int handover_fifo_open(const char *fifo, int (*keep_going)(void), struct fault *f)
{
	uint64_t end = clock_ms() + OPEN_MS;

	while (clock_ms() < end && keep_going()) {
		int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return fault_set(f, FAULT_UNFIT,
			 "init has not opened %s within %d s: is it still busy starting up?", fifo,
			 OPEN_MS / 1000);
}

/* Whether init had not read the request; it will not any more. */
static bool withdraw(const char *fifo, size_t size)
{
	char request[REQUEST_MAX];
	int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool back = fd >= 0 && read(fd, request, size) == (ssize_t)size;

	if (fd >= 0)
		(void)close(fd);
	return back;
}

int handover_fifo_await(const char *fifo, size_t size, const char *hint, bool *told,
			struct fault *f)
{
	if (handover_seen(EXEC_MS) || (!withdraw(fifo, size) && handover_seen(LAST_MS))) {
		*told = true;
		for (;;)
			(void)pause(); /* it kills us */
	}
	return fault_set(f, FAULT_UNFIT, "init has not run itself anew within %d s%s",
			 EXEC_MS / 1000, hint);
}
