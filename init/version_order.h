/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_VERSION_ORDER_H
#define INIT_VERSION_ORDER_H

/*
 * Compares two firmware versions: below 0 if a is the older one, 0 if none is newer. Digits in a row
 * are a number ("1.10" is newer than "1.9"), everything else is compared character by character, and
 * what goes on is newer than what ends ("1.0-rc1" than "1.0").
 */
int version_order(const char *a, const char *b);

#endif
