// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C library's snprintf() and dprintf() for flashinit, in a tenth of their size: %s %c %d %i %u %x
 * %X and %%; the flags 0 (of unsigned numbers) and # (0x before %x, 0 too), width, a precision of strings that
 * is not negative, and the lengths l, ll, z and j. tests/style/house_rules.py sees to it that nobody
 * uses more.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the text goes: what is more than size goes to the file, or is dropped where there is none. */
struct sink {
	char *text;
	size_t size, used;
	size_t total;
	int fd;
	bool failed;
};

struct conversion {
	bool alternate;
	char pad;
	unsigned int longs; /* 2: long long */
	size_t width, precision;
};

/* A va_list may be an array, which cannot be passed on by its address once it is a parameter. */
struct arguments {
	va_list list;
};

static void flush(struct sink *to)
{
	for (size_t done = 0; done < to->used && !to->failed;) {
		ssize_t n = write(to->fd, to->text + done, to->used - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			to->failed = true;
	}
	to->used = 0;
}

static void put(struct sink *to, char c)
{
	to->total++;
	if (to->used == to->size) {
		if (to->fd < 0)
			return;
		flush(to);
	}
	to->text[to->used++] = c;
}

static void put_padded(struct sink *to, const struct conversion *c, const char *text, size_t len)
{
	for (size_t n = len; n < c->width; n++)
		put(to, c->pad);
	while (len--)
		put(to, *text++);
}

static void put_number(struct sink *to, const struct conversion *c, uintmax_t value, char kind,
		       bool negative)
{
	char digits[24], *at = digits + sizeof(digits);
	unsigned int base = kind == 'x' || kind == 'X' ? 16 : 10;

	do {
		unsigned int digit = value % base;

		*--at = (char)(digit < 10 ? '0' + digit : kind - 'x' + 'a' + digit - 10);
		value /= base;
	} while (value);
	if (c->alternate) {
		*--at = kind;
		*--at = '0';
	}
	if (negative)
		*--at = '-';
	put_padded(to, c, at, (size_t)(digits + sizeof(digits) - at));
}

static void put_integer(struct sink *to, const struct conversion *c, char kind,
			struct arguments *args)
{
	intmax_t value;

	if (c->longs > 1)
		value = va_arg(args->list, long long);
	else if (c->longs)
		value = va_arg(args->list, long);
	else
		value = va_arg(args->list, int);
	if (kind == 'd' || kind == 'i')
		put_number(to, c, value < 0 ? -(uintmax_t)value : (uintmax_t)value, kind,
			   value < 0);
	else if (c->longs > 1)
		put_number(to, c, (uintmax_t)value, kind, false);
	else if (c->longs)
		put_number(to, c, (unsigned long)value, kind, false);
	else
		put_number(to, c, (unsigned int)value, kind, false);
}

static void convert(struct sink *to, struct conversion *c, char kind, struct arguments *args)
{
	const char *text;
	char one;

	switch (kind) {
	case '%':
		put(to, '%');
		break;
	case 'c':
		one = (char)va_arg(args->list, int);
		put_padded(to, c, &one, 1);
		break;
	case 's':
		text = va_arg(args->list, const char *);
		if (!text)
			text = "(null)";
		put_padded(to, c, text, strnlen(text, c->precision));
		break;
	default:
		put_integer(to, c, kind, args);
		break;
	}
}

static size_t number_in(const char **fmt)
{
	size_t n = 0;

	while (**fmt >= '0' && **fmt <= '9')
		n = 10 * n + (size_t)(*(*fmt)++ - '0');
	return n;
}

/* What stands between % and the letter of the kind. */
static struct conversion read_conversion(const char **fmt, struct arguments *args)
{
	struct conversion c = { .pad = ' ', .precision = SIZE_MAX };

	for (; **fmt == '0' || **fmt == '#'; (*fmt)++) {
		if (**fmt == '0')
			c.pad = '0';
		else
			c.alternate = true;
	}
	c.width = number_in(fmt);
	if (**fmt == '.') {
		(*fmt)++;
		if (**fmt == '*') {
			(*fmt)++;
			c.precision = (size_t)va_arg(args->list, int);
		} else {
			c.precision = number_in(fmt);
		}
	}
	for (; **fmt == 'l' || **fmt == 'z' || **fmt == 'j'; (*fmt)++)
		c.longs += **fmt == 'j' ? 2 : 1;
	return c;
}

static void format(struct sink *to, const char *fmt, va_list list)
{
	struct arguments args;

	va_copy(args.list, list);
	for (; *fmt; fmt++) {
		if (*fmt == '%') {
			struct conversion c;

			fmt++;
			c = read_conversion(&fmt, &args);
			convert(to, &c, *fmt, &args);
		} else {
			put(to, *fmt);
		}
	}
	va_end(args.list);
}

int vsnprintf(char *text, size_t size, const char *fmt, va_list args)
{
	struct sink to = { .text = text, .size = size ? size - 1 : 0, .fd = -1 };

	format(&to, fmt, args);
	if (size)
		text[to.used] = '\0';
	return (int)to.total;
}

int snprintf(char *text, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, size, fmt, args);
	va_end(args);
	return len;
}

int vdprintf(int fd, const char *fmt, va_list args)
{
	char text[512];
	struct sink to = { .text = text, .size = sizeof(text), .fd = fd };

	format(&to, fmt, args);
	flush(&to);
	return to.failed ? -1 : (int)to.total;
}

int dprintf(int fd, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vdprintf(fd, fmt, args);
	va_end(args);
	return len;
}

_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function);

/* What assert() calls. Standard error has no buffer, nor has this. */
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function)
{
	(void)dprintf(STDERR_FILENO, "Assertion failed: %s (%s: %s: %d)\n", what, file, function,
		      line); /* it ends here, heard or not */
	abort();
}
