// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct report) <= PIPE_BUF, "a report must fit into one write");

int report_send(int fd, const struct report *r)
{
	ssize_t n;

	do
		n = write(fd, r, sizeof(*r));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*r) ? 0 : -1;
}

int report_text(int fd, enum report_kind kind, const char *fmt, ...)
{
	struct report r;
	va_list args;

	memset(&r, 0, sizeof(r)); /* padding, too: it all goes through the pipe */
	r.kind = kind;
	va_start(args, fmt);
	(void)vsnprintf(r.text, sizeof(r.text), fmt, args);
	va_end(args);
	return report_send(fd, &r);
}
