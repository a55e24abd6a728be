// SPDX-License-Identifier: GPL-2.0-or-later
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

enum { PATIENCE_MS = 100 }; /* with a terminal whose buffer is full */

static int kernel_log = -1;
static bool as_json;

void say_raw(int fd, const char *text, size_t len)
{
	static bool
		stuck; /* flow control stopped the terminal: wait for it no more until it moves */

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n > 0) {
			stuck = false;
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN && !stuck) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			stuck = poll(&p, 1, PATIENCE_MS) <= 0;
		} else if (n == 0 || errno != EINTR) {
			return; /* nobody is there to be told */
		}
	}
}

static void line(int fd, const char *fmt, va_list args)
{
	static const char prefix[] =
		"<5>flashinit: "; /* without <5>, for the kernel log, elsewhere */
	enum { LEVEL = 3, PREFIX = sizeof(prefix) - 1 };
	char text[512];
	size_t len;

	memcpy(text, prefix, PREFIX);
	(void)vsnprintf(text + PREFIX, sizeof(text) - PREFIX - 1, fmt, args);
	len = strlen(text);
	text[len] = '\n';
	say_raw(fd, text + LEVEL, len + 1 - LEVEL);
	if (kernel_log >= 0)
		say_raw(kernel_log, text, len + 1);
}

static void note(const char *fmt, va_list args)
{
	char text[512];

	(void)vsnprintf(text, sizeof(text), fmt, args); /* cut short, like lines */
	json_event("note", text);
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (as_json)
		note(fmt, args);
	else
		line(STDOUT_FILENO, fmt, args);
	va_end(args);
}

void say_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line(STDERR_FILENO, fmt, args);
	va_end(args);
}

int say_fault(const struct fault *f)
{
	say_error("%s", f->text);
	return (int)f->kind;
}

void say_as_json(void)
{
	as_json = true;
}

bool say_is_json(void)
{
	return as_json;
}

void say_somewhere(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

void say_to_kernel_log(void)
{
	if (kernel_log < 0)
		kernel_log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK);
}
