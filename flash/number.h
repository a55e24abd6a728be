/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FLASH_NUMBER_H
#define FLASH_NUMBER_H

#include <stdint.h>

/*
 * Returns the number that text starts with, blanks before it or not: in decimal, in hexadecimal if
 * base is 16, or by its 0x if base is 0. One that is too large becomes UINT64_MAX. *end (may be NULL)
 * becomes what is behind it; text itself, and the number 0, if there is none. So does strtoull(), but
 * that knows signs and octal numbers, which the kernel does not write, and musl's is 2.5 KB.
 */
uint64_t number_read(const char *text, unsigned int base, const char **end);

/* The same for a decimal number of which nobody asks what is behind it. */
uint64_t number_at(const char *text);

#endif
