/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little of sscanf() that libmtd and libubi need to read what sysfs says. A C library's own
 * reads floating point, too, which is 11 KB of a static program.
 */
#ifndef FLASH_SCAN_H
#define FLASH_SCAN_H

/*
 * As sscanf(), for formats of literal characters, white space, %d, %lld, %llx and %s. Returns the
 * number of values that were read; any other conversion ends the reading.
 */
int scan(const char *text, const char *format, ...) __attribute__((format(scanf, 2, 3)));

#endif
