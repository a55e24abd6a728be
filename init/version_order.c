// SPDX-License-Identifier: GPL-2.0-or-later
#include "version_order.h"

#include <stddef.h>
#include <string.h>

static const char digits[] = "0123456789";

/* Moves both behind the number that they stand at. It may have more digits than any integer. */
static int number_order(const char **a, const char **b)
{
	size_t one, two;
	int order;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	one = strspn(*a, digits);
	two = strspn(*b, digits);
	if (one != two)
		return one < two ? -1 : 1;
	order = memcmp(*a, *b, one);
	*a += one;
	*b += two;
	return order;
}

int version_order(const char *a, const char *b)
{
	for (;;) {
		if (strspn(a, digits) && strspn(b, digits)) {
			int order = number_order(&a, &b);

			if (order)
				return order;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else if (!*a) {
			return 0;
		} else {
			a++;
			b++;
		}
	}
}
