// SPDX-License-Identifier: GPL-2.0-or-later
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct fault *f, enum fault_kind kind, int err, const char *fmt, va_list args)
{
	size_t used;

	f->kind = kind;
	f->err = err;
	(void)vsnprintf(f->text, sizeof(f->text), fmt, args); /* a text cut short still names it */
	if (!err)
		return;
	used = strlen(f->text);
	(void)snprintf(f->text + used, sizeof(f->text) - used, ": %s", strerror(err));
}

int fault_set(struct fault *f, enum fault_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(f, kind, 0, fmt, args);
	va_end(args);
	return -1;
}

int fault_errno(struct fault *f, enum fault_kind kind, const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	fill(f, kind, err, fmt, args);
	va_end(args);
	return -1;
}
