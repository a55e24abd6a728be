// SPDX-License-Identifier: GPL-2.0-or-later
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

enum {
	PATIENCE_MS = 100,      /* with a terminal whose buffer is full */
	SLOW_PATIENCE_MS = 2000 /* where nobody says at once that it is: a slow line may catch up */
};

static int kernel_log = -1;
static bool as_json;

/* Whether a write may wait for a reader, or for a terminal that flow control stopped. */
static bool may_block(int fd, bool terminal)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || (flags & O_NONBLOCK) || fstat(fd, &st) < 0)
		return false;
	return terminal || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
}

/*
 * Bytes that a descriptor takes without waiting once it can be written to: a pipe has room for
 * PIPE_BUF, and a line that short is never torn. A pseudo-terminal has room for 256 or more, but a
 * newline, which becomes two, waits if what stands before it took that.
 */
static size_t piece(const char *text, size_t len, bool terminal)
{
	enum { TERMINAL_PIECE = 128 };
	const char *newline = terminal ? memchr(text, '\n', len) : NULL;
	size_t most = terminal ? TERMINAL_PIECE : PIPE_BUF;

	if (newline)
		len = newline == text ? 1 : (size_t)(newline - text);
	return len < most ? len : most;
}

void say_raw(int fd, const char *text, size_t len)
{
	static bool
		stuck; /* flow control stopped the terminal: wait for it no more until it moves */
	bool terminal = isatty(fd) == 1, ask = may_block(fd, terminal);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (len > 0) {
		ssize_t n;

		if (ask && poll(&p, 1, stuck ? 0 : SLOW_PATIENCE_MS) <= 0) {
			stuck = true;
			return;
		}
		n = write(fd, text, ask ? piece(text, len, terminal) : len);
		if (n > 0) {
			stuck = false;
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN && !stuck) {
			stuck = poll(&p, 1, PATIENCE_MS) <= 0;
		} else if (n == 0 || errno != EINTR) {
			return; /* nobody is there to be told */
		}
	}
}

static char last[192];

const char *say_last(void)
{
	return last;
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
	(void)snprintf(last, sizeof(last), "%.*s", (int)sizeof(last) - 1, text + PREFIX);
	text[len] = '\n';
	say_raw(fd, text + LEVEL, len + 1 - LEVEL);
	if (kernel_log >= 0)
		say_raw(kernel_log, text, len + 1);
}

static void note(const char *fmt, va_list args)
{
	char text[512], quoted[JSON_QUOTED(sizeof(text))];

	(void)vsnprintf(text, sizeof(text), fmt, args); /* cut short, like lines */
	json_event("note", "\"message\":%s", json_quote(quoted, text));
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
