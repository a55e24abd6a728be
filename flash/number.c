// SPDX-License-Identifier: GPL-2.0-or-later
#include "number.h"

#include <string.h>

/* At least base where there is no such digit. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10) : 16;
}

uint64_t number_read(const char *text, unsigned int base, const char **end)
{
	const char *at = text + strspn(text, " \t"), *start;
	uint64_t number = 0;

	if (base == 0) {
		base = at[0] == '0' && at[1] == 'x' ? 16 : 10;
		at += base == 16 ? 2 : 0;
	}
	start = at;
	for (unsigned int digit; (digit = digit_value(*at)) < base; at++)
		number = number > (UINT64_MAX - digit) / base ? UINT64_MAX : number * base + digit;
	if (end)
		*end = at > start ? at : text;
	return number;
}

uint64_t number_at(const char *text)
{
	return number_read(text, 10, NULL);
}
