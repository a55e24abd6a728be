// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char spaces[] = " \t\n\v\f\r";

/* Reads one value and moves *text behind it. Returns the conversion's length; 0: no value there. */
static size_t take_value(const char **text, const char *conversion, va_list *args)
{
	const char *start = *text + strspn(*text, spaces);
	size_t word = strcspn(start, spaces);
	int base = strncmp(conversion, "llx", 3) == 0 ? 16 : 10;
	char *end = NULL;
	long long value;

	if (word == 0)
		return 0;
	if (*conversion == 's') {
		char *to = va_arg(*args, char *);

		memcpy(to, start, word);
		to[word] = '\0';
		*text = start + word;
		return 1;
	}
	value = base == 16 ? (long long)strtoull(start, &end, base) : strtoll(start, &end, base);
	if (end == start)
		return 0;
	*text = end;
	if (*conversion == 'd') {
		*va_arg(*args, int *) = (int)value;
		return 1;
	}
	*va_arg(*args, long long *) = value;
	return 3;
}

static bool is_known(const char *conversion)
{
	return *conversion == 'd' || *conversion == 's' || strncmp(conversion, "lld", 3) == 0 ||
	       strncmp(conversion, "llx", 3) == 0;
}

int scan(const char *text, const char *format, ...)
{
	int count = 0;
	va_list args;

	va_start(args, format);
	while (*format) {
		if (isspace((unsigned char)*format)) {
			text += strspn(text, spaces);
			format++;
		} else if (*format == '%') {
			size_t len = 0;

			if (is_known(format + 1))
				len = take_value(&text, format + 1, &args);
			if (len == 0)
				break;
			format += 1 + len;
			count++;
		} else if (*format++ != *text++) {
			break;
		}
	}
	va_end(args);
	return count;
}
